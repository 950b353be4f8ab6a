import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data_contracts.errors import SourceUnavailableError
from data_contracts.link import EntityType
from data_contracts.tables import TIME
from features.slow import STAMP, States, key_of, slow_features
from risk.settings import Settings
from risk.stores.feature_store import FeatureStore
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.filterwarnings(
    "default::DeprecationWarning:feast",  # Feast's own modules, on import
    "default::DeprecationWarning:ibis",  # ibis 12 calls duckdb 2 by an older name
)

START = datetime(2026, 1, 1, tzinfo=UTC)


Opened = Callable[[], FeatureStore]


@pytest.fixture(params=["sqlite", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens the feature store of one home, its online table in a file and in Redis in turn."""
    settings = Settings()
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        server.empty()
        settings = Settings(redis_url=server.url, redis_timeout_ms=2_000)
    stores: list[FeatureStore] = []

    def open_store() -> FeatureStore:
        stores.append(FeatureStore(tmp_path, settings))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Opened) -> FeatureStore:
    return opened()


def states(kind: EntityType, rows: list[tuple[str, int, float | None]]) -> pl.DataFrame:
    """Entity, day of the stamp and one value that every feature takes."""
    names = [feature.name for feature in slow_features()[kind]]
    frame = pl.DataFrame(rows, schema={key_of(kind): pl.String, "day": pl.Int64, "value": pl.Float64}, orient="row")
    stamp = (pl.lit(START) + pl.duration(days="day")).cast(TIME).alias(STAMP)
    return frame.select(key_of(kind), stamp, *(pl.col("value").alias(name) for name in names)).sort(key_of(kind), STAMP)


def both(sellers: list[tuple[str, int, float | None]], skus: list[tuple[str, int, float | None]]) -> States:
    return {EntityType.SELLER: states(EntityType.SELLER, sellers), EntityType.SKU: states(EntityType.SKU, skus)}


def some_states(seed: int) -> States:
    rng = np.random.default_rng(seed)

    def rows(prefix: str) -> list[tuple[str, int, float | None]]:
        keys = {(f"{prefix}{rng.integers(20)}", int(rng.integers(40))) for _ in range(200)}
        return [(name, day, None if rng.random() < 0.2 else float(rng.integers(100))) for name, day in sorted(keys)]

    return both(rows("seller"), rows("sku"))


def asked(seed: int, number: int) -> pl.DataFrame:
    """Requests, some at midnight, some of nobody, some of several articles."""
    rng = np.random.default_rng(seed)
    rows = []
    for request in range(number):
        as_of = START + timedelta(days=int(rng.integers(-2, 45)), hours=float(rng.choice([0, 0, 7.5, 23.999])))
        seller = None if rng.random() < 0.1 else f"seller{rng.integers(25)}"
        rows += [(f"r{request}", as_of, seller, None if rng.random() < 0.1 else f"sku{rng.integers(25)}") for _ in range(rng.integers(1, 4))]
    return pl.DataFrame(rows, schema={"request_id": pl.String, "as_of": TIME, "seller_id": pl.String, "sku_id": pl.String}, orient="row")


def plain_join(requests: pl.DataFrame, given: States) -> pl.DataFrame:
    """The reference: one asof join for each entity type, then the largest value over a request's articles."""
    found = requests.with_row_index("row").sort("as_of")
    for kind, frame in given.items():
        found = found.join_asof(frame.sort(STAMP), left_on="as_of", right_on=STAMP, by=key_of(kind), check_sortedness=False).drop(STAMP)
    names = [feature.name for features in slow_features().values() for feature in features]
    return found.sort("row").group_by("request_id", maintain_order=True).agg(pl.col(names).max())


def test_the_training_join_equals_a_plain_join_in_time(store: FeatureStore) -> None:
    given, requests = some_states(1), asked(2, 300)
    store.publish(given, online=False)
    assert store.training_join(requests).equals(plain_join(requests, given))


def test_what_is_online_is_the_latest_state(store: FeatureStore) -> None:
    given = some_states(3)
    assert store.publish(given) == {kind.value: frame[key_of(kind)].n_unique() for kind, frame in given.items()}
    latest = {
        kind: {row[key_of(kind)]: row for row in frame.sort(STAMP).unique(key_of(kind), keep="last").to_dicts()} for kind, frame in given.items()
    }
    for number in range(22):
        found = store.online(f"seller{number}", [f"sku{number}"])
        for kind, features in slow_features().items():
            row = latest[kind].get(f"{kind.value}{number}", {})
            assert {each.name: found[each.name] for each in features} == {each.name: row.get(each.name) for each in features}


def test_reading_the_online_table_equals_asking_feast(store: FeatureStore) -> None:
    store.publish(some_states(4))
    names = [feature.name for feature in slow_features()[EntityType.SELLER]]
    ids = [f"seller{number}" for number in range(25)]
    with store._feast() as feast:
        there = feast.get_online_features([f"seller:{name}" for name in names], [{"seller_id": each} for each in ids]).to_dict()
    for place, each in enumerate(ids):
        found = store.online(each, [])
        assert [found[name] for name in names] == [there[name][place] for name in names]


def test_an_older_state_never_overwrites_a_newer_one(store: FeatureStore) -> None:
    store.publish(both([("s", 10, 5.0)], []))
    assert store.publish(both([("s", 3, 1.0), ("new", 3, 2.0)], [])) == {"seller": 1, "sku": 0}
    assert store.online("s", [])["seller_requests_90d"] == 5.0
    assert store.online("new", [])["seller_requests_90d"] == 2.0
    store.publish(both([("s", 11, None), ("new", 11, 3.0)], []))
    assert store.online("s", [])["seller_requests_90d"] is None


def test_states_of_several_nights_are_kept_for_training(store: FeatureStore) -> None:
    for day in (1, 2, 2):
        store.publish(both([("s", day, float(day))], []), online=False)
    requests = pl.DataFrame(
        [(f"r{day}", START + timedelta(days=day, hours=5), "s", None) for day in (0, 1, 2, 3)],
        schema={"request_id": pl.String, "as_of": TIME, "seller_id": pl.String, "sku_id": pl.String},
        orient="row",
    )
    assert store.training_join(requests)["seller_requests_90d"].to_list() == [None, 1.0, 2.0, 2.0]


def test_a_request_of_several_articles_takes_the_largest_value(store: FeatureStore) -> None:
    store.publish(both([], [("a", 1, 2.0), ("b", 1, 7.0), ("c", 1, None)]))
    assert store.online(None, ["a", "b", "c", "unseen"])["sku_requests_90d"] == 7.0
    assert store.online(None, ["c"])["sku_requests_90d"] is None


def test_feast_leaves_the_environment_as_it_was(store: FeatureStore) -> None:
    store.publish(both([], []))
    assert [name for name in os.environ if name.startswith("PROMETHEUS")] == []


def test_before_the_first_publication_every_value_is_null(store: FeatureStore) -> None:
    found = store.online("s", ["a"])
    assert set(found.values()) == {None}
    assert len(found) == sum(map(len, slow_features().values()))


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no database" * 100), lambda path: sqlite3.connect(path).close()])
def test_a_damaged_online_table_is_a_source_that_does_not_answer(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    store = FeatureStore(tmp_path)
    store.folder.mkdir()
    damage(store.folder / "online.db")
    with pytest.raises(SourceUnavailableError, match="online"):
        store.online("s", [])


def test_a_store_that_is_opened_again_holds_what_was_published(opened: Opened) -> None:
    opened().publish(both([("s", 1, 4.0)], []))
    assert opened().online("s", [])["seller_requests_90d"] == 4.0
