"""One sandbox for all tests here: its start takes longer than their work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.image.sandbox import Limits, Sandbox
from risk.stores.database import Database, open_database
from tests.databases import KINDS, address


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(seconds=10, memory_mb=512, reading=False)) as shared:
        yield shared


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with address(request.param, tmp_path, server) as url:
        opened = open_database(url, 5_000)
        yield opened
        opened.close()
