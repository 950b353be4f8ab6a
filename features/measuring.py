"""The windowed features of one entity type and stream over arrays: whole numbers from the kernel, then one division."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from data_contracts.timeline import NAMES, NULL, TIMELINE_LIMIT
from features.coding import Coded
from features.declare import Condition, Measure, Windowed
from features.formulas import Floats, Ints, quotient
from features.plan import DAY_US, Group, Part
from features.windows import Questions, Wanted, expiry, extremes, limited, totals


def measure(plan: Group, coded: Coded, limit: int = TIMELINE_LIMIT) -> list[tuple[Windowed, Floats]]:
    """Each feature's value for each question; NaN is null."""
    base, added = limited(coded.events, limit), _added(plan, coded)
    found: list[tuple[Windowed, Floats]] = []
    for days in plan.windows:
        wholes = _wholes(plan.parts(days), coded, added, expiry(coded.events.occurred, base, None if days is None else days * DAY_US))
        mine = [each for each in plan.fractions if each.feature.window_days == days]
        found += [(each.feature, _value(each.feature, wholes[each.top], each.bottom and wholes[each.bottom], coded.questions)) for each in mine]
    return found


def _value(feature: Windowed, top: Ints, bottom: Ints | None, questions: Questions) -> Floats:
    """The quotient, null where it has none or the asker's account is needed and not known."""
    if feature.measure in (Measure.SINCE_LAST, Measure.SINCE_FIRST):
        return quotient(questions.at - top, np.where(top == NULL, 0, DAY_US), 1)
    value = top.astype(np.float64) if bottom is None else quotient(top, bottom, feature.at_least)
    return value if feature.whose == "all" else np.where(questions.account >= 0, value, np.nan)


class Added(NamedTuple):
    """What each event adds to each part, made once for all windows, and where each part stands (column of values, row of codes)."""

    values: Ints
    codes: Ints
    rows: Mapping[Part, int]


def _own(part: Part) -> Part:
    """The part that says whether the asker's own account is among the different ones."""
    return Part("known", part.of, part.where, "own")


def _added(plan: Group, coded: Coded) -> Added:
    parts = dict.fromkeys(part for days in plan.windows for part in plan.parts(days))
    differing = [part for part in parts if part.kind == "distinct"]
    own = [_own(part) for part in differing if part.whose == "others"]
    summed = list(dict.fromkeys([*(part for part in parts if part.kind in ("count", "sum", "known")), *own]))
    size = coded.events.known.size
    values, codes = np.empty((size, len(summed)), np.int64), np.empty((len(differing), size), np.int64)
    for column, part in enumerate(summed):
        values[:, column] = _counted(part, coded)
    for row, part in enumerate(differing):
        codes[row] = np.where(_mask(part.where, coded), coded.columns[part.of or ""], -1)
    return Added(values, codes, {part: row for parts in (summed, differing) for row, part in enumerate(parts)})


def _wholes(parts: Sequence[Part], coded: Coded, added: Added, expire: Ints) -> dict[Part, Ints]:
    """The whole number of each part for each question."""
    differing = [part for part in parts if part.kind == "distinct"]
    own = [_own(part) for part in differing if part.whose == "others"]
    summed = list(dict.fromkeys([*(part for part in parts if part.kind in ("count", "sum", "known")), *own]))
    rows = [np.array([added.rows[part] for part in some], np.int64) for some in (summed, differing)]
    wanted = Wanted(rows[0], rows[1], any(part.whose != "all" for part in (*summed, *differing)))
    found: dict[Part, Ints] = {}
    if summed or differing:
        every, mine = totals(coded.events, expire, coded.questions, (added.values, added.codes), wanted)
        for place, part in enumerate(summed):
            if part.whose == "own":
                found[part] = mine[place]
            else:
                found[part] = every[place] - mine[place] if part.whose == "others" else every[place]
        for place, part in enumerate(differing, start=len(summed)):
            found[part] = every[place] - (found[_own(part)] > 0) if part.whose == "others" else every[place]
    for part in parts:
        if part.kind in ("last", "first"):
            found[part] = extremes(coded.events, expire, coded.questions, _mask(part.where, coded), 1 if part.kind == "last" else -1)
    return found


def _counted(part: Part, coded: Coded) -> Ints:
    """What an event adds to the part: 1, its value, or 1 when its value is known. An event of nobody is not one of others."""
    mask = _mask(part.where, coded)
    if part.whose == "others":
        mask &= coded.events.account >= 0
    if part.kind == "count":
        return mask.astype(np.int64)
    values = coded.columns[part.of or ""]
    mask &= values != (-1 if part.of in NAMES else NULL)
    return mask.astype(np.int64) if part.kind == "known" else np.where(mask, values, 0)


def _mask(where: Sequence[Condition], coded: Coded) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The events that fulfil every condition; one whose column is not known does not."""
    mask = np.ones(coded.events.known.size, np.bool_)
    for test in where:
        values = coded.columns[test.column]
        if isinstance(test.value, str):
            wanted = coded.words[test.column].code(test.value)
            mask &= (values == wanted) if test.op == "eq" else (values != wanted) & (values >= 0)
        else:
            mask &= _COMPARE[test.op](values, test.value) & (values != NULL)
    return mask


_COMPARE = {"eq": np.equal, "ne": np.not_equal, "ge": np.greater_equal, "lt": np.less}
