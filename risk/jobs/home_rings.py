"""Rings of an installation, from what its own store knows: built with its judgements, named after its last build, and kept for the routes."""

import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from data_contracts.errors import NotFoundError
from data_contracts.link import EntityType
from data_contracts.tables import TIME, schema
from data_contracts.timeline import NEVER, Stream
from graph.rings import build_rings
from risk import clock
from risk.home import POLICY_FILE, open_home
from risk.jobs.build_features import publish_discounts
from risk.settings import read_settings
from risk.stores import tables as stored
from risk.stores.database import Database
from risk.stores.discounts import StoredDiscounts
from risk.stores.links import LABEL_COLUMNS, LINK_COLUMNS
from risk.stores.ring_builds import RingBuilds

TEXT_COLUMNS = ("request_id", "known_us", "body")
REQUEST_COLUMNS = ("event_id", "entity_id", "seller_id", "claim_type", "amount_minor", "occurred_us", "known_us")


@dataclass(frozen=True, slots=True)
class HomeRings:
    """What a build found. `kept` is false when a build of that very moment was kept before; `turns` counts what became of earlier rings."""

    as_of: datetime
    found: int
    listed: int
    early: int
    members: int
    turns: dict[str, int]
    kept: bool


def is_home(folder: Path) -> bool:
    """Whether the folder is the home of an installation and not a data set."""
    return (folder / POLICY_FILE).is_file()


def home_rings(home: Path, as_of: datetime | None = None) -> HomeRings:
    """Build the rings of an installation as of a moment (default: now) and keep the build.

    NotFoundError: there is no installation in that folder. SourceUnavailableError: its database does not answer.
    """
    if not is_home(home):
        message = f"{home} is no home of the service: it has no {POLICY_FILE}; expected the folder that `refund-risk serve --home` was given"
        raise NotFoundError(message, field="home")
    opened = open_home(home, read_settings(os.environ))
    try:
        now = as_of or clock.now()
        return build_from(opened.database, now, StoredDiscounts(opened.folder))
    finally:
        opened.database.close()


def build_from(database: Database, as_of: datetime, discounts: StoredDiscounts | None = None) -> HomeRings:
    """Build from that store, and keep the build in it; what is learned of shared things is kept in `discounts` for the features of the service."""
    builds = RingBuilds(database)
    with database.reading() as connection:
        tables = stored_tables(database, connection)
        said = builds.judgements(connection)
    if discounts is not None:
        publish_discounts(tables, as_of, discounts)
    build = build_rings(tables, as_of, said, builds.before(as_of))
    listed = [ring for ring in build.rings if ring.listed]
    turns = {str(turn): count for turn, count in Counter(step.turn for step in build.steps).items()}
    members = sum(len(ring.members) for ring in listed)
    return HomeRings(as_of, len(build.rings), len(listed), sum(ring.early for ring in build.rings), members, turns, builds.keep(build, clock.now()))


def stored_tables(database: Database, connection: Connection) -> dict[str, pl.DataFrame]:
    """The store's links, labels and requests as contract tables; requests of buyers that nobody named are left out."""
    events = stored.timeline_events.c
    mine = (events.entity_type == EntityType.ACCOUNT.value) & (events.stream == Stream.REQUEST.value) & (events.until_us == NEVER)
    asked = database.frame(connection, select(*(events[name] for name in REQUEST_COLUMNS)).where(mine), _kinds(REQUEST_COLUMNS))
    texts = database.frame(connection, select(*(stored.claim_texts.c[name] for name in TEXT_COLUMNS)), _kinds(TEXT_COLUMNS))
    written = texts.sort("known_us").unique("request_id", keep="last").select(pl.col("request_id").alias("event_id"), text="body")
    asked = asked.join(written, on="event_id", how="left", maintain_order="left")
    return {
        "links": _whole("links", database.frame(connection, select(*(stored.links.c[name] for name in LINK_COLUMNS)), _kinds(LINK_COLUMNS))),
        "labels": _whole("labels", database.frame(connection, select(*(stored.labels.c[name] for name in LABEL_COLUMNS)), _kinds(LABEL_COLUMNS))),
        "refund_requests": _whole("refund_requests", asked.rename({"event_id": "request_id", "entity_id": "account_id"})),
    }


def _kinds(names: tuple[str, ...]) -> pl.Schema:
    return pl.Schema({name: pl.Int64() if name.endswith(("_us", "_minor")) else pl.String() for name in names})


def _whole(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of the contract: times as times, null where the store keeps none."""
    times = [
        pl.col(f"{name}_us").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TIME).alias(f"{name}_at") for name in ("occurred", "known")
    ]
    frame = frame.with_columns(times)
    return frame.select((pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name) for name, kind in schema(table).items())
