"""The outbox: what is to be told to whom, written in the transaction of what it tells of, so that neither is there without the other."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy import Connection

from features.streams import micros
from risk.stores import service_tables
from risk.stores.database import Database

FRESH_S = 2.0
"""How long a worker goes on by the endpoints that it knows: an endpoint hears of what happens two seconds after it was added."""


class Kind(StrEnum):
    """What one can be told of: every decision that a call got; the final one after a provisional one; what people said of an appeal."""

    MADE = "decision.made"
    FINAL = "decision.final"
    VERDICT = "appeal.verdict"


DEFAULT = (Kind.FINAL, Kind.VERDICT)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told of what. `removed_us` is null while it is in use."""

    endpoint_id: str
    url: str
    kinds: tuple[str, ...]
    made_us: int
    removed_us: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to be told to one endpoint. `failure`: what went wrong last, null for nothing; `dead_us`: when it was given up."""

    message_id: str
    endpoint_id: str
    kind: str
    body: bytes
    made_us: int
    attempts: int
    next_us: int
    dead_us: int | None
    failure: str | None


COLUMNS = ("message_id", "endpoint_id", "kind", "body", "made_us", "attempts", "next_us", "dead_us", "failure")
_COLUMNS = ", ".join(COLUMNS)
_OPEN = "delivered_us IS NULL AND dead_us IS NULL"
_DUE = f"{_OPEN} AND next_us <= ? AND claimed_until_us <= ?"
_WAITING = f"SELECT DISTINCT endpoint_id FROM webhook_messages WHERE {_DUE}"  # noqa: S608  # our own words
_CLAIM = (
    "UPDATE webhook_messages SET claimed_until_us = ?, attempts = attempts + 1 WHERE message_id IN"  # noqa: S608  # our own words
    f" (SELECT message_id FROM webhook_messages WHERE endpoint_id = ? AND {_DUE} ORDER BY next_us, message_id LIMIT ?) RETURNING {_COLUMNS}"
)
_DELIVERED = "UPDATE webhook_messages SET delivered_us = ?, claimed_until_us = 0, failure = NULL WHERE message_id = ? RETURNING message_id"
_FAILED = (
    "UPDATE webhook_messages SET next_us = ?, dead_us = ?, failure = ?, claimed_until_us = 0"
    " WHERE message_id = ? AND delivered_us IS NULL RETURNING message_id"
)
_AGAIN = (
    "UPDATE webhook_messages SET dead_us = NULL, next_us = ?, attempts = 0, claimed_until_us = 0"
    " WHERE dead_us IS NOT NULL AND message_id = ? RETURNING message_id"
)
_DEAD = f"SELECT {_COLUMNS} FROM webhook_messages WHERE dead_us IS NOT NULL ORDER BY dead_us, message_id LIMIT ?"  # noqa: S608  # our own words
_REMOVE = "UPDATE webhook_endpoints SET removed_us = ? WHERE endpoint_id = ? AND removed_us IS NULL RETURNING endpoint_id"
_ORPHANS = f"UPDATE webhook_messages SET dead_us = ?, failure = 'the endpoint was removed' WHERE endpoint_id = ? AND {_OPEN} RETURNING message_id"  # noqa: S608  # as above
_FORGET = "DELETE FROM webhook_messages WHERE delivered_us < ? OR dead_us < ? RETURNING message_id"


class Outbox:
    """Endpoints and messages."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: tuple[Endpoint, ...] = ()
        self._read_at: float | None = None

    def tell(self, connection: Connection, kind: Kind, subject: str, data: Mapping[str, object], at: datetime) -> None:
        """Write a message for everyone who wants to be told of that. `subject` names what it is about, so that it is told once."""
        wanting = [each for each in self._endpoints(connection) if kind in each.kinds]
        if not wanting:
            return
        body = msgspec.json.encode({"type": kind, "timestamp": at, "data": data})
        rows = [(_id(each, kind, subject), each.endpoint_id, kind.value, body, micros(at), 0, 0, 0) for each in wanting]
        columns = ("message_id", "endpoint_id", "kind", "body", "made_us", "attempts", "next_us", "claimed_until_us")
        self.database.add_many(connection, service_tables.webhook_messages, columns, rows)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Those in use, the oldest first."""
        with self.database.reading() as connection:
            return self._read(connection)

    def add(self, endpoint: Endpoint) -> None:
        """Keep an endpoint."""
        row = (endpoint.endpoint_id, endpoint.url, " ".join(endpoint.kinds), endpoint.made_us, None)
        with self.database.writing() as connection:
            self.database.add(connection, service_tables.webhook_endpoints, ("endpoint_id", "url", "kinds", "made_us", "removed_us"), row)

    def remove(self, endpoint_id: str, now_us: int) -> bool:
        """Tell it nothing any more; what waits for it is dead. False: there is none of that id in use."""
        with self.database.writing() as connection:
            self.database.fetch(connection, _ORPHANS, (now_us, endpoint_id))
            return bool(self.database.fetch(connection, _REMOVE, (now_us, endpoint_id)))

    def waiting(self, now_us: int) -> set[str]:
        """The endpoints for which something is due that nobody sends."""
        with self.database.reading() as connection:
            return {endpoint_id for (endpoint_id,) in self.database.fetch(connection, _WAITING, (now_us, now_us))}

    def claim(self, endpoint_id: str, now_us: int, until_us: int, most: int) -> list[Message]:
        """Take due messages of an endpoint to oneself, at most so many; each is one attempt more."""
        with self.database.writing() as connection:
            rows = self.database.fetch(connection, _CLAIM, (until_us, endpoint_id, now_us, now_us, most))
        return sorted((_message(row) for row in rows), key=lambda each: each.next_us)

    def delivered(self, message_id: str, now_us: int) -> None:
        """It was received."""
        with self.database.writing() as connection:
            self.database.fetch(connection, _DELIVERED, (now_us, message_id))

    def failed(self, message_id: str, failure: str, next_us: int, dead_us: int | None) -> None:
        """It was not received: it is due again then, or given up."""
        with self.database.writing() as connection:
            self.database.fetch(connection, _FAILED, (next_us, dead_us, failure, message_id))

    def dead(self, most: int) -> list[Message]:
        """What was given up, the longest ago first."""
        with self.database.reading() as connection:
            return [_message(row) for row in self.database.fetch(connection, _DEAD, (most,))]

    def again(self, message_ids: Iterable[str], now_us: int) -> int:
        """Send what was given up once more, from the first attempt on; how many there were."""
        with self.database.writing() as connection:
            return sum(bool(self.database.fetch(connection, _AGAIN, (now_us, message_id))) for message_id in message_ids)

    def forget(self, delivered_before_us: int, dead_before_us: int) -> int:
        """Drop what was delivered or given up long ago; how many."""
        with self.database.writing() as connection:
            return len(self.database.fetch(connection, _FORGET, (delivered_before_us, dead_before_us)))

    def _endpoints(self, connection: Connection) -> tuple[Endpoint, ...]:
        """Those in use, as read at most FRESH_S ago: every decision asks."""
        if self._read_at is None or monotonic() - self._read_at > FRESH_S:
            self._known, self._read_at = self._read(connection), monotonic()
        return self._known

    def _read(self, connection: Connection) -> tuple[Endpoint, ...]:
        query = "SELECT endpoint_id, url, kinds, made_us, removed_us FROM webhook_endpoints WHERE removed_us IS NULL ORDER BY made_us, endpoint_id"
        rows = self.database.fetch(connection, query, ())
        return tuple(Endpoint(row[0], row[1], tuple(row[2].split()), row[3], row[4]) for row in rows)


def _id(endpoint: Endpoint, kind: Kind, subject: str) -> str:
    """The same for the same thing told to the same endpoint: a receiver drops the second."""
    return "msg_" + hashlib.sha256(f"{endpoint.endpoint_id}|{kind}|{subject}".encode()).hexdigest()[:32]


def _message(row: tuple[Any, ...]) -> Message:
    named = dict(zip(COLUMNS, row, strict=True))
    return Message(**{**named, "body": bytes(named["body"])})
