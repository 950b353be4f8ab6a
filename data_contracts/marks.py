"""Timelines as the service holds them: whole numbers only, many of them in one table, so that one compiled pass looks at all that a request sees."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data_contracts.link import EntityType
from data_contracts.timeline import COLUMNS, NAMES, NULL, WHOLE, Entity, Events, Marks, Stream

Key = tuple[Entity, Stream]
"""Names a timeline."""

Kind = tuple[EntityType, Stream]
"""What a timeline tells of."""

Bounds = npt.NDArray[np.int64]
"""Stretches of a table, one a row: its first event, the one after its last, and an event that stands elsewhere in the table (-1: none)."""

_KNOWN = COLUMNS.index("known_us")
_NAMES, _WHOLE = slice(4, 4 + len(NAMES)), slice(4 + len(NAMES), None)
_NOTHING, _UNKNOWN = (None,) * len(WHOLE), (NULL,) * len(WHOLE)

NO_EVENTS: Marks = np.empty((0, len(COLUMNS)), np.int64)


def about(event_id: str, stream: Stream) -> str:
    """What an event is about: itself, but a label (`request|source|value`) is about its request."""
    return event_id.rsplit("|", 2)[0] if stream is Stream.LABEL else event_id


def marks_of(rows: Sequence[tuple[Any, ...]], streams: Sequence[Stream]) -> Marks:
    """Rows in the order of COLUMNS, each with its stream, as marks."""
    if not rows:
        return NO_EVENTS
    found = array("q", [NULL if value is None else value if type(value) is int else hash(value) for row in rows for value in row])
    table = np.frombuffer(found, np.int64).reshape(len(rows), len(COLUMNS))
    for place, stream in enumerate(streams):
        if stream is Stream.LABEL:
            table[place, 0] = hash(about(rows[place][0], stream))
    return table


@dataclass(frozen=True, slots=True)
class Marked:
    """A timeline as marks."""

    table: Marks

    def __len__(self) -> int:
        """How many events there are."""
        return len(self.table)

    def marks(self) -> Marks:
        """The events in the order of (known_us, event_id)."""
        return self.table


class Shape:
    """Of which entities, by their place among others, and of what kind some timelines are; the same for many requests, so it is made once."""

    __slots__ = ("kinds", "read", "whose")

    def __init__(self, kinds: Sequence[Kind], whose: Sequence[int]) -> None:
        self.kinds, self.whose = tuple(kinds), tuple(whose)
        self.read = frozenset(kinds)


class Stretches(Mapping[Key, Marked]):
    """Timelines that lie in one table of marks. Nothing is copied: whoever owns the table adds behind what is seen here, and changes no event."""

    __slots__ = ("bounds", "entities", "shape", "table")

    def __init__(self, entities: Sequence[Entity], shape: Shape, table: Marks, bounds: Bounds) -> None:
        self.entities, self.shape, self.table, self.bounds = entities, shape, table, bounds

    @classmethod
    def of(cls, timelines: Mapping[Key, Events]) -> "Stretches":
        """The same timelines, put into one table unless they lie in one."""
        if isinstance(timelines, cls):
            return timelines
        tables = [NO_EVENTS, *(events.marks() for events in timelines.values())]
        ends = np.cumsum([len(table) for table in tables], dtype=np.int64)
        bounds = np.stack([ends[:-1], ends[1:], np.full(len(timelines), -1)], axis=1)
        shape = Shape([(entity.type, stream) for entity, stream in timelines], range(len(timelines)))
        return cls([entity for entity, _ in timelines], shape, np.concatenate(tables), bounds)

    @property
    def events(self) -> int:
        """How many events there are in all of them."""
        return sum([end - first + (more >= 0) for first, end, more in self.bounds.tolist()])

    def __getitem__(self, key: Key) -> Marked:
        """One timeline; an event that stands elsewhere is put at its place."""
        place = next((place for place, each in enumerate(self) if each == key), None)
        if place is None:
            raise KeyError(key)
        first, end, more = self.bounds[place].tolist()
        table = self.table[first:end]
        if more >= 0:
            behind = int(np.searchsorted(table[:, _KNOWN], self.table[more, _KNOWN], "right"))
            table = np.insert(table, behind, self.table[more], axis=0)
        return Marked(table)

    def __iter__(self) -> Iterator[Key]:
        """Their names."""
        return ((self.entities[place], stream) for place, (_, stream) in zip(self.shape.whose, self.shape.kinds, strict=True))

    def __len__(self) -> int:
        """How many timelines there are."""
        return len(self.shape.kinds)
