"""Timelines in memory, exactly as they stand in the store: read once, kept up with what this worker decides, dropped when somebody else wrote there.

Which ones others wrote to is told in turns (`turns.py`), of which it takes note before it reads.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from data_contracts.marks import Stretches, marks_of
from data_contracts.timeline import COLUMNS, TIMELINE_LIMIT, Entity, Stream
from features.reach import STREAMS, shape_of, since
from features.streams import Placed
from risk.stores.arena import Arena
from risk.stores.arena_kernel import SPARE, STREAM_PLACES
from risk.stores.database import Database
from risk.stores.links import StoredLinks
from risk.stores.turns import Turn, number_of

MOST_EVENTS = 500_000
"""Events for which there is room in memory at most: 60 MB, and half as much again while it is filled. The timelines used longest ago go first."""

_KNOWN, _NAME = COLUMNS.index("known_us"), COLUMNS.index("event_id")


class Timelines:
    """The timelines that one worker keeps, entity by entity. Not for several threads."""

    def __init__(self, database: Database, most: int = MOST_EVENTS) -> None:
        self._database, self._most = database, most
        self.forget()

    def forget(self) -> None:
        """Nothing is known any more: what was added did not come to be."""
        self._arena = Arena(3 * self._most // 2)
        self._kept: OrderedDict[Entity, int] = OrderedDict()  # the one asked for longest ago comes first
        self._numbered: dict[int, list[Entity]] = {}

    def note(self, news: Iterable[Turn] | None) -> None:
        """Drop what others wrote to, as a `Feed` tells it."""
        if news is None:
            self.forget()
            return
        for turn in news:
            for number in turn.touched:
                for entity in self._numbered.get(number, ())[:]:
                    self._drop(entity)

    def read(self, connection: Connection, wanted: Mapping[Entity, int]) -> None:
        """Make the timelines of these entities ready to be asked for, each by the earliest moment of a question about it."""
        self._arena.begin()
        kept = [(self._kept[entity], as_of_us) for entity, as_of_us in wanted.items() if entity in self._kept]
        lacking = self._arena.lacking(kept)
        for entity in [entity for entity in wanted if self._kept.get(entity) in lacking]:
            self._drop(entity)
        self._fill(connection, {entity: as_of_us for entity, as_of_us in wanted.items() if entity not in self._kept})
        for entity in wanted:
            self._kept.move_to_end(entity)
        while self._arena.room > self._most and len(self._kept) > len(wanted):
            self._drop(next(iter(self._kept)))

    def of(self, entities: Sequence[Entity], as_of_us: int, ordered: Sequence[Placed] = ()) -> Stretches:
        """What was read of these entities and added since, with further events of one moment at their places.

        Events known too early for any feature as of that moment are left out.
        """
        more: list[tuple[int, int, int]] = []
        if ordered:
            row = self._arena.loose(marks_of([ordered[0][2]], [ordered[0][1]]))
            more = [(self._kept[entity], STREAM_PLACES[stream], row) for entity, stream, _ in ordered if entity in self._kept]
        bounds = self._arena.bounds([self._kept[entity] for entity in entities], as_of_us, more)
        return Stretches(entities, shape_of(tuple(entity.type for entity in entities)), self._arena.rows, bounds)

    def add(self, placed: Iterable[Placed]) -> None:
        """What is being written by this worker, under the signature of its feed."""
        kept = [(row, stream, self._kept[entity]) for entity, stream, row in placed if entity in self._kept]
        kept.sort(key=_in_order)
        rows: list[tuple[Any, ...]] = []
        streams: list[Stream] = []
        told: list[int] = []
        for row, stream, place in kept:
            if not rows or row is not rows[-1]:  # a request stands on many timelines as one and the same row
                rows.append(row)
                streams.append(stream)
            told += place, STREAM_PLACES[stream], len(rows) - 1
        refused = self._arena.add(told, marks_of(rows, streams))
        for entity in [entity for entity, place in self._kept.items() if place in refused] if refused else ():
            self._drop(entity)

    def _fill(self, connection: Connection, lacking: Mapping[Entity, int]) -> None:
        """Read the timelines of entities of which nothing is here."""
        keys = [(entity, stream, since(entity.type, stream, as_of_us)) for entity, as_of_us in lacking.items() for stream in STREAMS[entity.type]]
        given = [
            (number, entity.type.value, entity.id, stream.value, since_us)
            for number, (entity, stream, since_us) in enumerate(keys)
            if stream is not Stream.LINK
        ]
        rows = self._database.given(connection, _QUERY[self._database.is_sqlite], ("bigint", "text", "text", "text", "bigint"), given)
        linked = [(number, entity, since_us) for number, (entity, stream, since_us) in enumerate(keys) if stream is Stream.LINK]
        rows += StoredLinks(self._database, connection).events(linked, TIMELINE_LIMIT + SPARE)
        rows.sort(key=itemgetter(0, 1 + _KNOWN, 1 + _NAME))
        events = marks_of([row[1:] for row in rows], [keys[row[0]][1] for row in rows])
        counts = Counter(map(itemgetter(0), rows))
        for entity in lacking:
            self._kept[entity] = self._arena.enter(entity.type)
            self._numbered.setdefault(number_of(entity), []).append(entity)
        first = 0
        for number, (entity, stream, since_us) in enumerate(keys):
            end = first + counts[number]
            self._arena.put(self._kept[entity], stream, events[first:end], since_us)
            first = end

    def _drop(self, entity: Entity) -> None:
        self._arena.leave(self._kept.pop(entity))
        number = number_of(entity)
        self._numbered[number].remove(entity)
        if not self._numbered[number]:
            del self._numbered[number]


def _in_order(kept: tuple[tuple[Any, ...], object, object]) -> tuple[int, str]:
    """Events come in the order of (known_us, event_id)."""
    return kept[0][_KNOWN], kept[0][_NAME]


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
