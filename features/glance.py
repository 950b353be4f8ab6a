"""All timelines of one request as of one moment: every windowed feature in one compiled pass. The online side of `features/windows.py`.

Each event falls into the shortest window that holds it; what it adds to a part is added there, and running sums over the windows give them all. So
an event costs as many steps as its timeline has parts, whatever the number of windows.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from data_contracts.link import EntityType
from data_contracts.machine_code import njit
from data_contracts.marks import Stretches
from data_contracts.timeline import COLUMNS, NULL, Stream, mark
from features.declare import Measure
from features.formulas import Ints, smallest_wins
from features.plan import DAY_US, Group, Part

EVER = np.iinfo(np.int64).max

KINDS = ("count", "known", "sum", "distinct", "last", "first")
OPS = ("eq", "ne", "ge", "lt")
WHOSE = ("all", "own", "others")
MOST_TESTS = 2
"""Conditions of one part."""

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
        self.groups: Mapping[tuple[EntityType, Stream], int] = {(plan.entity, plan.stream): number for number, plan in enumerate(plans)}
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
    """Fill `found`, one number a feature."""
    parts, part_start, wanted, spans, start, fractions = plan
    account, limit = asked[1], asked[2]
    longest = 1
    for k in range(groups.size):
        longest = max(longest, min(limit, bounds[k, 1] - bounds[k, 0] + 1))
    events, window = np.empty(longest, np.int64), np.empty(longest, np.int64)
    slots = 4
    while slots < 2 * longest:
        slots *= 2
    places = (np.empty(slots, np.int64), np.empty(slots, np.int64), np.zeros(slots, np.int64), np.empty(longest, np.int64))
    sums = np.empty((parts.shape[0], spans.size), np.int64)
    for k in range(groups.size):
        group = groups[k]
        if group < 0:
            continue
        count = _visible(table, bounds[k], asked, spans, events, window)
        for number in wanted[part_start[group] : part_start[group + 1]]:
            _add_up(table, events[:count], window, asked, parts[number], places, 1 + k * parts.shape[0] + number, sums[number])
        for number in range(start[group], start[group + 1]):
            _divide(fractions[number], sums, account, found, number)


@njit(cache=True, nogil=True)
def _visible(table, stretch, asked, spans, events, window):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Where the events of a timeline that count stand in the table, and the shortest window that holds each; how many there are."""
    as_of_us, _, limit = asked
    low, high, more = stretch
    while high > low and table[high - 1, KNOWN] >= as_of_us:
        high -= 1
    if more >= 0 and table[more, KNOWN] < as_of_us:
        place = high
        while place > low and table[place - 1, KNOWN] > table[more, KNOWN]:
            place -= 1
        if high - place < limit:
            limit -= 1
        else:
            more = -1
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
def _fulfils(table, i, part, account):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Whether a part counts an event: its column is known, the account is one that matters, and the tests hold."""
    if part[1] >= 0 and table[i, part[1]] == NULL:
        return False
    if part[2] == 1 and table[i, ACCOUNT] != account:
        return False
    if part[2] == 2 and (table[i, ACCOUNT] == account or table[i, ACCOUNT] == NULL):  # noqa: PLR2004  # WHOSE
        return False
    for at in range(3, part.size, 3):
        if part[at] < 0:
            break
        value, op, limit = table[i, part[at]], part[at + 1], part[at + 2]
        if value == NULL:
            return False
        holds = (op == 0 and value == limit) or (op == 1 and value != limit) or (op == 2 and value >= limit) or (op == 3 and value < limit)  # noqa: PLR2004  # OPS
        if not holds:
            return False
    return True


@njit(cache=True, nogil=True)
def _add_up(table, events, window, asked, part, places, stamp, sums):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, C901, PLR0912
    """One part over every window: `sums` by window. Latest and earliest are ages, NULL where there is none."""
    as_of_us, account, _ = asked
    names, best, stamps, used = places
    kind, count = part[0], 0
    sums[:] = NULL if kind >= 4 else 0  # noqa: PLR2004  # KINDS
    for place in range(events.size):
        i, w = events[place], window[place]
        if not _fulfils(table, i, part, account):
            continue
        if kind <= 1:
            sums[w] += 1
        elif kind == 2:  # noqa: PLR2004
            sums[w] += table[i, part[1]]
        elif kind == 3:  # noqa: PLR2004
            name = table[i, part[1]]
            slot = (name ^ (name >> 32)) & (names.size - 1)
            while stamps[slot] == stamp and names[slot] != name:
                slot = (slot + 1) & (names.size - 1)
            if stamps[slot] != stamp:
                stamps[slot], names[slot], best[slot], used[count] = stamp, name, w, slot
                count += 1
            else:
                best[slot] = min(best[slot], w)
        else:
            age = as_of_us - table[i, OCCURRED]
            if sums[w] == NULL or (age < sums[w]) == (kind == 4):  # noqa: PLR2004
                sums[w] = age
    for each in used[:count]:
        sums[best[each]] += 1
    for w in range(1, sums.size):
        if kind < 4:  # noqa: PLR2004
            sums[w] += sums[w - 1]
        elif sums[w] == NULL or (sums[w - 1] != NULL and (sums[w - 1] < sums[w]) == (kind == 4)):  # noqa: PLR2004
            sums[w] = sums[w - 1]


@njit(cache=True, nogil=True)
def _divide(fraction, sums, account, found, number):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The feature of one timeline joins what other timelines of its type gave."""
    top, bottom, window, at_least, since, least, needs_account = fraction
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
