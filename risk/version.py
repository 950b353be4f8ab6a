"""Which code decides: every decision names it."""

from functools import cache
from importlib.metadata import version


@cache
def code_version() -> str:
    """The version of this package."""
    return version("refund-risk")
