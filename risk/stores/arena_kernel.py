"""What is done to the timelines of an arena in compiled calls: which lack something, where to look, adding events, moving rooms."""

import numpy as np
import numpy.typing as npt

from data_contracts.link import EntityType
from data_contracts.machine_code import compiled, in_place
from data_contracts.timeline import COLUMNS, TIMELINE_LIMIT, Stream
from features.reach import LOOK_BACK

Ints = npt.NDArray[np.int64]
About = tuple[Ints, Ints]
"""`REACH`, and the type of the entity at each place."""

SPARE = 64
"""Events kept beyond the limit: so many may be newer than a question, because another worker's clock runs ahead, before a timeline is read again."""

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

NOTHING, NEXT, END = -1, 0, SIZES
"""Where a room of each size is vacant (NOTHING: nowhere), and in the end where the rows behind all rooms begin.

The first row of a vacant room says in the column NEXT where the next one of its size is.
"""


@in_place
def size_of(count: int) -> int:
    """The size of the smallest room for so many events."""
    size = LEAST_SIZE
    while 1 << size < count:
        size += 1
    return size


@in_place
def take(rows: Ints, vacant: Ints, size: int) -> int:
    """Where a room of that size begins, which is vacant no longer."""
    first = vacant[size]
    if first == NOTHING:
        first = vacant[END]
        vacant[END] += 1 << size
    else:
        vacant[size] = rows[first, NEXT]
    return int(first)


@in_place
def vacate(rows: Ints, vacant: Ints, left: Ints) -> None:
    """From now on these rooms are vacant."""
    for i in range(len(left)):
        first, size = left[i, 0], left[i, 1]
        rows[first, NEXT] = vacant[size]
        vacant[size] = first


@in_place
def lacking(rows: Ints, spans: Ints, about: About, asked: Ints) -> int:
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
def find_bounds(block: tuple[Ints, Ints], about: About, places: Ints, as_of_us: int, extra: Ints, found: Ints) -> int:
    """Write down where features begin to look at each timeline of these places, where it ends, and which further event stands there; how many."""
    (rows, spans), (reach, kinds) = block, about
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
def grown(count: int) -> int:
    """The size of the room for a timeline that outgrew its own; what lies beyond the limit is left behind."""
    kept = min(count, TIMELINE_LIMIT + SPARE)
    return size_of(kept + 1 + kept // 2)


@in_place
def refuse(rows: Ints, spans: Ints, about: About, where: Ints, events: Ints) -> tuple[int, int]:
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
        before = 0
        while before < i and (where[before, 0] != place or where[before, 1] != stream):
            before += 1
        if before < i:
            continue
        for after in range(i, len(where)):
            if where[after, 0] != place or where[after, 1] != stream:
                continue
            if count == room:
                count, size = min(count, TIMELINE_LIMIT + SPARE), grown(count)
                room = 1 << size
                needed += room
            count += 1
    return refused, needed


@compiled
def add(block: tuple[Ints, Ints], spans: Ints, about: About, where: Ints, events: Ints, left: Ints) -> tuple[int, int]:
    """Put events behind the others; how many more rows their timelines have, and how many rooms these `left`."""
    (rows, vacant), (reach, kinds) = block, about
    gained = rooms = 0
    for i in range(len(where)):
        place, stream, event = where[i, 0], where[i, 1], where[i, 2]
        if event == REFUSED or reach[kinds[place], stream] == NOT:
            continue
        first, count, room = spans[place, stream, FIRST], spans[place, stream, COUNT], spans[place, stream, ROOM]
        if count == room:
            kept, size = min(count, TIMELINE_LIMIT + SPARE), grown(count)
            into = take(rows, vacant, size)
            rows[into : into + kept] = rows[first + count - kept : first + count]
            if room:
                left[rooms, 0], left[rooms, 1] = first, size_of(room)
                rooms += 1
            spans[place, stream, FIRST], spans[place, stream, ROOM] = into, 1 << size
            gained += (1 << size) - room
            first, count = into, kept
        for column in range(rows.shape[1]):
            rows[first + count, column] = events[event, column]
        spans[place, stream, COUNT] = count + 1
    return gained, rooms


@compiled
def copy(rows: Ints, spans: Ints, into: Ints) -> int:
    """Copy every timeline, one behind the other; where the last one's room ends."""
    end = 0
    for place in range(len(spans)):
        for stream in range(STREAM_COUNT):
            first, count, room, _ = spans[place, stream]
            into[end : end + count] = rows[first : first + count]
            spans[place, stream, FIRST] = end
            end += room
    return end
