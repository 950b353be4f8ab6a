"""A real service over a real socket."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.risk.servers import Running, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service without a model for the whole module."""
    with running(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start services in homes of one's own; all are stopped at the end."""
    with ExitStack() as stack:
        yield lambda home=tmp_path / "home", key=None: stack.enter_context(running(home, key))
