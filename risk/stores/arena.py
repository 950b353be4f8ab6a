"""Many timelines in one block of memory: events are rows of whole numbers, each timeline a stretch of them with some room behind.

What a batch of questions does to hundreds of timelines is one compiled call. Rooms have the sizes of powers of two: a timeline that outgrows its room
moves into a larger one, and what it left is used again from the next `begin` on; so whoever looks at a stretch sees until then what was there.
"""

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data_contracts.link import EntityType
from data_contracts.machine_code import compiled, in_place
from data_contracts.marks import Bounds
from data_contracts.timeline import COLUMNS, TIMELINE_LIMIT, Marks, Stream
from features.reach import LOOK_BACK

Ints = npt.NDArray[np.int64]

SPARE = 64
"""Events kept beyond the limit: so many may be newer than a question, because another worker's clock runs ahead, before a timeline is read again."""

KINDS = {kind: place for place, kind in enumerate(EntityType)}
STREAM_PLACES = {stream: place for place, stream in enumerate(Stream)}
STREAM_COUNT = len(STREAM_PLACES)

NOT, EVER = -1, -2
REACH = np.array(
    [[NOT if (kind, stream) not in LOOK_BACK else LOOK_BACK[kind, stream] or EVER for stream in Stream] for kind in EntityType], np.int64
)
"""How far back features look at a timeline, in microseconds, by type of entity and stream; NOT at all, or without end (EVER)."""

FIRST, COUNT, ROOM, SINCE = range(4)
"""Of a timeline: where its events begin, how many there are, for how many there is room, and the moment from which on they are all there."""

REFUSED = -1
"""In place of the number of an event that is not added."""

KNOWN = COLUMNS.index("known_us")

LEAST_SIZE, SIZES = 2, 40
"""Rooms have at least four rows. A size is the power of two."""

NOTHING, NEXT = -1, 0
"""No room of a size is vacant; else the first row of each vacant room says in this column where the next one is."""

ROWS = 4_096
"""Rows of the smallest block where nothing else is said."""


class Arena:
    """The timelines of entities, each entity at a place of its own; `room` is how many rows they have among them.

    No block has fewer than `least` rows: memory that nothing was written to costs nothing. A block is copied into a new one, which keeps everybody
    waiting, only when no row of it is left and no vacant room is large enough.
    """

    def __init__(self, least: int = ROWS) -> None:
        self._least = least
        self.rows: Marks = np.empty((least, len(COLUMNS)), np.int64)
        self.spans: Ints = np.zeros((64, STREAM_COUNT, 4), np.int64)
        self.kinds: Ints = np.zeros(64, np.int64)
        self.room = 0
        self._end = 0
        self._free = list(range(64))
        self._vacant: Ints = np.full(SIZES, NOTHING, np.int64)
        self._left: list[int] = []  # first row and size of each room that somebody may still look at

    def begin(self) -> None:
        """Nobody looks any more at what was asked for so far."""
        if self._left:
            _vacate(self.rows, self._vacant, _in_rows(self._left, 2))
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
                self._left += first, _size_of(room)
                self.room -= room
        self.spans[place] = 0
        self._free.append(place)

    def put(self, place: int, stream: Stream, events: Marks, since_us: int) -> None:
        """The events of a timeline, with some room behind them."""
        count, first, room = len(events), 0, 0
        if count:
            size = _size_of(count + (count + 3) // 4)
            first, room = self._room(size), 1 << size
            self.room += room
            self.rows[first : first + count] = events
        self.spans[place, STREAM_PLACES[stream]] = first, count, room, since_us

    def loose(self, events: Marks) -> int:
        """Keep events for as long as somebody looks at them, on no timeline; where the first of them stands."""
        size = _size_of(len(events))
        first = self._room(size)
        self.rows[first : first + len(events)] = events
        self._left += first, size
        return first

    def lacking(self, asked: Sequence[tuple[int, int]]) -> set[int]:
        """Of these places, each with the moment of a question, those where something that it looks at is not here."""
        given = _in_rows([each for pair in asked for each in pair], 2)
        count = _lacking(self.rows, self.spans, (REACH, self.kinds), given)
        return set(given[:count, 0].tolist()) if count else set()

    def bounds(self, places: Sequence[int], as_of_us: int, more: Sequence[tuple[int, int, int]]) -> Bounds:
        """The stretches of all timelines of these entities from where features begin to look; `more`: place, stream and row of further events."""
        found = np.empty((STREAM_COUNT * len(places), 3), np.int64)
        extra = _in_rows([each for event in more for each in event], 3)
        count = _bounds(self.rows, self.spans, (REACH, self.kinds), _in_rows(places, 1), as_of_us, extra, found)
        return found[:count]

    def add(self, told: Sequence[int], events: Marks) -> list[int]:
        """Put events behind the others, in the order of (known_us, event_id); `told` has place, stream and number of each, one behind the other.

        Places of which a timeline has later events already come back; they are left as they were, and are of no use any more.
        """
        where = _in_rows(told, 3)
        refused, needed = _needed(self.rows, self.spans, (REACH, self.kinds), where, events)
        self._make_room(needed)
        left = np.empty((len(where), 2), np.int64)
        self._end, gained, count = _add((self.rows, self._vacant), self.spans, (REACH, self.kinds), where, events, self._end, left)
        self.room += gained
        self._left += left[:count].ravel().tolist()
        return where[where[:, 2] == REFUSED, 0].tolist() if refused else []

    def _room(self, size: int) -> int:
        """Where a room of that size begins that nobody looks at."""
        if self._vacant[size] == NOTHING:
            self._make_room(1 << size)
        first, self._end = _take(self.rows, self._vacant, size, self._end)
        return int(first)

    def _make_room(self, more: int) -> None:
        """So many rows behind all rooms."""
        if self._end + more > len(self.rows):
            rows = np.empty((max(self._least, 3 * (self.room + more) // 2), len(COLUMNS)), np.int64)
            self._end = _moved(self.rows, self.spans, rows)
            self.rows, self._left = rows, []
            self._vacant[:] = NOTHING


def _in_rows(numbers: Sequence[int], width: int) -> Ints:
    """Whole numbers as a table."""
    return np.frombuffer(array("q", numbers), np.int64).reshape(-1, width)


@in_place
def _size_of(count):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # compiled
    """The size of the smallest room for so many events."""
    size = LEAST_SIZE
    while 1 << size < count:
        size += 1
    return size


@in_place
def _take(rows, vacant, size, end):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Where a room of that size begins, and where the rows behind all rooms begin then."""
    first = vacant[size]
    if first == NOTHING:
        return end, end + (1 << size)
    vacant[size] = rows[first, NEXT]
    return first, end


@in_place
def _vacate(rows, vacant, left):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(len(left)):
        first, size = left[i, 0], left[i, 1]
        rows[first, NEXT] = vacant[size]
        vacant[size] = first


@in_place
def _lacking(rows, spans, about, asked):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # compiled
    """Move the places that lack something to the front; how many there are."""
    reach, kinds = about
    found = 0
    for i in range(len(asked)):
        place, as_of_us = asked[i, 0], asked[i, 1]
        for stream in range(STREAM_COUNT):
            back = reach[kinds[place], stream]
            if back == NOT:
                continue
            first, count, _, since_us = spans[place, stream]
            newest = count - SPARE - 1
            if since_us > (0 if back == EVER else as_of_us - back) or (
                count > TIMELINE_LIMIT and newest >= 0 and rows[first + newest, KNOWN] >= as_of_us
            ):
                asked[found, 0] = place
                found += 1
                break
    return found


@in_place
def _bounds(rows, spans, about, places, as_of_us, extra, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913
    reach, kinds = about
    row = 0
    for each in range(len(places)):
        place = places[each, 0]
        for stream in range(STREAM_COUNT):
            back = reach[kinds[place], stream]
            if back == NOT:
                continue
            low, end = spans[place, stream, FIRST], spans[place, stream, FIRST] + spans[place, stream, COUNT]
            if back != EVER and low < end and rows[low, KNOWN] < as_of_us - back:
                high = end
                while low < high:
                    middle = (low + high) // 2
                    if rows[middle, KNOWN] < as_of_us - back:
                        low = middle + 1
                    else:
                        high = middle
            found[row, 0], found[row, 1], found[row, 2] = low, end, -1
            for i in range(len(extra)):
                if extra[i, 0] == place and extra[i, 1] == stream:
                    found[row, 2] = extra[i, 2]
            row += 1
    return row


@in_place
def _grown(count):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The size of the room for a timeline that outgrew its own; what lies beyond the limit is left behind."""
    kept = min(count, TIMELINE_LIMIT + SPARE)
    return _size_of(kept + 1 + kept // 2)


@in_place
def _needed(rows, spans, about, where, events):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Refuse events that do not belong behind the others; how many, and how many rows the timelines that must move take at most."""
    reach, kinds = about
    needed = refused = 0
    for i in range(len(where)):
        place, stream, event = where[i, 0], where[i, 1], where[i, 2]
        if reach[kinds[place], stream] == NOT:
            continue
        first, count, room = spans[place, stream, FIRST], spans[place, stream, COUNT], spans[place, stream, ROOM]
        if count > 0 and events[event, KNOWN] <= rows[first + count - 1, KNOWN]:
            where[i, 2] = REFUSED
            refused += 1
        fresh = True
        for before in range(i):
            fresh = fresh and (where[before, 0] != place or where[before, 1] != stream)
        if fresh and count + len(where) > room:
            needed += 2 << _grown(count + len(where))
    return refused, needed


@compiled
def _add(block, spans, about, where, events, end, left):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913
    """Where the rows behind all rooms begin then, how many more rows the timelines have, and how many rooms they `left`."""
    (rows, vacant), (reach, kinds) = block, about
    gained = rooms = 0
    for i in range(len(where)):
        place, stream, event = where[i, 0], where[i, 1], where[i, 2]
        if event == REFUSED or reach[kinds[place], stream] == NOT:
            continue
        first, count, room = spans[place, stream, FIRST], spans[place, stream, COUNT], spans[place, stream, ROOM]
        if count == room:
            kept, size = min(count, TIMELINE_LIMIT + SPARE), _grown(count)
            into, end = _take(rows, vacant, size, end)
            rows[into : into + kept] = rows[first + count - kept : first + count]
            if room:
                left[rooms, 0], left[rooms, 1] = first, _size_of(room)
                rooms += 1
            spans[place, stream, FIRST], spans[place, stream, ROOM] = into, 1 << size
            gained += (1 << size) - room
            first, count = into, kept
        for column in range(rows.shape[1]):
            rows[first + count, column] = events[event, column]
        spans[place, stream, COUNT] = count + 1
    return end, gained, rooms


@compiled
def _moved(rows, spans, into):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Copy every timeline, one behind the other; where the last one's room ends."""
    end = 0
    for place in range(len(spans)):
        for stream in range(STREAM_COUNT):
            first, count, room, _ = spans[place, stream]
            into[end : end + count] = rows[first : first + count]
            spans[place, stream, FIRST] = end
            end += room
    return end
