"""Slow features in Feast: states of the past for training sets (DuckDB), the newest state for the service (SQLite).

Training sets and writing go through Feast itself, which takes seconds to import; so the service never imports it. It reads the one row that it
needs from Feast's online table in a few microseconds (a test holds both ways of reading equal).
"""

import os
import sqlite3
import struct
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from string import Template
from threading import Lock
from typing import Any

import polars as pl

from data_contracts.errors import SourceUnavailableError
from data_contracts.link import EntityType
from features.feature_repo.definitions import definitions, offline_file
from features.slow import STAMP, States, key_of, one_value, over_articles, slow_features

_METRICS_FOLDERS = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")
_STRING = 2  # Feast's ValueType.STRING
_DOUBLE_TAG = 0x29  # protobuf: field 5 (double_val) of feast.types.Value, eight bytes follow


class FeatureStore:
    """The slow features kept under a folder of the service's home."""

    def __init__(self, home: Path) -> None:
        self.folder = home.absolute() / "feature_store"
        self._features = slow_features()
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()

    def publish(self, states: States, *, online: bool = True) -> dict[str, int]:
        """Keep the states for training and, when `online`, bring the service's values up to date; how many were written, by view.

        A state of the same entity and midnight is replaced. An older state never overwrites a newer one online.
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
                    store.write_to_online_store(kind.value, newer.to_pandas())
                written[kind.value] = len(newer)
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
        ids = {EntityType.SELLER: () if seller_id is None else (seller_id,), EntityType.SKU: tuple(sku_ids)}
        found: dict[str, float | None] = {}
        try:
            with self._lock:
                for kind, features in self._features.items():
                    rows = [self._read(kind, name) for name in ids[kind]]
                    found |= {each.name: one_value(each, (row.get(each.name) for row in rows)) for each in features}
        except sqlite3.Error as error:
            message = f"the online features in {self._online_file} cannot be read: {error}; publish them again"
            raise SourceUnavailableError(message) from error
        return found

    @property
    def _offline(self) -> Path:
        return self.folder / "offline"

    @property
    def _online_file(self) -> Path:
        return self.folder / "online.db"

    @contextmanager
    def _feast(self) -> Iterator[Any]:
        """Feast's own store over the folder, with the warnings that its parts give each other kept out of ours."""
        self._offline.mkdir(parents=True, exist_ok=True)
        settings = Template(files("features.feature_repo").joinpath("feature_store.yaml").read_text(encoding="utf-8"))
        (self.folder / "feature_store.yaml").write_text(settings.substitute(home=self.folder), encoding="utf-8")
        with warnings.catch_warnings():
            feast = _import_feast()
            warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)  # ibis 12 on duckdb 2
            try:
                yield feast.FeatureStore(repo_path=str(self.folder))
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
        with self._lock:
            connection = self._connected()
            rows = [] if connection is None else connection.execute(f"SELECT entity_key, MAX(event_ts) FROM {_table(kind)} GROUP BY 1").fetchall()  # noqa: S608  # the table's name is ours
        prefix = len(_entity_key(key, ""))
        there = pl.DataFrame(
            {key: [bytes(name[prefix:]).decode() for name, _ in rows], "online_s": [seconds for _, seconds in rows]},
            schema={key: pl.String, "online_s": pl.Int64},
        )
        stale = pl.col("online_s").is_null() | (pl.col(STAMP).dt.epoch("s") > pl.col("online_s"))
        return newest.join(there, on=key, how="left", maintain_order="left").filter(stale).drop("online_s")

    def _read(self, kind: EntityType, name: str) -> dict[str, float | None]:
        connection = self._connected()
        if connection is None:
            return {}
        query = f"SELECT feature_name, value FROM {_table(kind)} WHERE entity_key = ?"  # noqa: S608  # the table's name is ours
        return {feature: _number(value) for feature, value in connection.execute(query, (_entity_key(key_of(kind), name),))}

    def _connected(self) -> sqlite3.Connection | None:
        """The online table for reading; null before the first publication."""
        if self._connection is None and self._online_file.exists():
            self._connection = sqlite3.connect(f"file:{self._online_file}?mode=ro", uri=True, check_same_thread=False)
        return self._connection


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


def _table(kind: EntityType) -> str:
    """Feast's online table: project and view."""
    return f"refund_risk_{kind.value}"


def _entity_key(key: str, value: str) -> bytes:
    """An entity as Feast writes it (its serialization version 3): one string key, one string value."""
    name, text = key.encode(), value.encode()
    return struct.pack("<III", 1, _STRING, len(name)) + name + struct.pack("<II", _STRING, len(text)) + text


def _number(value: bytes) -> float | None:
    """A double in Feast's protobuf; empty is null."""
    if not value:
        return None
    if value[0] != _DOUBLE_TAG:
        message = f"an online feature holds {value.hex()}, expected a double; publish the features again"
        raise SourceUnavailableError(message)
    found: float = struct.unpack("<d", value[1:9])[0]
    return found
