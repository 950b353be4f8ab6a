"""Slow features do not answer, or answer slowly: the decision is made without them, soon, and says so; when they are back they are used again."""

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from data_contracts.link import EntityType
from features.slow import STAMP, key_of, slow_features
from risk.settings import Settings
from risk.stores.feature_store import FeatureStore
from tests.faults.answers import SCORE, until
from tests.faults.conftest import Serve
from tests.redis_servers import RedisServer
from tests.service.load import a_body
from tests.service.processes import Process

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning:feast", "default::DeprecationWarning:ibis")

SOON_S = 1.5
"""What a decision without slow features may take on a busy machine; a caller waits some seconds at most."""


def publish(home: Path, settings: Settings) -> None:
    """Give the seller of every `a_body` a state."""
    kind = EntityType.SELLER
    values = {feature.name: [1.0] for feature in slow_features()[kind]}
    state = pl.DataFrame({key_of(kind): ["lake-shop"], STAMP: [datetime(2026, 1, 1, tzinfo=UTC)], **values})
    store = FeatureStore(home, settings)
    store.publish({kind: state})
    store.close()


def degraded(service: Process, number: int) -> list[str]:
    """What a new decision went without."""
    began = time.monotonic()
    with service.client() as client:
        answer = client.post(SCORE, json=a_body(number))
    assert answer.status_code == 200, answer.text
    assert time.monotonic() - began < SOON_S
    found: list[str] = answer.json()["degraded"]
    return found


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis of this test's own that keeps what it holds over a restart, as one in use does."""
    server = RedisServer(keeps=True)
    server.start()
    yield server
    server.remove()


def test_redis_stops_and_starts_and_hangs(serve_home: Serve, redis: RedisServer, tmp_path: Path) -> None:
    publish(tmp_path / "home", Settings(redis_url=redis.url))
    service = serve_home(REFUND_RISK_REDIS_URL=redis.url)
    assert degraded(service, 1) == []
    redis.stop()
    assert [degraded(service, number) for number in range(2, 5)] == [["slow"]] * 3
    redis.start()
    numbers = iter(range(5, 1_000))
    until(lambda: degraded(service, next(numbers)) == [], 10, "Redis is back, and nobody noticed")
    redis.hang()
    assert degraded(service, next(numbers)) == ["slow"]
    redis.resume()
    until(lambda: degraded(service, next(numbers)) == [], 10, "Redis answers again, and nobody noticed")


def test_a_feature_file_that_is_locked_or_damaged(serve_home: Serve, tmp_path: Path) -> None:
    publish(tmp_path / "home", Settings())
    (file,) = (tmp_path / "home" / "feature_store").rglob("online*.db")
    service = serve_home()
    assert degraded(service, 1) == []
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert degraded(service, 2) == ["slow"]
    holder.execute("ROLLBACK")
    holder.close()
    assert degraded(service, 3) == []
    whole = file.read_bytes()
    file.write_bytes(b"not a database" * 500)
    assert degraded(service, 4) == ["slow"]
    file.write_bytes(whole)
    assert degraded(service, 5) == []
