"""What accounts did, in the order of writing: each worker's live neighbours read on from where they were."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import polars as pl
from sqlalchemy import Connection, select

from data_contracts.link import EntityType
from data_contracts.timeline import COLUMNS, Stream
from features.streams import Placed
from risk.stores import tables
from risk.stores.database import Database

TURN_COLUMNS = ("kind", "account_id", "event_id", "occurred_us", "known_us", "amount_minor")
"""Turns in the database, in the order of their columns."""

_AMOUNT = COLUMNS.index("amount_minor")

OPENED = "account"
KINDS = (Stream.REQUEST.value, Stream.ORDER.value)
"""A turn is a refund request, an order, or that the account was opened; `event_id` names the first two, and the account itself."""

Row: TypeAlias = tuple[Any, ...]


def is_turn(entity: EntityType, stream: Stream) -> bool:
    """Whether an event of that timeline is one of an account's turns."""
    return stream in KINDS and entity is EntityType.ACCOUNT


def turns_among(placed: Iterable[Placed]) -> list[Row]:
    """The turns among events, TURN_COLUMNS each."""
    return [(stream.value, entity.id, row[0], row[1], row[2], row[_AMOUNT]) for entity, stream, row in placed if is_turn(entity.type, stream)]


def add_turns(database: Database, connection: Connection, rows: Sequence[Row]) -> None:
    """Tell of them, TURN_COLUMNS each. Needs the transaction that keeps them."""
    database.add_many(connection, tables.account_turns, TURN_COLUMNS, rows)


def turns_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The turns in a frame of timeline events: TURN_COLUMNS, of each event the first that was known."""
    turns = frame.select(*TURN_COLUMNS[2:], kind="stream", account_id="entity_id")
    return turns.select(TURN_COLUMNS).sort("known_us", maintain_order=True).unique(("kind", "event_id"), keep="first", maintain_order=True)


def opened(accounts: pl.DataFrame) -> pl.DataFrame:
    """The turns of accounts that were opened (account_id, occurred_us, known_us)."""
    return accounts.select(
        "account_id", "occurred_us", "known_us", kind=pl.lit(OPENED), event_id="account_id", amount_minor=pl.lit(None, pl.Int64)
    ).select(TURN_COLUMNS)


def all_turns(database: Database, connection: Connection) -> pl.DataFrame:
    """Everything that accounts did, off their timelines: also what was kept before turns were."""
    events, accounts = tables.timeline_events.c, tables.accounts.c
    names = ("stream", "entity_id", "event_id", "occurred_us", "known_us", "amount_minor")
    query = select(*(events[name] for name in names)).where(events.entity_type == EntityType.ACCOUNT.value, events.stream.in_(KINDS))
    told = database.frame(connection, query, _kinds(names))
    query = select(accounts.account_id, accounts.occurred_us, accounts.known_us)
    return pl.concat([turns_of(told), opened(database.frame(connection, query, _kinds(("account_id", "occurred_us", "known_us"))))])


def _kinds(names: Iterable[str]) -> pl.Schema:
    return pl.Schema({name: pl.Int64() if name.endswith(("_us", "_minor")) else pl.String() for name in names})


class TurnFeed:
    """The turns that came since it was last asked."""

    def __init__(self, database: Database, turn_no: int) -> None:
        self._database, self._last = database, turn_no

    @classmethod
    def at_the_end(cls, database: Database, connection: Connection) -> "TurnFeed":
        """From after the last one that this transaction sees."""
        return cls(database, database.fetch(connection, "SELECT COALESCE(MAX(turn_no), 0) FROM account_turns", ())[0][0])

    def news(self, connection: Connection) -> list[Row]:
        """New turns in the order of writing, TURN_COLUMNS each."""
        rows = self._database.fetch(connection, _NEW, (self._last,))
        if rows:
            self._last = rows[-1][-1]
        return [row[:-1] for row in rows]


_NEW = f"SELECT {', '.join(TURN_COLUMNS)}, turn_no FROM account_turns WHERE turn_no > ? ORDER BY turn_no"  # noqa: S608  # our own column names
