"""Slow features in Feast: states of the past for training sets (DuckDB), the newest state for the service (SQLite or Redis).

Training sets and writing go through Feast itself, which takes seconds to import; so the service never imports it. It reads the rows that it
needs from Feast's online table itself (`online_features.py`, `redis_features.py`; a test holds both ways of reading equal).
"""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.link import EntityType
from features.feature_repo.definitions import definitions, offline_file
from features.slow import STAMP, States, key_of, one_value, over_articles, slow_features
from risk.settings import Settings
from risk.stores.online_features import PROJECT, OnlineFeatures, SqliteFeatures

FEAST = {
    "project": PROJECT,
    "provider": "local",
    "offline_store": {"type": "duckdb"},  # the default file store drops rows of the training set whose features are absent
    "entity_key_serialization_version": 3,
}

_METRICS_FOLDERS = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")


class FeatureStore:
    """The slow features of a home: in a folder of it, and the newest ones in Redis where the settings name one. ContractError: no address of one."""

    def __init__(self, home: Path, settings: Settings | None = None) -> None:
        self.folder = home.absolute() / "feature_store"
        self._features = slow_features()
        self._online = self._opened(settings or Settings())

    def publish(self, states: States, *, online: bool = True) -> dict[str, int]:
        """Keep the states for training and, when `online`, bring the service's values up to date; how many were written, by view.

        A state of the same entity and midnight is replaced. An older state never overwrites a newer one online.
        SourceUnavailableError: the online table does not answer.
        """
        written: dict[str, int] = {}
        with self._feast() as store:
            for kind, frame in states.items():
                target = offline_file(self._offline, kind.value)
                kept = pl.concat([pl.read_parquet(target), frame]) if target.exists() else frame
                kept.unique([key_of(kind), STAMP], keep="last", maintain_order=True).write_parquet(target.with_suffix(".new"))
                target.with_suffix(".new").replace(target)
            store.apply(definitions(self._offline))
            for kind, frame in states.items() if online else ():
                newer = self._newer(kind, frame)
                if not newer.is_empty():
                    with self._online.answering():
                        store.write_to_online_store(kind.value, newer.to_pandas())
                written[kind.value] = len(newer)
        if online:
            self._online.mark()
        return written

    def training_join(self, requests: pl.DataFrame) -> pl.DataFrame:
        """request_id and every slow feature, as of the last midnight at or before each request's `as_of`.

        `requests` holds request_id, as_of, seller_id and sku_id, one row for each article of a request. Null: no state by then.
        """
        asked = requests.with_columns(pl.col("as_of").dt.truncate("1d").alias(STAMP))
        with self._feast() as store:
            for kind in self._features:
                key = key_of(kind)
                states = self._historical(store, kind, asked.select(key, STAMP).drop_nulls().unique())
                asked = asked.join(states, on=[key, STAMP], how="left", maintain_order="left")
        wanted = [feature for features in self._features.values() for feature in features]
        return asked.group_by("request_id", maintain_order=True).agg(over_articles(wanted))

    def online(self, seller_id: str | None, sku_ids: Iterable[str]) -> dict[str, float | None]:
        """The newest published value of every slow feature; null: no state yet. SourceUnavailableError: the online table cannot be read."""
        return self.online_each([(seller_id, tuple(sku_ids))])[0]

    def online_each(self, asked: Sequence[tuple[str | None, Sequence[str]]]) -> list[dict[str, float | None]]:
        """The same for several requests, a seller and articles each, read at once."""
        ids = [{EntityType.SELLER: () if seller_id is None else (seller_id,), EntityType.SKU: sku_ids} for seller_id, sku_ids in asked]
        named = {kind: list(dict.fromkeys(name for each in ids for name in each[kind])) for kind in (EntityType.SELLER, EntityType.SKU)}
        rows = {kind: dict(zip(named[kind], found, strict=True)) for kind, found in self._online.read(named).items()}
        return [
            {
                feature.name: one_value(feature, [rows[kind][name].get(feature.name) for name in each[kind]])
                for kind, features in self._features.items()
                for feature in features
            }
            for each in ids
        ]

    def close(self) -> None:
        """Give back the connection to the online table."""
        self._online.close()

    @property
    def _offline(self) -> Path:
        return self.folder / "offline"

    def _opened(self, settings: Settings) -> OnlineFeatures:
        if not settings.redis_url:
            return SqliteFeatures(self.folder / "online.db")
        from risk.stores.redis_features import RedisFeatures  # a tenth of a second that only its users pay

        return RedisFeatures(settings.redis_url, settings.redis_timeout_ms, self._offline)

    @contextmanager
    def _feast(self) -> Iterator[Any]:
        """Feast's own store over the folder, with the warnings that its parts give each other kept out of ours."""
        self._offline.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            feast = _import_feast()
            warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)  # ibis 12 on duckdb 2
            try:
                config = feast.RepoConfig(**FEAST, registry=str(self.folder / "registry.db"), online_store=self._online.feast())
                yield feast.FeatureStore(config=config)
            finally:
                _close_duckdb()

    def _historical(self, store: Any, kind: EntityType, asked: pl.DataFrame) -> pl.DataFrame:  # noqa: ANN401  # Feast ships no types
        names = [feature.name for feature in self._features[kind]]
        if asked.is_empty():
            return asked.with_columns(pl.lit(None, pl.Float64).alias(name) for name in names)
        rows = asked.rename({STAMP: "event_timestamp"}).to_pandas()
        job = store.get_historical_features(entity_df=rows, features=[f"{kind.value}:{name}" for name in names])
        found = pl.DataFrame(job.to_arrow())
        return found.select(key_of(kind), pl.col("event_timestamp").cast(asked.schema[STAMP]).alias(STAMP), *names)

    def _newer(self, kind: EntityType, states: pl.DataFrame) -> pl.DataFrame:
        """The newest state of each entity, where it is newer than the one online."""
        key = key_of(kind)
        newest = states.sort(key, STAMP).unique(key, keep="last", maintain_order=True)
        stamps = self._online.stamps(kind, newest[key].to_list())
        there = pl.DataFrame({key: list(stamps), "online_s": list(stamps.values())}, schema={key: pl.String, "online_s": pl.Int64})
        stale = pl.col("online_s").is_null() | (pl.col(STAMP).dt.epoch("s") > pl.col("online_s"))
        return newest.join(there, on=key, how="left", maintain_order="left").filter(stale).drop("online_s")


def _import_feast() -> Any:  # noqa: ANN401  # Feast ships no types
    """The package, without what its import does to the rest of the process: it would turn our own metrics into files."""
    import prometheus_client  # noqa: F401  # chooses where metrics live when it is imported

    before = {name: os.environ.get(name) for name in _METRICS_FOLDERS}
    import feast

    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
    return feast


def _close_duckdb() -> None:
    """Close the database that Feast asked through ibis; left open, it complains on standard error when the process ends."""
    import ibis

    if ibis.options.default_backend is not None:
        ibis.options.default_backend.disconnect()
        ibis.options.default_backend = None
