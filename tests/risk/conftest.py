"""A real service over a real socket, and real databases of both kinds."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from risk.stores.database import Database, open_database
from tests.databases import KINDS, address
from tests.risk.servers import Running, running


@pytest.fixture(scope="module", params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database for the whole module, of each kind in turn."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with address(request.param, tmp_path_factory.mktemp("store"), server) as url:
        yield url


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of each kind in turn."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with address(request.param, tmp_path, server) as url:
        yield url


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """An open empty database, of each kind in turn."""
    opened = open_database(empty_url, 5_000)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Running]:
    """One service without a model for the whole module, over each kind of database in turn."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REFUND_RISK_DATABASE_URL", database_url)
        with running(tmp_path_factory.mktemp("home")) as started:
            yield started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start services in homes of one's own, with the database in the home; all are stopped at the end."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as environment:
        environment.delenv("REFUND_RISK_DATABASE_URL", raising=False)
        yield lambda home=tmp_path / "home", key=None: stack.enter_context(running(home, key))
