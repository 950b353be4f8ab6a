"""Redis goes, hangs, forgets and comes back: a decision never waits long, never takes a lost value for none, and needs no hand."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_contracts.errors import ContractError, SourceUnavailableError
from risk.settings import Settings
from risk.stores.feature_store import FeatureStore
from tests.redis_servers import RedisServer
from tests.risk.stores.test_feature_store import both

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning:feast", "default::DeprecationWarning:ibis")

TIMEOUT_MS = 100


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis of this test alone, which it may stop."""
    started = RedisServer()
    started.start()
    yield started
    started.remove()


@pytest.fixture
def store(server: RedisServer, tmp_path: Path) -> Iterator[FeatureStore]:
    """A store over it in which one seller has a state."""
    opened = FeatureStore(tmp_path, Settings(redis_url=server.url, redis_timeout_ms=TIMEOUT_MS))
    opened.publish(both([("s", 1, 4.0)], []))
    assert value(opened) == 4.0
    yield opened
    opened.close()


def value(store: FeatureStore) -> float | None:
    return store.online("s", [])["seller_requests_90d"]


def recovered(store: FeatureStore, within_s: float) -> float | None:
    """The value as soon as the store answers again."""
    until = time.monotonic() + within_s
    while True:
        try:
            return value(store)
        except SourceUnavailableError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def refused_s(store: FeatureStore) -> float:
    """How long it takes to hear that Redis does not answer."""
    began = time.perf_counter()
    with pytest.raises(SourceUnavailableError, match="Redis at 127"):
        value(store)
    return time.perf_counter() - began


def test_a_redis_that_is_gone_costs_one_short_wait_and_comes_back_by_itself(store: FeatureStore, server: RedisServer) -> None:
    server.stop()
    assert refused_s(store) < 1
    assert sum(refused_s(store) for _ in range(200)) < 0.2
    server.start()
    with pytest.raises(SourceUnavailableError, match="holds no online features, though they were published"):
        recovered(store, 5)
    store.publish(both([("s", 2, 5.0)], []))
    assert recovered(store, 5) == 5.0


def test_a_redis_that_hangs_is_left_alone_until_it_answers(store: FeatureStore, server: RedisServer) -> None:
    server.hang()
    assert TIMEOUT_MS / 1000 * 0.9 < refused_s(store) < 10 * TIMEOUT_MS / 1000
    assert sum(refused_s(store) for _ in range(200)) < 0.2
    server.resume()
    assert recovered(store, 5) == 4.0


def test_a_redis_that_lost_its_data_is_no_redis_without_states(store: FeatureStore, server: RedisServer) -> None:
    server.empty()
    with pytest.raises(SourceUnavailableError, match="publish them again"):
        value(store)


def test_publishing_into_a_redis_that_is_gone_is_an_error_and_can_be_done_again(store: FeatureStore, server: RedisServer) -> None:
    server.stop()
    with pytest.raises(SourceUnavailableError, match="REFUND_RISK_REDIS_URL"):
        store.publish(both([("s", 2, 6.0)], []))
    server.start()
    assert store.publish(both([("s", 2, 6.0)], [])) == {"seller": 1, "sku": 0}
    assert recovered(store, 5) == 6.0


def test_the_password_is_in_no_file_of_the_home_and_in_no_error(store: FeatureStore, server: RedisServer, tmp_path: Path) -> None:
    server.stop()
    with pytest.raises(SourceUnavailableError) as error:
        value(store)
    secrets = (b"12:34", b"12%3A34")
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(secret in kept or secret.decode() in error.value.message for secret in secrets)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://:a,b@localhost"])
def test_an_address_that_cannot_be_used_is_said(url: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="REFUND_RISK_REDIS_URL"):
        FeatureStore(tmp_path, Settings(redis_url=url))
