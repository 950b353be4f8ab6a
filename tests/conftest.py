"""What every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.databases import postgres_server
from tests.object_stores import ObjectStore
from tests.redis_servers import RedisServer

# The gate tries the same examples each time, so that red means a change; at home every run tries new ones.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shelf() -> Path:
    """The data shelf beside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("REFUND_RISK_SHELF", PROJECT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no data shelf at {folder}; set REFUND_RISK_SHELF to run this test")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL for the whole run, as the folder of its socket."""
    with postgres_server() as folder:
        yield folder


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis for the whole run."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A real server that speaks S3, for the whole run."""
    server = ObjectStore()
    server.start()
    yield server
    server.remove()
