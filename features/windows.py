"""The exact kernel of windowed features in batch: for every question, whole numbers over the events visible at its moment.

An event is visible over the half-open interval (known, expire], expire = min(occurred + window, until, known of the event `limit` places later).
So a count or a sum at `t` is what entered (known < t) less what expired (expire < t): two merges over sorted arrays, exact, n log n at worst
(and only where late events put the expiries out of order). Different values are counted by merging, per value, the intervals that touch.
Latest and earliest occurrence come off a heap whose expired top is dropped when it is reached.
Arrays are grouped by entity: the events of entity `e` lie in [start[e], start[e + 1]), sorted by (known, event id).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_contracts.machine_code import njit
from data_contracts.timeline import NULL

Ints = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Events:
    """The events of one entity type and stream, grouped by entity and sorted by (known, event id); `account` is -1 when not known."""

    start: Ints
    occurred: Ints
    known: Ints
    until: Ints
    account: Ints

    def arrays(self) -> tuple[Ints, Ints, Ints, Ints]:
        """The columns, one entry an event."""
        return self.occurred, self.known, self.until, self.account


@dataclass(frozen=True, slots=True)
class Questions:
    """Who asks about which entity at which moment, grouped by entity and sorted by moment; `account` is the asker's own, -1 when not known."""

    start: Ints
    at: Ints
    account: Ints


class Wanted(NamedTuple):
    """Columns of `values` to sum, rows of `codes` to count different ones of (-1: none), and whether the asker's own events count apart too."""

    values: Ints
    codes: Ints
    own: bool


def group(code: Ints, groups: int) -> tuple[Ints, Ints]:
    """A stable counting sort: where each group starts, and the positions in order of group."""
    start: Ints
    order: Ints
    start, order = _group(code, groups)
    return start, order


def limited(events: Events, limit: int) -> Ints:
    """Until when each event may count, windows aside: its `until`, or the moment `limit` later events of the entity are known."""
    found: Ints = _limited(events.start, events.known, events.until, limit)
    return found


def totals(events: Events, expire: Ints, questions: Questions, columns: tuple[Matrix, Matrix], wanted: Wanted) -> tuple[Matrix, Matrix]:
    """One row each: sums of the wanted values, then numbers of different codes, over the events visible at each question.

    `columns` are the values, one row an event (what is added together lies together), and the codes, one column an event. The second matrix
    holds the sums over the events of the asker's own account (without columns when they are not wanted).
    """
    accounts = int(max(events.account.max(initial=0), questions.account.max(initial=0))) + 1 if wanted.own else 0
    total: Matrix
    mine: Matrix
    total, mine = _totals(
        (events.start, events.known, expire, events.account),
        (questions.start, questions.at, questions.account),
        columns,
        (wanted.values, wanted.codes),
        (accounts, int(columns[1].max(initial=-1)) + 1),
    )
    return total.T, mine.T


def extremes(events: Events, expire: Ints, questions: Questions, mask: npt.NDArray[np.bool_], sign: int) -> Ints:
    """The latest (`sign` 1) or earliest (-1) occurrence among the masked events visible at each question; NULL when there is none."""
    found: Ints = _extremes((events.start, events.occurred, events.known, expire), (questions.start, questions.at), mask, sign)
    return found


def expiry(occurred: Ints, base: Ints, window_us: int | None) -> Ints:
    """The last moment at which each event is visible; a window of None is all time."""
    if window_us is None:
        return base
    return np.minimum(occurred + window_us, base)


@njit(cache=True)
def _group(code, groups):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # compiled
    start = np.zeros(groups + 1, np.int64)
    for value in code:
        start[value + 1] += 1
    for g in range(groups):
        start[g + 1] += start[g]
    fill = start[:-1].copy()
    order = np.empty(code.size, np.int64)
    for i in range(code.size):
        order[fill[code[i]]] = i
        fill[code[i]] += 1
    return start, order


@njit(cache=True)
def _limited(start, known, until, limit):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    base = until.copy()
    for e in range(start.size - 1):
        for i in range(start[e], start[e + 1] - limit):
            base[i] = min(base[i], known[i + limit])
    return base


@njit(cache=True)
def _expiry_order(expire, low, high):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Positions of one entity's events by expiry; no sorting where they are in order already, as they are unless events come late."""
    for i in range(low + 1, high):
        if expire[i] < expire[i - 1]:
            return low + np.argsort(expire[low:high], kind="mergesort")
    return np.arange(low, high)


@njit(cache=True)
def _merge_intervals(known, expire, codes, span, holders, enter, leave):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913
    """Mark, per value, the events that open a merged interval of visibility and those whose expiry closes one."""
    low, high, stamp = span
    holder, seen = holders
    for i in range(low, high):
        enter[i - low] = 0
        leave[i - low] = 0
        value = codes[i]
        if value < 0 or expire[i] <= known[i]:
            continue
        last = holder[value] if seen[value] == stamp else -1
        seen[value] = stamp
        if last < 0 or expire[last] < known[i]:
            enter[i - low] = 1
        elif expire[i] <= expire[last]:
            continue
        else:
            leave[last - low] = 0
        leave[i - low] = 1
        holder[value] = i


@njit(cache=True)
def _sweep(events, asked, values, pick, flags, span, sums, own, result):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, C901, PLR0912
    """Walk one entity's events and questions once; `sums` runs over all events, `own` over those of each account."""
    _, known, expire, account = events
    _, at, asker = asked
    enter, leave = flags
    low, high, stamp, first, last = span
    mine, seen = own
    total, own_total = result
    width, distinct = pick.size, enter.shape[0]
    tracked = mine.shape[0] > 0  # without it the accounts are empty arrays
    order = _expiry_order(expire, low, high)
    sums[:] = 0
    i, x = low, 0
    for q in range(first, last):
        while i < high and known[i] < at[q]:
            if expire[i] > known[i]:
                for j in range(width):
                    sums[j] += values[i, pick[j]]
                for j in range(distinct):
                    sums[width + j] += enter[j, i - low]
                if tracked and account[i] >= 0:
                    who = account[i]
                    if seen[who] != stamp:
                        seen[who] = stamp
                        mine[who, :] = 0
                    for j in range(width):
                        mine[who, j] += values[i, pick[j]]
            i += 1
        while x < order.size and expire[order[x]] < at[q]:
            gone = order[x]
            if expire[gone] > known[gone]:
                for j in range(width):
                    sums[j] -= values[gone, pick[j]]
                for j in range(distinct):
                    sums[width + j] -= leave[j, gone - low]
                if tracked and account[gone] >= 0:
                    for j in range(width):
                        mine[account[gone], j] -= values[gone, pick[j]]
            x += 1
        total[q, :] = sums
        if tracked and asker[q] >= 0 and seen[asker[q]] == stamp:
            own_total[q, :] = mine[asker[q], :]


@njit(cache=True, nogil=True)
def _totals(events, asked, columns, wanted, sizes):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    start, known, expire, _ = events
    asked_start, at, _ = asked
    values, codes = columns
    pick, pick_codes = wanted
    accounts, spread = sizes
    width, distinct = pick.size, pick_codes.size
    longest = np.max(start[1:] - start[:-1]) if start.size > 1 else 0
    enter = np.zeros((distinct, longest), np.int64)
    leave = np.zeros((distinct, longest), np.int64)
    holder = np.zeros((distinct, spread), np.int64)
    seen = np.full((distinct, spread), -1, np.int64)
    own = (np.zeros((accounts, width), np.int64), np.full(accounts, -1, np.int64))
    sums = np.zeros(width + distinct, np.int64)
    total = np.zeros((at.size, width + distinct), np.int64)
    own_total = np.zeros((at.size if accounts > 0 else 0, width), np.int64)
    for e in range(start.size - 1):
        if asked_start[e] == asked_start[e + 1]:
            continue
        span = (start[e], start[e + 1], e)
        for d in range(distinct):
            _merge_intervals(known, expire, codes[pick_codes[d]], span, (holder[d], seen[d]), enter[d], leave[d])
        around = (start[e], start[e + 1], e, asked_start[e], asked_start[e + 1])
        _sweep(events, asked, values, pick, (enter, leave), around, sums, own, (total, own_total))
    return total, own_total


@njit(cache=True)
def _push(heap, size, item, keys, sign):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    child = size
    while child > 0:
        parent = (child - 1) // 2
        if sign * keys[heap[parent]] >= sign * keys[item]:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = item
    return size + 1


@njit(cache=True)
def _pop(heap, size, keys, sign):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    size -= 1
    item = heap[size]
    parent = 0
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        if child + 1 < size and sign * keys[heap[child + 1]] > sign * keys[heap[child]]:
            child += 1
        if sign * keys[item] >= sign * keys[heap[child]]:
            break
        heap[parent] = heap[child]
        parent = child
    heap[parent] = item
    return size


@njit(cache=True, nogil=True)
def _extremes(events, asked, mask, sign):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    start, occurred, known, expire = events
    asked_start, at = asked
    longest = np.max(start[1:] - start[:-1]) if start.size > 1 else 0
    heap = np.empty(longest + 1, np.int64)
    found = np.full(at.size, NULL, np.int64)
    for e in range(start.size - 1):
        i, size = start[e], 0
        for q in range(asked_start[e], asked_start[e + 1]):
            while i < start[e + 1] and known[i] < at[q]:
                if mask[i]:
                    size = _push(heap, size, i, occurred, sign)
                i += 1
            while size > 0 and expire[heap[0]] < at[q]:
                size = _pop(heap, size, occurred, sign)
            if size > 0:
                found[q] = occurred[heap[0]]
    return found
