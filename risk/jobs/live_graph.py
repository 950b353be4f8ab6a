"""The live graph as of the start of the service, from the links and labels in the store."""

import polars as pl
from sqlalchemy import Connection, select

from data_contracts.link import EntityType
from data_contracts.tables import TIME, schema
from graph.components import LiveComponents
from graph.events import MERGING
from risk.stores import tables as stored
from risk.stores.database import Database
from risk.stores.history import LINK_COLUMNS, History

LABEL_COLUMNS = ("request_id", "value", "source", "occurred_us", "known_us")


def live_components(history: History) -> LiveComponents:
    """Components as they stand after everything that the store knows."""
    database = history.database
    with database.reading() as connection:
        return LiveComponents.of(
            {
                "links": _links(database, connection),
                "labels": _labels(database, connection),
                "refund_requests": _requests(database, connection),
            },
        )


def _links(database: Database, connection: Connection) -> pl.DataFrame:
    """The links that join accounts; the others are of no use to the graph."""
    columns = [stored.links.c[name] for name in LINK_COLUMNS]
    joining = stored.links.c.entity_type.in_([kind.value for kind in MERGING]) & stored.links.c.account_id.is_not(None)
    return _timed(database.frame(connection, select(*columns).where(joining), _kinds(LINK_COLUMNS)), "links")


def _labels(database: Database, connection: Connection) -> pl.DataFrame:
    columns = [stored.labels.c[name] for name in LABEL_COLUMNS]
    return _timed(database.frame(connection, select(*columns), _kinds(LABEL_COLUMNS)), "labels")


def _requests(database: Database, connection: Connection) -> pl.DataFrame:
    """Requests and their buyers, off the accounts' timelines: the latest revision of each."""
    places = stored.request_places.c
    query = select(places.request_id, places.entity_id, places.known_us).where(places.entity_type == EntityType.ACCOUNT.value)
    found = database.frame(connection, query, _kinds(("request_id", "account_id", "known_us")))
    latest = found.sort("known_us").unique("request_id", keep="last", maintain_order=True)
    return latest.select("request_id", "account_id", order_id=pl.lit(None, pl.String), known_at=_time("known_us"))


def _kinds(names: tuple[str, ...]) -> pl.Schema:
    return pl.Schema({name: pl.Int64() if name.endswith("_us") else pl.String() for name in names})


def _timed(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """The columns of the contract, times as times."""
    return frame.with_columns(occurred_at=_time("occurred_us"), known_at=_time("known_us")).select(list(schema(table)))


def _time(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TIME)
