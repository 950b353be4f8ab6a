"""Timelines in memory, exactly as they stand in the store: read once, kept up with what this worker decides, dropped when somebody else wrote there.

Every writer notes which entities it touched, in the transaction that wrote. Whoever reads takes note of that first, within the transaction of its
reads; so what is kept and what is read are of one moment, however many workers write.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from secrets import token_bytes
from typing import Any
from zlib import crc32

import numpy as np
from sqlalchemy import Connection

from data_contracts.timeline import COLUMNS, NO_EVENTS, TIMELINE_LIMIT, Entity, Marked, Marks, Stream, marks_of
from features.streams import Placed
from risk.stores import tables
from risk.stores.database import Database

Key = tuple[Entity, Stream]
"""Names a timeline."""

SIGNATURE_BYTES = 8
NOBODY = bytes(SIGNATURE_BYTES)
"""Signs what no worker keeps up with in its own memory."""

SPARE = 64
"""Events read beyond the limit: so many may be newer than a question, because another worker's clock runs ahead, before a timeline is read again."""

MOST_EVENTS = 500_000
"""Events in memory at most: 60 MB. The timelines used longest ago go first."""

BEHIND, KEPT_TURNS = 40_000, 50_000
"""Turns after which a worker that slept forgets everything instead of reading on, and how many are kept in the store."""

PRUNE_EVERY = 4_096

_KNOWN, _NAME = COLUMNS.index("known_us"), COLUMNS.index("event_id")


class _Kept:
    """One timeline: every event known from `since_us` on, or the latest ones where there are more than count."""

    __slots__ = ("count", "since_us", "table")

    def __init__(self, since_us: int, rows: Sequence[tuple[Any, ...]], stream: Stream) -> None:
        self.since_us, self.count = since_us, len(rows)
        self.table: Marks = marks_of(rows, stream) if rows else NO_EVENTS

    def add(self, more: Marks) -> bool:
        """Put new events behind the others; false where they do not belong there."""
        if self.count and more[_KNOWN, 0] <= self.table[_KNOWN, self.count - 1]:
            return False
        end = self.count + more.shape[1]
        if end > self.table.shape[1]:
            kept = self.table[:, max(0, self.count - TIMELINE_LIMIT - SPARE) : self.count]
            self.count, end = kept.shape[1], kept.shape[1] + more.shape[1]
            self.table = np.empty((len(COLUMNS), 2 * end), np.int64)
            self.table[:, : self.count] = kept
        self.table[:, self.count : end] = more
        self.count = end
        return True

    def serves(self, since_us: int, as_of_us: int) -> bool:
        """Whether everything that a question of that moment looks at is here."""
        if self.since_us > since_us:
            return False
        newest = self.count - SPARE - 1
        return self.count <= TIMELINE_LIMIT or newest < 0 or bool(self.table[_KNOWN, newest] < as_of_us)


class Timelines:
    """The timelines that one worker keeps. Not for several threads."""

    def __init__(self, database: Database, most: int = MOST_EVENTS) -> None:
        self.signature = token_bytes(SIGNATURE_BYTES)
        self._database, self._most = database, most
        self._kept: dict[Key, _Kept] = {}  # the one used longest ago first
        self._places: dict[int, list[Key]] = {}
        self._events = 0
        self._last: int | None = None

    def read(self, connection: Connection, wanted: Mapping[Key, tuple[int, int]]) -> None:
        """Make these ready to be asked for: by timeline, from which known_us on its events matter, and the moment of the question."""
        self._follow(connection)
        lacking = {}
        for key, (since_us, as_of_us) in wanted.items():
            kept = self._kept.pop(key, None)
            if kept is not None and kept.serves(since_us, as_of_us):
                self._kept[key] = kept
                continue
            if kept is not None:
                self._events -= kept.count
            lacking[key] = since_us
        self._fill(connection, lacking)
        while self._events > self._most and len(self._kept) > len(wanted):
            self._drop(next(iter(self._kept)))

    def of(self, key: Key, since_us: int) -> Marked:
        """A timeline that was read, with what was added since; events known before that moment are left out."""
        kept = self._kept[key]
        table = kept.table[:, : kept.count]
        if kept.count and table[_KNOWN, 0] < since_us:
            table = table[:, np.searchsorted(table[_KNOWN], since_us) :]
        return Marked(table)

    def add(self, placed: Iterable[Placed]) -> None:
        """What is being written by this worker, under its signature."""
        together: dict[Key, list[tuple[Any, ...]]] = {}
        for entity, stream, row in placed:
            if (entity, stream) in self._kept:
                together.setdefault((entity, stream), []).append(row)
        made: dict[tuple[int, Stream], Marks] = {}  # a request stands on many timelines as one and the same row
        for key, rows in together.items():
            kept, alone = self._kept[key], (id(rows[0]), key[1])
            if len(rows) > 1:
                more = marks_of(sorted(rows, key=itemgetter(_KNOWN, _NAME)), key[1])
            elif alone in made:
                more = made[alone]
            else:
                more = made[alone] = marks_of(rows, key[1])
            before = kept.count
            if kept.add(more):
                self._events += kept.count - before
            else:
                self._drop(key)

    def forget(self) -> None:
        """Nothing is known any more: what was added did not come to be."""
        self._kept.clear()
        self._places.clear()
        self._events = 0

    def _fill(self, connection: Connection, lacking: Mapping[Key, int]) -> None:
        keys = list(lacking)
        given = [(place, entity.type.value, entity.id, stream.value, lacking[entity, stream]) for place, (entity, stream) in enumerate(keys)]
        rows = self._database.given(connection, _QUERY[self._database.is_sqlite], ("bigint", "text", "text", "text", "bigint"), given)
        found: dict[int, list[tuple[Any, ...]]] = {}
        for place, some in groupby(rows, itemgetter(0)):
            found.setdefault(place, []).extend(row[1:] for row in some)
        for place, key in enumerate(keys):
            mine = found.get(place, [])
            mine.sort(key=itemgetter(_KNOWN, _NAME))
            kept = self._kept[key] = _Kept(lacking[key], mine, key[1])
            self._events += kept.count
            self._places.setdefault(number_of(key[0]), []).append(key)

    def _follow(self, connection: Connection) -> None:
        """Drop what others wrote to since the last time."""
        newest = self._database.fetch(connection, "SELECT COALESCE(MAX(turn_no), 0) FROM timeline_turns", ())[0][0]
        if self._last is None or newest - self._last > BEHIND:
            self.forget()
        elif newest > self._last:
            query = "SELECT body FROM timeline_turns WHERE turn_no > ? ORDER BY turn_no"
            for (body,) in self._database.fetch(connection, query, (self._last,)):
                self._note(bytes(body))
        self._last = newest

    def _note(self, body: bytes) -> None:
        if body[:SIGNATURE_BYTES] == self.signature:
            return
        touched = array("I", body[SIGNATURE_BYTES:])
        if not touched:
            self.forget()
        for number in touched:
            for key in self._places.get(number, ())[:]:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._events -= kept.count
        number = number_of(key[0])
        left = [each for each in self._places.get(number, ()) if each != key]
        if left:
            self._places[number] = left
        else:
            self._places.pop(number, None)


@lru_cache(maxsize=65_536)
def number_of(entity: Entity) -> int:
    """A small number for an entity; two that share one are dropped together, which costs a read and no more."""
    return crc32(f"{entity.type.value}|{entity.id}".encode())


def tell(database: Database, connection: Connection, entities: Iterable[Entity], signature: bytes = NOBODY) -> None:
    """Note that the timelines of these entities change with this transaction."""
    numbers = array("I", {number_of(entity) for entity in entities})
    if numbers:
        _tell(database, connection, signature + numbers.tobytes())


def tell_all(database: Database, connection: Connection) -> None:
    """Note that any timeline may change with this transaction."""
    _tell(database, connection, NOBODY)


def _tell(database: Database, connection: Connection, body: bytes) -> None:
    ((turn_no,),) = database.fetch(connection, f"INSERT INTO {tables.timeline_turns.name} (body) VALUES (?) RETURNING turn_no", (body,))  # noqa: S608  # our own name
    if turn_no % PRUNE_EVERY == 0:
        database.fetch(connection, "DELETE FROM timeline_turns WHERE turn_no < ? RETURNING 0", (turn_no - KEPT_TURNS,))


_COLUMNS = ", ".join(COLUMNS)

_MINE = "entity_type = c1 AND entity_id = c2 AND stream = c3"

_QUERY = {
    True: f"""
    SELECT c0, {_COLUMNS} FROM {{given}} CROSS JOIN timeline_events WHERE {_MINE} AND known_us >= COALESCE(
        (SELECT MAX(f.known_us, c4) FROM timeline_events f WHERE f.entity_type = c1 AND f.entity_id = c2 AND f.stream = c3
        ORDER BY f.known_us DESC LIMIT 1 OFFSET {TIMELINE_LIMIT + SPARE - 1}), c4)
    """,  # noqa: S608  # our own column names and numbers
    False: f"""
    SELECT c0, {_COLUMNS} FROM {{given}} CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM timeline_events
        WHERE {_MINE} AND known_us >= c4 ORDER BY known_us DESC, event_id DESC LIMIT {TIMELINE_LIMIT + SPARE}) AS latest
    """,  # noqa: S608  # as above
}
"""One bounded seek a timeline, in the words of SQLite and of PostgreSQL: the latest events, those beyond the limit left where they are."""
