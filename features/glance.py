"""All timelines of one request as of one moment: every windowed feature in one compiled pass. The online side of `features/windows.py`.

Each event falls into the shortest window that holds it; what it adds to a part is added there, and running sums over the windows give them all. So
an event costs as many steps as its timeline has parts, whatever the number of windows.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from data_contracts.machine_code import njit
from data_contracts.marks import Shape, Stretches
from data_contracts.timeline import COLUMNS, NULL, Stream, mark
from features.declare import Measure
from features.formulas import Ints, smallest_wins
from features.plan import DAY_US, Group, Part

EVER = np.iinfo(np.int64).max

KINDS = ("count", "known", "sum", "distinct", "last", "first")
OPS = ("eq", "ne", "ge", "lt")
WHOSE = ("all", "own", "others")
MOST_TESTS = 2
"""Conditions of one part, as the kernel has them."""

OCCURRED, KNOWN, UNTIL, ACCOUNT = (COLUMNS.index(name) for name in ("occurred_us", "known_us", "until_us", "account_id"))


class Layout:
    """What is known of the windowed features before a request comes, as tables for the kernel."""

    def __init__(self, plans: Sequence[Group]) -> None:
        fractions = [each for plan in plans for each in plan.fractions]
        features = [each.feature for each in fractions]
        self.names = [feature.name for feature in features]
        windows = sorted({feature.window_days for feature in features}, key=lambda days: (days is None, days or 0))
        parts = tuple(dict.fromkeys(part for each in fractions for part in (each.top, each.bottom) if part is not None))
        place = {part: number for number, part in enumerate(parts)}
        self.spans = np.array([EVER if days is None else days * DAY_US for days in windows], np.int64)
        self.parts = np.array([_as_numbers(part) for part in parts], np.int64).reshape(len(parts), -1)
        self._groups = {(plan.entity, plan.stream): number for number, plan in enumerate(plans)}
        self.groups_of = lru_cache(maxsize=1_024)(self._groups_of)
        wanted = [sorted({place[part] for each in plan.fractions for part in (each.top, each.bottom) if part is not None}) for plan in plans]
        self.part_start = np.cumsum([0, *map(len, wanted)], dtype=np.int64)
        self.wanted = np.array([number for some in wanted for number in some], np.int64)
        self.start = np.cumsum([0, *(len(plan.fractions) for plan in plans)], dtype=np.int64)
        columns = [
            (
                place[each.top],
                -1 if each.bottom is None else place[each.bottom],
                windows.index(each.feature.window_days),
                1 if each.bottom is None else each.feature.at_least,
                each.feature.measure in (Measure.SINCE_LAST, Measure.SINCE_FIRST),
                smallest_wins(each.feature),
                each.feature.whose != "all",
            )
            for each in fractions
        ]
        self.fractions = np.array(columns, np.int64).reshape(len(fractions), 7)

    def _groups_of(self, shape: Shape, sources: frozenset[Stream]) -> Ints:
        """The group of each timeline; -1 where no feature looks at it, or its stream is not connected."""
        return np.array([self._groups.get((kind, stream), -1) if stream in sources else -1 for kind, stream in shape.kinds], np.int64)


def windowed(layout: Layout, timelines: Stretches, groups: Ints, asked: tuple[int, str | None, int]) -> list[float]:
    """Every windowed feature in the order of `layout.names`; NaN is null. `asked`: as of when, by which account, how many events count.

    `groups` has the group of each timeline, -1 where it does not count. Of several entities of a type the largest value, for since_last the smallest.
    """
    as_of_us, account, limit = asked
    found = np.full(len(layout.names), np.nan)
    plan = (layout.parts, layout.part_start, layout.wanted, layout.spans, layout.start, layout.fractions)
    _look(timelines.table, timelines.bounds, groups, (as_of_us, mark(account), limit), plan, found)
    told: list[float] = found.tolist()
    return told


def _as_numbers(part: Part) -> list[int]:
    """Kind, column, whose, then column, operator and value of each test; a column of -1 is none. ValueError: it has too many tests."""
    if len(part.where) > MOST_TESTS:
        message = f"{part} has {len(part.where)} conditions, expected at most {MOST_TESTS}"
        raise ValueError(message)
    row = [KINDS.index(part.kind), -1 if part.of is None else COLUMNS.index(part.of), WHOSE.index(part.whose)]
    for test in part.where:
        row += [COLUMNS.index(test.column), OPS.index(test.op), mark(test.value) if isinstance(test.value, str) else test.value]
    return row + [-1, 0, 0] * (MOST_TESTS - len(part.where))


@njit(cache=True, nogil=True)
def _look(table, bounds, groups, asked, plan, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # compiled
    """Fill `found`, one number a feature. Tables and numbers of rows are handed on, never rows: making one takes as long as its work."""
    parts, part_start, wanted, spans, start, fractions = plan
    longest = 1
    for k in range(groups.size):
        longest = max(longest, min(asked[2], bounds[k, 1] - bounds[k, 0] + 1))
    seen = (np.empty(longest, np.int64), np.empty(longest, np.int64))
    slots = 4
    while slots < 2 * longest:
        slots *= 2
    places = (np.empty(slots, np.int64), np.empty(slots, np.int64), np.zeros(slots, np.int64), np.empty(longest, np.int64))
    sums = np.empty((parts.shape[0], spans.size), np.int64)
    for k in range(groups.size):
        group = groups[k]
        if group < 0:
            continue
        count = _visible(table, (bounds[k, 0], bounds[k, 1], bounds[k, 2]), asked, spans, seen)
        for at in range(part_start[group], part_start[group + 1]):
            number = wanted[at]
            _add_up(table, seen, count, asked, parts, number, places, 1 + k * parts.shape[0] + number, sums)
        for number in range(start[group], start[group + 1]):
            _divide(fractions, number, sums, asked[1], found)


@njit(cache=True, nogil=True)
def _visible(table, stretch, asked, spans, seen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Where the events of a timeline that count stand in the table, and the shortest window that holds each; how many there are."""
    as_of_us, _, limit = asked
    low, high, more = stretch
    events, window = seen
    while high > low and table[high - 1, KNOWN] >= as_of_us:
        high -= 1
    if more >= 0:
        place = high
        while place > low and table[place - 1, KNOWN] > table[more, KNOWN]:
            place -= 1
        if table[more, KNOWN] < as_of_us and high - place < limit:
            limit -= 1
        else:
            more = -1
    low = max(low, high - limit)
    count = 0
    for row in range(low, high + (more >= 0)):
        i = row if row < high else more
        if table[i, UNTIL] < as_of_us:
            continue
        age = as_of_us - table[i, OCCURRED]
        for w in range(spans.size):
            if age <= spans[w]:
                events[count], window[count] = i, w
                count += 1
                break
    return count


@njit(cache=True, nogil=True)
def _holds(value, op, limit):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """A condition of a part; it does not hold for what is not known."""
    if value == NULL:
        return False
    if op == 0:
        return value == limit
    if op == 1:
        return value != limit
    return value >= limit if op == 2 else value < limit  # noqa: PLR2004  # OPS


@njit(cache=True, nogil=True)
def _add_up(table, seen, size, asked, parts, number, places, stamp, sums):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, C901, PLR0912
    """One part over every window: its row of `sums`, by window. Latest and earliest are ages, NULL where there is none."""
    events, window = seen
    names, best, stamps, used = places
    kind, of, whose, count = parts[number, 0], parts[number, 1], parts[number, 2], 0
    first, first_op, first_value = parts[number, 3], parts[number, 4], parts[number, 5]
    second, second_op, second_value = parts[number, 6], parts[number, 7], parts[number, 8]
    for w in range(sums.shape[1]):
        sums[number, w] = NULL if kind >= 4 else 0  # noqa: PLR2004  # KINDS
    for place in range(size):
        i, w = events[place], window[place]
        value = table[i, of] if of >= 0 else 0
        if value == NULL:
            continue
        if whose > 0:
            by = table[i, ACCOUNT]
            if (whose == 1 and by != asked[1]) or (whose == 2 and (by == asked[1] or by == NULL)):  # noqa: PLR2004  # WHOSE
                continue
        if first >= 0 and not _holds(table[i, first], first_op, first_value):
            continue
        if second >= 0 and not _holds(table[i, second], second_op, second_value):
            continue
        if kind <= 1:
            sums[number, w] += 1
        elif kind == 2:  # noqa: PLR2004
            sums[number, w] += value
        elif kind == 3:  # noqa: PLR2004
            slot = (value ^ (value >> 32)) & (names.size - 1)
            while stamps[slot] == stamp and names[slot] != value:
                slot = (slot + 1) & (names.size - 1)
            if stamps[slot] != stamp:
                stamps[slot], names[slot], best[slot], used[count] = stamp, value, w, slot
                count += 1
            else:
                best[slot] = min(best[slot], w)
        else:
            age = asked[0] - table[i, OCCURRED]
            if sums[number, w] == NULL or (age < sums[number, w]) == (kind == 4):  # noqa: PLR2004
                sums[number, w] = age
    for at in range(count):
        sums[number, best[used[at]]] += 1
    for w in range(1, sums.shape[1]):
        before = sums[number, w - 1]
        if kind < 4:  # noqa: PLR2004
            sums[number, w] += before
        elif sums[number, w] == NULL or (before != NULL and (before < sums[number, w]) == (kind == 4)):  # noqa: PLR2004
            sums[number, w] = before


@njit(cache=True, nogil=True)
def _divide(fractions, number, sums, account, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The feature of one timeline joins what other timelines of its type gave."""
    top, bottom, window, at_least = fractions[number, 0], fractions[number, 1], fractions[number, 2], fractions[number, 3]
    since, least, needs_account = fractions[number, 4], fractions[number, 5], fractions[number, 6]
    if needs_account and account == NULL:
        return
    above = sums[top, window]
    below = 1 if bottom < 0 else sums[bottom, window]
    if since:
        below = 0 if above == NULL else DAY_US
    if below < at_least:
        return
    value = above / below
    if np.isnan(found[number]) or (value < found[number] if least else value > found[number]):
        found[number] = value
