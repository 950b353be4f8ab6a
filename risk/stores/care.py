"""Care for what people gave: legal holds, what was purged, and who read which evidence.

Reads and writes go into a connection that the caller opened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from data_contracts.errors import NotFoundError
from features.streams import micros
from risk.stores import tables
from risk.stores.database import Database
from risk.stores.history import moment

GONE = (
    "EXISTS (SELECT 1 FROM evidence_purges p WHERE p.sha256 = f.sha256"
    " AND p.uploads = (SELECT COUNT(*) FROM evidence_uploads c WHERE c.sha256 = f.sha256))"
)
"""Whether the bytes of the file `f` were purged and did not come again since."""

TEXTS = {
    "claim_texts": (
        "SELECT request_id, request_id, known_us FROM claim_texts WHERE known_us < ?",
        "DELETE FROM claim_texts WHERE request_id = ? AND known_us = ? RETURNING request_id",
    ),
    "appeal_words": (
        "SELECT a.request_id, w.appeal_id, w.verdict_no FROM appeal_words w JOIN appeals a ON a.appeal_id = w.appeal_id WHERE w.known_us < ?",
        "DELETE FROM appeal_words WHERE appeal_id = ? AND verdict_no = ? RETURNING appeal_id",
    ),
}
"""Tables of people's words: which are old (their request, then their key), and how one is deleted."""

FORCE = "released_us IS NULL AND (until_us IS NULL OR until_us > ?)"


class Subject(StrEnum):
    """What a legal hold is on: all that one request showed and said, one file, or all requests of an account."""

    REQUEST = "request"
    FILE = "file"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold. until: null is until somebody releases it; released and what stands beside it: null while nobody did."""

    hold_no: int
    subject: Subject
    subject_id: str
    held_by: str
    why: str
    made: datetime
    until: datetime | None
    released: datetime | None
    released_by: str | None
    released_why: str | None


@dataclass(frozen=True, slots=True)
class Read:
    """That somebody was given a file, or what was measured in it. why: null where no reason was asked for."""

    reader: str
    what: str
    why: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What is held: files and requests."""

    files: frozenset[str]
    requests: frozenset[str]


class Care:
    """The rows of holds, purges and reads."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add_hold(self, connection: Connection, hold: Hold) -> int:
        """Keep a hold; its number."""
        statement = "INSERT INTO legal_holds (subject, subject_id, held_by, why, made_us, until_us) VALUES (?, ?, ?, ?, ?, ?) RETURNING hold_no"
        until_us = None if hold.until is None else micros(hold.until)
        row = (hold.subject.value, hold.subject_id, hold.held_by, hold.why, micros(hold.made), until_us)
        return int(self.database.fetch(connection, statement, row)[0][0])

    def release(self, connection: Connection, hold_no: int, by: str, why: str, now_us: int) -> None:
        """End a hold. NotFoundError: there is none of that number that holds."""
        statement = f"UPDATE legal_holds SET released_us = ?, released_by = ?, released_why = ? WHERE hold_no = ? AND {FORCE} RETURNING hold_no"  # noqa: S608  # our own words
        if not self.database.fetch(connection, statement, (now_us, by, why, hold_no, now_us)):
            message = f"no hold {hold_no} is in force; `refund-risk hold list` shows them"
            raise NotFoundError(message, field="hold_no")

    def holds(self, connection: Connection) -> list[Hold]:
        """Every hold that ever was, the oldest first."""
        columns = "hold_no, subject, subject_id, held_by, why, made_us, until_us, released_us, released_by, released_why"
        rows = self.database.fetch(connection, f"SELECT {columns} FROM legal_holds ORDER BY hold_no", ())  # noqa: S608  # our own words
        return [_hold(*row) for row in rows]

    def held(self, connection: Connection, now_us: int) -> Held:
        """What holds in force keep from being purged."""
        rows = self.database.fetch(connection, f"SELECT subject, subject_id FROM legal_holds WHERE {FORCE}", (now_us,))  # noqa: S608  # our own words
        subjects = {subject: [(name,) for kind, name in rows if kind == subject.value] for subject in Subject}
        places = "SELECT request_id FROM request_places WHERE entity_type = 'account' AND entity_id = ?"
        of_accounts = self._each(connection, places, subjects[Subject.ACCOUNT])
        requests = frozenset(name for (name,) in subjects[Subject.REQUEST]) | of_accounts
        shown = self._each(connection, "SELECT sha256 FROM evidence_uses WHERE request_id = ?", [(name,) for name in sorted(requests)])
        shown |= self._each(connection, "SELECT sha256 FROM evidence_uses WHERE account_id = ?", subjects[Subject.ACCOUNT])
        return Held(frozenset(name for (name,) in subjects[Subject.FILE]) | shown, requests)

    def due_files(self, connection: Connection, before_us: int, after: str, most: int) -> list[tuple[str, int]]:
        """Evidence that was neither sent nor shown since that moment and is still there: sha256 and bytes, in order, from behind `after` on."""
        query = (
            "SELECT f.sha256, f.size_bytes FROM evidence_files f WHERE f.sha256 > ? AND f.origin IS NULL AND f.known_us < ?"  # noqa: S608  # our own words
            " AND NOT EXISTS (SELECT 1 FROM evidence_uploads u WHERE u.sha256 = f.sha256 AND u.known_us >= ?)"
            " AND NOT EXISTS (SELECT 1 FROM evidence_uses s WHERE s.sha256 = f.sha256 AND s.known_us >= ?)"
            f" AND NOT {GONE} ORDER BY f.sha256 LIMIT ?"
        )
        return [(sha256, size) for sha256, size in self.database.fetch(connection, query, (after, before_us, before_us, before_us, most))]

    def due_texts(self, connection: Connection, kind: str, before_us: int, held: Held) -> list[tuple[Any, ...]]:
        """Texts of a kind from before that moment that nothing holds: their keys."""
        rows = self.database.fetch(connection, TEXTS[kind][0], (before_us,))
        return [tuple(key) for request_id, *key in rows if request_id not in held.requests]

    def forget_texts(self, connection: Connection, kind: str, keys: Sequence[tuple[Any, ...]]) -> None:
        """Delete texts of a kind."""
        self.database.fetch_each(connection, TEXTS[kind][1], keys)

    def begin_purge(self, connection: Connection, shas: Iterable[str], why: str, now_us: int) -> None:
        """Note that the bytes of these files are deleted; from now on nobody gets them."""
        query = "SELECT COUNT(*) FROM evidence_uploads WHERE sha256 = ?"
        rows = [(sha256, self.database.fetch(connection, query, (sha256,))[0][0], why, now_us) for sha256 in shas]
        self.database.add_many(connection, tables.evidence_purges, ("sha256", "uploads", "why", "purged_us"), rows)

    def unfinished(self, connection: Connection) -> list[str]:
        """Files of which a purge was begun and not finished."""
        return [sha256 for (sha256,) in self.database.fetch(connection, "SELECT sha256 FROM evidence_purges WHERE done_us IS NULL", ())]

    def finish_purge(self, connection: Connection, shas: Sequence[str], now_us: int) -> None:
        """Note that their bytes are gone."""
        statement = "UPDATE evidence_purges SET done_us = ? WHERE sha256 = ? AND done_us IS NULL RETURNING sha256"
        self.database.fetch_each(connection, statement, [(now_us, sha256) for sha256 in shas])

    def being_purged(self, connection: Connection, sha256: str) -> bool:
        """Whether its bytes are being deleted right now."""
        return bool(self.database.fetch(connection, "SELECT 1 FROM evidence_purges WHERE sha256 = ? AND done_us IS NULL", (sha256,)))

    def purged(self, connection: Connection, sha256: str) -> tuple[datetime, str] | None:
        """When its bytes were deleted, and why; null: they are there, or came again."""
        query = f"SELECT 1 FROM evidence_files f WHERE f.sha256 = ? AND {GONE}"  # noqa: S608  # our own words
        if not self.database.fetch(connection, query, (sha256,)):
            return None
        query = "SELECT purged_us, why FROM evidence_purges WHERE sha256 = ? ORDER BY purge_no DESC LIMIT 1"
        ((purged_us, why),) = self.database.fetch(connection, query, (sha256,))
        return moment(purged_us), why

    def note_read(self, connection: Connection, sha256: str, read: Read) -> None:
        """Note that somebody is given a file, before she is."""
        row = (sha256, read.reader, read.what, read.why, micros(read.at))
        self.database.add(connection, tables.evidence_reads, ("sha256", "reader", "what", "why", "known_us"), row)

    def reads(self, connection: Connection, sha256: str) -> list[Read]:
        """Who was given a file, the first one first."""
        query = "SELECT reader, what, why, known_us FROM evidence_reads WHERE sha256 = ? ORDER BY read_no"
        return [Read(reader, what, why, moment(known_us)) for reader, what, why, known_us in self.database.fetch(connection, query, (sha256,))]

    def _each(self, connection: Connection, query: str, sets: Sequence[tuple[str]]) -> frozenset[str]:
        return frozenset(found for rows in self.database.fetch_each(connection, query, sets) for (found,) in rows)


def _hold(number: int, subject: str, *row: Any) -> Hold:  # noqa: ANN401  # the columns of a row
    """A hold from its columns."""
    subject_id, held_by, why, made_us, until_us, released_us, released_by, released_why = row
    ends = (_moment(until_us), _moment(released_us), released_by, released_why)
    return Hold(number, Subject(subject), subject_id, held_by, why, moment(made_us), *ends)


def _moment(us: int | None) -> datetime | None:
    return None if us is None else moment(us)
