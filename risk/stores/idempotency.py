"""Answers by `Idempotency-Key`: bound to caller and payload before the call does anything, kept when it is answered, first answer first.

A crash in between leaves the key bound and unanswered: the same call is then made again, which is safe, since every call has an identity of its own.
"""

from dataclasses import dataclass

from data_contracts.errors import ConflictError
from risk.stores import service_tables
from risk.stores.database import Database

COLUMNS = ("caller", "key", "payload_sha256", "known_us", "status", "body")

_ANSWER = "SELECT payload_sha256, status, body FROM idempotent_answers WHERE caller = ? AND key = ?"
_SETTLE = "UPDATE idempotent_answers SET status = ?, body = ? WHERE caller = ? AND key = ? AND payload_sha256 = ? AND status IS NULL RETURNING key"
_FREE = "DELETE FROM idempotent_answers WHERE caller = ? AND key = ? AND payload_sha256 = ? AND status IS NULL RETURNING key"
_FORGET = "DELETE FROM idempotent_answers WHERE known_us < ? RETURNING key"


@dataclass(frozen=True, slots=True)
class Bound:
    """A key of a caller, with the payload that it stands for (a keyed hash)."""

    caller: str
    key: str
    payload_sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered."""

    status: int
    body: bytes


class Idempotency:
    """The keys and their answers. Each step is one durable transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def bind(self, bound: Bound, now_us: int) -> Kept | None:
        """Take the key for this payload; what was answered to it before, null when nothing was. ConflictError: it stands for another payload."""
        with self.database.writing() as connection:
            row = (bound.caller, bound.key, bound.payload_sha256, now_us, None, None)
            self.database.add_many(connection, service_tables.idempotent_answers, COLUMNS, [row])
            ((payload_sha256, status, body),) = self.database.fetch(connection, _ANSWER, (bound.caller, bound.key))
        if payload_sha256 != bound.payload_sha256:
            message = "this Idempotency-Key was used with another call or payload; send this one under a new key"
            raise ConflictError(message, field="Idempotency-Key")
        return None if status is None else Kept(int(status), bytes(body))

    def settle(self, bound: Bound, answer: Kept) -> Kept:
        """Keep the answer; when the same call was answered meanwhile, that answer stands and comes back."""
        with self.database.writing() as connection:
            self.database.fetch(connection, _SETTLE, (answer.status, answer.body, bound.caller, bound.key, bound.payload_sha256))
            rows = self.database.fetch(connection, _ANSWER, (bound.caller, bound.key))
        same = rows and rows[0][0] == bound.payload_sha256 and rows[0][1] is not None
        return Kept(int(rows[0][1]), bytes(rows[0][2])) if same else answer

    def free(self, bound: Bound) -> None:
        """Give the key back: the call was refused and changed nothing."""
        with self.database.writing() as connection:
            self.database.fetch(connection, _FREE, (bound.caller, bound.key, bound.payload_sha256))

    def forget(self, before_us: int) -> int:
        """Drop keys from before that moment; how many."""
        with self.database.writing() as connection:
            return len(self.database.fetch(connection, _FORGET, (before_us,)))
