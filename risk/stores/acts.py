"""Acts: that an account asked, bought or was opened. What the live graph knows of neighbours is counted from these, links and labels."""

from collections.abc import Iterable
from typing import TypeAlias

import polars as pl
from sqlalchemy import Connection, literal, null, select

from data_contracts.link import EntityType
from data_contracts.request import Account
from data_contracts.timeline import COLUMNS, Stream
from features.streams import Placed, micros
from risk.stores import tables
from risk.stores.database import Database

ACT_COLUMNS = ("kind", "account_id", "event_id", "occurred_us", "known_us", "amount_minor")

_AMOUNT = COLUMNS.index("amount_minor")

OPENED = "account"
KINDS = (Stream.REQUEST.value, Stream.ORDER.value)
"""An act is a refund request, an order, or that the account was opened; `event_id` names the first two, and the account itself."""

Act: TypeAlias = tuple[str, str, str, int, int, int | None]
"""In the order of ACT_COLUMNS."""


def acts_among(placed: Iterable[Placed]) -> list[Act]:
    """The acts among events."""
    return [
        (stream.value, entity.id, row[0], row[1], row[2], row[_AMOUNT])
        for entity, stream, row in placed
        if entity.type is EntityType.ACCOUNT and stream in KINDS
    ]


def opening(account: Account) -> Act:
    """That the account was opened."""
    return (OPENED, account.account_id, account.account_id, micros(account.occurred_at), micros(account.known_at), None)


def all_acts(database: Database, connection: Connection) -> pl.DataFrame:
    """Everything that accounts did, off their timelines: ACT_COLUMNS, of each event the first that was known."""
    events, accounts = tables.timeline_events.c, tables.accounts.c
    columns = (events.stream, events.entity_id, events.event_id, events.occurred_us, events.known_us, events.amount_minor)
    query = select(*columns).where(events.entity_type == EntityType.ACCOUNT.value, events.stream.in_(KINDS))
    told = database.frame(connection, query, _SCHEMA).sort("known_us", maintain_order=True)
    query = select(literal(OPENED), accounts.account_id, accounts.account_id.label("itself"), accounts.occurred_us, accounts.known_us, null())
    return pl.concat([told.unique(("kind", "event_id"), keep="first", maintain_order=True), database.frame(connection, query, _SCHEMA)])


_SCHEMA = pl.Schema({name: pl.Int64() if name.endswith(("_us", "_minor")) else pl.String() for name in ACT_COLUMNS})
