"""The real service that the tests of `tests/risk/` start, over each kind of database."""

from tests.risk.conftest import database_url, empty_url, service, start

__all__ = ["database_url", "empty_url", "service", "start"]
