"""All timelines of one request as of one moment: every windowed feature by a few masks and running sums. The online side of `features/windows.py`.

The visible events of all timelines stand in one row, timeline after timeline (a stretch), the youngest first. So a window of a timeline is a range,
and a count or a sum over it is the difference of two running sums; a few hundred events cost no more than one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from data_contracts.link import EntityType
from data_contracts.timeline import NULL, WHOLE, Entity, Stream, Timeline
from features.declare import Condition, Measure
from features.formulas import Floats, Ints, quotient, smallest_wins
from features.plan import DAY_US, Group, Part

Flags = npt.NDArray[np.bool_]

SHIFT = 56
"""Bits below the number of a stretch: an age in microseconds fits in for 2,000 years."""

_COMPARE = {"eq": np.equal, "ne": np.not_equal, "ge": np.greater_equal, "lt": np.less}


class Layout:
    """What is known of the windowed features before a request comes: where their parts and windows stand."""

    def __init__(self, plans: Sequence[Group]) -> None:
        fractions = [each for plan in plans for each in plan.fractions]
        features = [each.feature for each in fractions]
        self.names = [feature.name for feature in features]
        self.parts = tuple(dict.fromkeys(part for each in fractions for part in (each.top, each.bottom) if part is not None))
        self.windows = tuple(dict.fromkeys(feature.window_days for feature in features))
        self.columns = tuple(dict.fromkeys(name for plan in plans for name in plan.columns))
        place = {part: number for number, part in enumerate(self.parts)}
        self.top = np.array([place[each.top] for each in fractions], np.int64)
        self.bottom = np.array([-1 if each.bottom is None else place[each.bottom] for each in fractions], np.int64)
        self.window = np.array([self.windows.index(feature.window_days) for feature in features], np.int64)
        self.span_us = np.array([2**SHIFT - 1 if days is None else days * DAY_US for days in self.windows], np.int64)
        self.since = np.array([feature.measure in (Measure.SINCE_LAST, Measure.SINCE_FIRST) for feature in features], np.bool_)
        self.least = np.array([smallest_wins(feature) for feature in features], np.bool_)
        self.at_least = np.array([1 if each.bottom is None else each.feature.at_least for each in fractions], np.int64)
        self.needs_account = np.array([feature.whose != "all" for feature in features], np.bool_)
        ends = np.cumsum([0, *(len(plan.fractions) for plan in plans)])
        self.features: Mapping[tuple[EntityType, Stream], Ints] = {
            (plan.entity, plan.stream): np.arange(ends[number], ends[number + 1]) for number, plan in enumerate(plans)
        }


def windowed(layout: Layout, timelines: Mapping[tuple[Entity, Stream], Timeline], as_of_us: int, account: str | None, limit: int) -> dict[str, float]:
    """Every windowed feature over the timelines; NaN is null. The largest over several entities of a type, for since_last the smallest."""
    keys = [key for key in timelines if (key[0].type, key[1]) in layout.features]
    if not keys:
        return {}
    row = Row(layout, [timelines[key] for key in keys], as_of_us, account, limit)
    features = [layout.features[entity.type, stream] for entity, stream in keys]
    feature = np.concatenate(features)
    stretch = np.repeat(np.arange(len(keys)), [each.size for each in features])
    values = row.values(feature, stretch)
    found = np.full(len(layout.names), np.nan)
    least = layout.least[feature]
    np.fmax.at(found, feature[~least], values[~least])
    np.fmin.at(found, feature[least], values[least])
    return dict(zip(layout.names, found.tolist(), strict=True))


class Row:
    """The visible events of several timelines, stretch after stretch, the youngest first."""

    def __init__(self, layout: Layout, timelines: Sequence[Timeline], as_of_us: int, account: str | None, limit: int) -> None:
        recent = [_recent(timeline, as_of_us, limit) for timeline in timelines]
        occurred = np.concatenate([timeline.occurred_us[part] for timeline, part in zip(timelines, recent, strict=True)])
        until = np.concatenate([timeline.until_us[part] for timeline, part in zip(timelines, recent, strict=True)])
        stretch = np.repeat(np.arange(len(timelines)), [part.stop - part.start for part in recent])
        key = (stretch << SHIFT) + (as_of_us - occurred)
        visible = np.flatnonzero(until >= as_of_us)
        visible = visible[np.argsort(key[visible], kind="stable")]
        key = key[visible]
        self.layout = layout
        self.age = as_of_us - occurred[visible]
        self.account = account
        self.columns = {
            name: np.concatenate([getattr(timeline, name)[part] for timeline, part in zip(timelines, recent, strict=True)])[visible]
            for name in layout.columns
        }
        self.known = {name: _known(name, column) for name, column in self.columns.items()}
        first = np.arange(len(timelines)) << SHIFT
        self.begin = np.searchsorted(key, first, "left")
        self.end = np.searchsorted(key, first[:, None] + layout.span_us, "right")

    def values(self, feature: Ints, stretch: Ints) -> Floats:
        """The value of each feature over the stretch beside it; NaN is null."""
        layout = self.layout
        begin, end = self.begin[stretch], self.end[stretch, layout.window[feature]]
        run = np.zeros((len(layout.parts) + 1, self.age.size + 1), np.int64)
        masks = [self._mask(part) for part in layout.parts]
        for number, (part, mask) in enumerate(zip(layout.parts, masks, strict=True)):
            if part.kind not in ("last", "first"):
                run[number, 1:] = self._added(part, mask)
        np.cumsum(run, axis=1, out=run)
        top = run[layout.top[feature], end] - run[layout.top[feature], begin]
        bottom = run[layout.bottom[feature], end] - run[layout.bottom[feature], begin]
        bottom[layout.bottom[feature] < 0] = 1
        for number, part in enumerate(layout.parts):
            if part.kind in ("last", "first"):
                mine = np.flatnonzero(layout.top[feature] == number)
                top[mine] = self._extreme(np.flatnonzero(masks[number]), begin[mine], end[mine], latest=part.kind == "last")
                bottom[mine] = np.where(top[mine] == NULL, 0, DAY_US)
        found = quotient(top, bottom, layout.at_least[feature])
        if self.account is None:
            found[layout.needs_account[feature]] = np.nan
        return found

    def _mask(self, part: Part) -> Flags:
        """The events that a part counts."""
        mask = np.ones(self.age.size, np.bool_)
        for test in part.where:
            mask &= self._passes(test)
        if part.whose != "all":
            own = (self.columns["account_id"] == self.account).astype(np.bool_)
            mask &= own if part.whose == "own" else ~own & self.known["account_id"]
        if part.of is not None:
            mask &= self.known[part.of]
        return mask

    def _passes(self, test: Condition) -> Flags:
        flags: Flags = _COMPARE[test.op](self.columns[test.column], test.value).astype(np.bool_)
        return flags & self.known[test.column]

    def _added(self, part: Part, mask: Flags) -> Ints | Flags:
        """What each event adds to a part; to the number of different values only the youngest event of each value does."""
        if part.kind == "sum":
            return np.where(mask, self.columns[part.of or ""], 0)
        return self._youngest_of_each(self.columns[part.of or ""], mask) if part.kind == "distinct" else mask

    def _youngest_of_each(self, column: npt.NDArray[np.object_], mask: Flags) -> Flags:
        found = np.flatnonzero(mask)
        stretch = np.searchsorted(self.begin, found, "right")
        flags = np.zeros(mask.size, np.bool_)
        seen: set[tuple[int, object]] = set()
        for place, key in zip(found.tolist(), zip(stretch.tolist(), column[found].tolist(), strict=True), strict=True):
            if key not in seen:
                seen.add(key)
                flags[place] = True
        return flags

    def _extreme(self, found: Ints, begin: Ints, end: Ints, *, latest: bool) -> Ints:
        """The age of the latest or earliest occurrence among the events found in each range; NULL where there is none."""
        place = np.searchsorted(found, begin, "left") if latest else np.searchsorted(found, end, "left") - 1
        there = np.searchsorted(found, begin, "left") < np.searchsorted(found, end, "left")
        ages = np.full(begin.size, NULL)
        ages[there] = self.age[found[place[there]]]
        return ages


def _recent(timeline: Timeline, as_of_us: int, limit: int) -> slice:
    """The events known before the moment, the latest `limit` of them."""
    known = int(np.searchsorted(timeline.known_us, as_of_us, "left"))
    return slice(max(0, known - limit), known)


def _known(name: str, column: npt.NDArray[Any]) -> Flags:
    """Where a payload column is known."""
    if name in WHOLE:
        flags: Flags = column != NULL
        return flags
    return np.array([value is not None for value in column.tolist()], dtype=np.bool_)
