"""Load a data set into the store, so that the service knows the past: timelines, orders, scans, links, labels, analysts' words.

Loading it twice changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from os import environ
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import Connection, Table, select

from data_contracts.link import EntityType
from data_contracts.timeline import COLUMNS, Stream
from features.projection import Projection, currency_of
from features.reach import LOOK_BACK
from features.streams import micros
from graph.judgements import FILE, read
from risk import clock
from risk.home import open_home
from risk.ingest import REFUND_COLUMNS
from risk.jobs.build_features import publish_discounts, publish_slow
from risk.jobs.read_tables import read_tables
from risk.settings import read_settings
from risk.stores import tables as stored
from risk.stores.database import Database
from risk.stores.discounts import StoredDiscounts
from risk.stores.feature_store import FeatureStore
from risk.stores.history import EVENT_COLUMNS, moment
from risk.stores.links import LABEL_COLUMNS, LINK_COLUMNS, StoredLinks
from risk.stores.ring_builds import RingBuilds
from risk.stores.service_tables import refunds
from risk.stores.turns import tell_all

CHUNK = 100_000
"""Rows that are turned into Python values at once: large enough for speed, small enough for memory."""

Tables = Mapping[str, pl.DataFrame]


def load_history(folder: Path, home: Path, until: datetime | None = None) -> dict[str, object]:
    """Load the data set into the store of that home; only what was known before `until`, when it is given. What was loaded comes back."""
    settings = read_settings(environ)
    opened = open_home(home, settings)
    tables = known_before(read_tables(folder), until)
    try:
        counts = load_tables(tables, opened.database, opened.currency or currency_of(tables))
        said = [each for each in read(folder / FILE) if until is None or each.at < until]
        counts["judgements"] = RingBuilds(opened.database).add_new(said)
    finally:
        opened.database.close()
    newest_us = newest_known_us(tables)
    published = publish_slow(tables, moment(newest_us), FeatureStore(home, settings)) if newest_us else {}
    if newest_us:
        publish_discounts(tables, moment(newest_us), StoredDiscounts(home), anew=True)
    return {"home": str(home), **counts, "slow_features": sum(published.values())}


def _latest(frame: pl.DataFrame) -> datetime | None:
    """When the last row of a table became known."""
    if "known_at" not in frame.columns or frame.is_empty():
        return None
    latest = frame["known_at"].max()
    return latest if isinstance(latest, datetime) else None


def known_before(tables: Tables, until: datetime | None) -> Tables:
    """The tables without what became known at or after that moment."""
    if until is None:
        return tables
    return {name: frame.filter(pl.col("known_at") < until) if "known_at" in frame.columns else frame for name, frame in tables.items()}


def load_tables(tables: Tables, database: Database, currency: str | None, *, replayable: bool = False) -> dict[str, int]:
    """Load tables, all or nothing; how many rows of each kind were looked at comes back.

    Requests to come ask no earlier than the newest row, so events that have left every window by then are left out, unless it is to be `replayable`.
    """
    counts: dict[str, int] = {}
    projection = Projection(tables, currency)
    with database.writing() as connection:

        def add(table: Table, columns: Sequence[str], frame: pl.DataFrame) -> None:
            counts[table.name] = counts.get(table.name, 0) + frame.height
            told = [name for name in columns if frame[name].null_count() < frame.height]  # binding nulls takes as long as binding values
            for part in frame.select(told).iter_slices(CHUNK):
                database.add_many(connection, table, told, part.rows())

        newest_us = 0 if replayable else newest_known_us(tables)
        for (entity, stream), look_back_us in LOOK_BACK.items():
            if stream is Stream.LINK:  # read off the links themselves
                continue
            events = _events(projection, entity, stream, 0 if look_back_us is None else newest_us - look_back_us)
            add(stored.timeline_events, EVENT_COLUMNS, events)
            if stream is Stream.REQUEST:
                add(
                    stored.request_places,
                    PLACE_COLUMNS,
                    events.select(pl.col("event_id").alias("request_id"), "entity_type", "entity_id", "known_us"),
                )
        for table, columns, frame in _records(tables, database, connection):
            add(table, columns, frame)
        StoredLinks(database, connection).mark_all()
        tell_all(database, connection, newest_known_us(tables))
        for part in _orders(tables):
            counts["orders"] = counts.get("orders", 0) + len(part)
            database.add_many(connection, stored.orders, ("order_id", "known_us", "body"), part)
        now_us = micros(clock.now())
        database.add_many(connection, stored.sources, ("name", "since_us"), [(name, now_us) for name in sorted(tables) if name != "truth"])
    return counts


PLACE_COLUMNS = ("request_id", "entity_type", "entity_id", "known_us")


def newest_known_us(tables: Tables) -> int:
    """When the newest row of the tables became known; 0 when they have none."""
    latest = [latest for latest in (_latest(frame) for frame in tables.values()) if latest is not None]
    return micros(max(latest)) if latest else 0


def _events(projection: Projection, entity: EntityType, stream: Stream, since_us: int) -> pl.DataFrame:
    """The events of a stream known since then, in the order of the store's key, which is how a clustered table fills fastest."""
    events = projection.events(entity, stream, COLUMNS).filter(pl.col("known_us") >= since_us)
    named = events.with_columns(entity_type=pl.lit(entity.value), stream=pl.lit(stream.value))
    return named.sort("entity_id", "known_us", "event_id").select(EVENT_COLUMNS)


def _new(table: Table, frame: pl.DataFrame, key: Sequence[str], database: Database, connection: Connection) -> pl.DataFrame:
    """The rows whose key is not stored yet, each once."""
    there = database.frame(connection, select(*(table.c[name] for name in key)), frame.select(key).schema)
    return frame.unique(key, keep="first", maintain_order=True).join(there, on=key, how="anti", nulls_equal=True, maintain_order="left")


def _records(tables: Tables, database: Database, connection: Connection) -> Iterator[tuple[Table, Sequence[str], pl.DataFrame]]:
    """The tables that are kept nearly as they are."""
    times = (pl.col("occurred_at").dt.epoch("us").alias("occurred_us"), pl.col("known_at").dt.epoch("us").alias("known_us"))
    if "accounts" in tables:
        yield stored.accounts, ("account_id", "occurred_us", "known_us"), tables["accounts"].with_columns(times)
    if "deliveries" in tables:
        yield stored.deliveries, ("order_id", "status", "occurred_us", "known_us"), tables["deliveries"].with_columns(times)
    if "refunds" in tables:
        yield refunds, REFUND_COLUMNS, tables["refunds"].with_columns(times)
    if "labels" in tables:
        yield stored.labels, LABEL_COLUMNS, tables["labels"].with_columns(times)
    said = tables["refund_requests"].filter(pl.col("text").is_not_null())
    texts = said.select("request_id", pl.col("known_at").dt.epoch("us").alias("known_us"), body="text")
    yield stored.claim_texts, ("request_id", "known_us", "body"), _new(stored.claim_texts, texts, ("request_id", "known_us"), database, connection)
    if "links" in tables:
        links = tables["links"].with_columns(times).select(LINK_COLUMNS)
        yield stored.links, LINK_COLUMNS, _new(stored.links, links, LINK_COLUMNS, database, connection)
    for name, kind in (("skus", EntityType.SKU), ("sellers", EntityType.SELLER)):
        if name in tables:
            named = tables[name].filter(pl.col("category").is_not_null())
            yield (
                stored.categories,
                ("entity_type", "entity_id", "category"),
                named.select(
                    entity_type=pl.lit(kind.value),
                    entity_id=pl.col(f"{kind.value}_id"),
                    category="category",
                ),
            )


def _orders(tables: Tables) -> Iterator[list[tuple[Any, ...]]]:
    """Orders with their lines, as JSON of the contracts."""
    if "orders" not in tables:
        return
    lines: dict[str, list[dict[str, Any]]] = {}
    if "order_lines" in tables:
        for line in tables["order_lines"].sort("order_id", "line_no").iter_rows(named=True):
            counts = line["counts"]
            line["counts"] = None if counts is None else {part["attribute"]: part["count"] for part in counts}
            lines.setdefault(line["order_id"], []).append(line)
    for part in tables["orders"].iter_slices(CHUNK):
        yield [
            (order["order_id"], micros(order["known_at"]), msgspec.json.encode({"order": order, "lines": lines.get(order["order_id"], [])}))
            for order in part.iter_rows(named=True)
        ]
