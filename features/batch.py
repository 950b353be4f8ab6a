"""Every feature of every request, point in time, from tables. Polars joins and sorts, the kernel in `features/windows.py` merges."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from data_contracts.link import EntityType
from data_contracts.tables import OPEN_TABLE, TIME
from data_contracts.timeline import NAMES, NULL, TIMELINE_LIMIT, Stream
from features import claim, claim_tables
from features.catalog import ATTRIBUTE, FEATURES, formulas, kind_of
from features.declare import Condition, Feature, Given, Measure, Stated, Windowed
from features.formulas import Floats, Ints, derive, quotient, smallest_wins
from features.plan import DAY_US, Group, Part, groups
from features.projection import STREAM_TABLES, Projection, Tables, currency_of
from features.windows import Events, Questions, Wanted, expiry, extremes, group, limited, totals
from features.words import Words


def compute_batch(
    tables: Tables,
    given: pl.DataFrame | None = None,
    slow: pl.DataFrame | None = None,
    *,
    features: Sequence[Feature] = FEATURES,
    limit: int = TIMELINE_LIMIT,
) -> pl.DataFrame:
    """One row a request: request_id, as_of, every feature in catalogue order, then the shop's own columns by name.

    `given` (graph) and `slow` (feature store) hold request_id and feature columns; what they lack is null. Rows are in the order of
    (as_of, request_id). Numbers are Float64, categories String; null is missing.
    """
    projection = Projection(tables, currency_of(tables))
    values: dict[str, Floats] = {}
    for each in groups(features):
        values |= windowed(projection, each, limit)
    values |= claim.numbers(claim_tables.claims_of(projection))
    frame = projection.requests.select("request_id", pl.from_epoch("known_us", time_unit="us").cast(TIME).alias("as_of"))
    for handed in (given, slow):
        if handed is not None:
            frame = frame.join(handed.drop("as_of", strict=False), on="request_id", how="left", maintain_order="left")
    values |= {name: frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in _handed(frame, features)}
    nothing = np.full(frame.height, np.nan)
    for formula in formulas(features):
        values[formula.name] = derive(formula, values.get(formula.a, nothing), values.get(formula.b, nothing))
    columns = [_column(feature, values, projection) for feature in features]
    return pl.concat([frame.select("request_id", "as_of"), pl.DataFrame(columns), *_attributes(projection)], how="horizontal")


def _handed(frame: pl.DataFrame, features: Sequence[Feature]) -> list[str]:
    wanted = [feature.name for feature in features if isinstance(feature, Given) or (isinstance(feature, Windowed) and feature.slow)]
    return [name for name in wanted if name in frame.columns]


def _column(feature: Feature, values: Mapping[str, Floats], projection: Projection) -> pl.Series:
    """The finished column of a feature; NaN becomes null."""
    if isinstance(feature, Stated) and kind_of(feature) == "category":
        words = projection.requests["claim_type"] if feature.name == "claim_type" else projection.category
        return words.cast(pl.String).alias(feature.name)
    if feature.name not in values:
        return pl.Series(feature.name, [None] * projection.requests.height, dtype=pl.Float64)
    return pl.Series(feature.name, values[feature.name], dtype=pl.Float64, nan_to_null=True)


def _attributes(projection: Projection) -> list[pl.DataFrame]:
    """The shop's own columns, by name, under the names of their features."""
    if OPEN_TABLE not in projection.tables:
        return []
    own = projection.tables[OPEN_TABLE]
    joined = projection.requests.select("request_id").join(own, on="request_id", how="left", maintain_order="left").drop("request_id")
    return [joined.select(pl.col(name).alias(f"{ATTRIBUTE}{name}") for name in sorted(joined.columns))]


THREADS = min(4, os.cpu_count() or 1)
"""How many parts are computed at a time; the kernel and NumPy let other threads work."""

PART = 200_000
"""About how many events and questions a part has."""


class Coded(NamedTuple):
    """One entity type and stream as arrays: events and questions grouped by entity, payload columns in the order of the events."""

    events: Events
    questions: Questions
    place: Ints
    columns: Mapping[str, Ints]
    words: Mapping[str, Words]


def windowed(projection: Projection, plan: Group, limit: int = TIMELINE_LIMIT) -> dict[str, Floats]:
    """The windowed features of one entity type and stream, one value a request in the order of `projection.requests`; NaN is null."""
    height = projection.requests.height
    members = projection.members(plan.entity)
    if STREAM_TABLES[plan.stream] not in projection.tables or members.is_empty():
        return {each.feature.name: np.full(height, np.nan) for each in plan.fractions}
    coded = encode(projection, plan, members, limit)
    several = members["place"].n_unique() != members.height
    found = {each.feature.name: np.full(height, np.nan) for each in plan.fractions}

    def answer(part: Coded) -> None:
        for feature, values in measure(plan, part, limit):
            if several:
                (np.fmin if smallest_wins(feature) else np.fmax).at(found[feature.name], part.place, values)
            else:
                found[feature.name][part.place] = values

    with ThreadPoolExecutor(1 if several else THREADS) as pool:  # the entities of one request may lie in two parts
        list(pool.map(answer, parts_of(coded)))
    return found


def parts_of(coded: Coded) -> Iterator[Coded]:
    """The same, some entities at a time: what is in work then fits the processor's cache, and parts are independent."""
    events, asked = coded.events, coded.questions
    load = events.start + asked.start
    cuts = np.unique([0, *np.searchsorted(load, np.arange(PART, load[-1], PART)), load.size - 1])
    for low, high in pairwise(cuts.tolist()):
        own, mine = slice(events.start[low], events.start[high]), slice(asked.start[low], asked.start[high])
        yield coded._replace(
            events=Events(events.start[low : high + 1] - own.start, *(column[own] for column in events.arrays())),
            questions=Questions(asked.start[low : high + 1] - mine.start, asked.at[mine], asked.account[mine]),
            place=coded.place[mine],
            columns={name: column[own] for name, column in coded.columns.items()},
        )


def encode(projection: Projection, plan: Group, members: pl.DataFrame, limit: int = TIMELINE_LIMIT) -> Coded:
    """Ids become whole numbers, events and questions are grouped by entity. Without members all events are kept, and nobody asks."""
    words = {name: Words() for name in ("entity", "account_id", *(set(plan.columns) & set(NAMES)))}
    if plan.entity is EntityType.ACCOUNT:
        words["account_id"] = words["entity"]
    asked = words["entity"].codes(members["entity_id"])
    # Requests and labels lie on entities that somebody asks about; orders and links mostly do not.
    only = members["entity_id"].unique() if plan.stream in (Stream.ORDER, Stream.LINK) and not members.is_empty() else None
    events, about = _events(projection, plan, words["entity"], only, limit)
    groups_in_all = int(max(asked.max(initial=-1), about.max(initial=-1))) + 1
    start, order = group(about, groups_in_all)
    columns = {name: (words[name].codes(events[name]) if name in NAMES else claim_tables.whole(events[name]))[order] for name in plan.columns}
    occurred, known, until = (events[name].to_numpy()[order] for name in ("occurred_us", "known_us", "until_us"))
    asked_start, asked_order = group(asked, groups_in_all)
    place = members["place"].to_numpy()[asked_order].astype(np.int64)
    whose = any(part is not None and part.whose != "all" for each in plan.fractions for part in (each.top, each.bottom))
    own = words["account_id"].codes(projection.requests["account_id"])[place] if whose else np.full(place.size, -1)
    questions = Questions(asked_start, projection.requests["known_us"].to_numpy()[place], own)
    return Coded(Events(start, occurred, known, until, columns.get("account_id", np.empty(0, np.int64))), questions, place, columns, words)


def _events(projection: Projection, plan: Group, words: Words, only: pl.Series | None, limit: int) -> tuple[pl.DataFrame, Ints]:
    """The events, each entity's in the order of (known, event id), and their entities' numbers.

    Links of one moment come without order, and it matters only on entities with more than `limit` of them: only these are sorted by id.
    """
    columns = ("occurred_us", "known_us", "until_us", *plan.columns)
    events = projection.events(plan.entity, plan.stream, columns, only)
    about = words.codes(events["entity_id"])
    hubs = np.flatnonzero(np.bincount(about) > limit) if plan.stream is Stream.LINK else np.empty(0, np.int64)
    if not hubs.size:
        return events, about
    sorted_hubs = projection.events(plan.entity, plan.stream, (*columns, "event_id"), words.names(hubs)).drop("event_id")
    events = pl.concat([events.filter(~np.isin(about, hubs)), sorted_hubs])
    return events, words.codes(events["entity_id"])


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
