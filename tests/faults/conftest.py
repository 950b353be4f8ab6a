"""What the faults need: services in processes of their own, and disks that can be full or not writable."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.mounts import Mounts
from tests.risk.conftest import empty_url, start
from tests.service.processes import Process, a_process

__all__ = ["empty_url", "start"]

Serve = Callable[..., Process]


@pytest.fixture
def serve_home(tmp_path: Path) -> Iterator[Serve]:
    """Start services over `tmp_path / "home"`, or another; all end with the test."""
    with ExitStack() as stack:
        yield lambda home=tmp_path / "home", key=None, **environment: stack.enter_context(a_process(home, key, environment))


@pytest.fixture
def mounts() -> Iterator[Mounts]:
    """Mounts that end with the test; it is skipped where this user may not mount."""
    with Mounts() as made:
        yield made
