"""Many timelines in one block of memory: events are rows of whole numbers, each timeline a stretch of them with some room behind.

What a batch of questions does to hundreds of timelines is one compiled call. Rooms have the sizes of powers of two: a timeline that outgrows its room
moves into a larger one, and what it left is used again from the next `begin` on; so whoever looks at a stretch sees until then what was there.
"""

from array import array
from collections.abc import Sequence

import numpy as np

from data_contracts.link import EntityType
from data_contracts.marks import Bounds
from data_contracts.timeline import COLUMNS, Marks, Stream
from risk.stores.arena_kernel import (
    END,
    NOTHING,
    REACH,
    REFUSED,
    SIZES,
    STREAM_COUNT,
    STREAM_PLACES,
    Ints,
    add,
    copy,
    find_bounds,
    lacking,
    refuse,
    size_of,
    take,
    vacate,
)

KINDS = {kind: place for place, kind in enumerate(EntityType)}

ROWS = 4_096
"""Rows of the smallest block where nothing else is said."""


class Arena:
    """The timelines of entities, each entity at a place of its own; `room` is how many rows they have among them.

    No block has fewer than `least` rows: memory that nothing was written to costs nothing. A block is copied into a new one, which keeps everybody
    waiting, only when no row of it is left and no room of the size that is needed is vacant.
    """

    def __init__(self, least: int = ROWS) -> None:
        self._least = least
        self.rows: Marks = np.empty((least, len(COLUMNS)), np.int64)
        self.spans: Ints = np.zeros((64, STREAM_COUNT, 4), np.int64)
        self.kinds: Ints = np.zeros(64, np.int64)
        self.room = 0
        self._free = list(range(64))
        self._vacant = _all_in_use(0)
        self._left: list[int] = []  # first row and size of each room that somebody may still look at

    def begin(self) -> None:
        """Nobody looks any more at what was asked for so far."""
        if self._left:
            vacate(self.rows, self._vacant, _in_rows(self._left, 2))
            self._left = []

    def enter(self, kind: EntityType) -> int:
        """A place for an entity of that type."""
        if not self._free:
            count = len(self.kinds)
            self.spans = np.concatenate([self.spans, np.zeros_like(self.spans)])
            self.kinds = np.concatenate([self.kinds, np.zeros_like(self.kinds)])
            self._free = list(range(count, 2 * count))
        place = self._free.pop()
        self.kinds[place] = KINDS[kind]
        return place

    def leave(self, place: int) -> None:
        """That place is free again."""
        for first, _, room, _ in self.spans[place].tolist():
            if room:
                self._left += first, size_of(room)
                self.room -= room
        self.spans[place] = 0
        self._free.append(place)

    def put(self, place: int, stream: Stream, events: Marks, since_us: int) -> None:
        """The events of a timeline, with some room behind them."""
        count, first, room = len(events), 0, 0
        if count:
            size = size_of(count + (count + 3) // 4)
            first, room = self._room(size), 1 << size
            self.room += room
            self.rows[first : first + count] = events
        self.spans[place, STREAM_PLACES[stream]] = first, count, room, since_us

    def loose(self, events: Marks) -> int:
        """Keep events for as long as somebody looks at them, on no timeline; where the first of them stands."""
        size = size_of(len(events))
        first = self._room(size)
        self.rows[first : first + len(events)] = events
        self._left += first, size
        return first

    def lacking(self, asked: Sequence[tuple[int, int]]) -> set[int]:
        """Of these places, each with the moment of a question, those where something that it looks at is not here."""
        given = _in_rows([each for pair in asked for each in pair], 2)
        count = lacking(self.rows, self.spans, (REACH, self.kinds), given)
        return set(given[:count, 0].tolist()) if count else set()

    def bounds(self, places: Sequence[int], as_of_us: int, more: Sequence[tuple[int, int, int]]) -> Bounds:
        """The stretches of all timelines of these entities from where features begin to look; `more`: place, stream and row of further events."""
        found = np.empty((STREAM_COUNT * len(places), 3), np.int64)
        extra = _in_rows([each for event in more for each in event], 3)
        count = find_bounds((self.rows, self.spans), (REACH, self.kinds), _in_rows(places, 1), as_of_us, extra, found)
        return found[:count]

    def add(self, told: Sequence[int], events: Marks) -> list[int]:
        """Put events behind the others, in the order of (known_us, event_id); `told` has place, stream and number of each, one behind the other.

        Places of which a timeline has later events already come back; they are left as they were, and are of no use any more.
        """
        where = _in_rows(told, 3)
        refused, needed = refuse(self.rows, self.spans, (REACH, self.kinds), where, events)
        self._make_room(needed)
        left = np.empty((len(where), 2), np.int64)
        gained, count = add((self.rows, self._vacant), self.spans, (REACH, self.kinds), where, events, left)
        self.room += gained
        self._left += left[:count].ravel().tolist()
        return where[where[:, 2] == REFUSED, 0].tolist() if refused else []

    def _room(self, size: int) -> int:
        """Where a room of that size begins that nobody looks at."""
        if self._vacant[size] == NOTHING:
            self._make_room(1 << size)
        return take(self.rows, self._vacant, size)

    def _make_room(self, more: int) -> None:
        """So many rows behind all rooms."""
        if self._vacant[END] + more > len(self.rows):
            rows = np.empty((max(self._least, 3 * (self.room + more) // 2), len(COLUMNS)), np.int64)
            self._vacant = _all_in_use(copy(self.rows, self.spans, rows))
            self.rows, self._left = rows, []


def _all_in_use(end: int) -> Ints:
    """No room is vacant; the rows behind all of them begin there."""
    return np.array([NOTHING] * SIZES + [end], np.int64)


def _in_rows(numbers: Sequence[int], width: int) -> Ints:
    """Whole numbers as a table."""
    return np.frombuffer(array("q", numbers), np.int64).reshape(-1, width)
