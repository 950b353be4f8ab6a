"""Events and questions of one entity type and stream as arrays: what the kernel in `features/windows.py` walks over."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.link import EntityType
from data_contracts.timeline import NAMES, TIMELINE_LIMIT, Stream
from features import claim_tables
from features.formulas import Ints
from features.plan import Group
from features.projection import Projection
from features.windows import Events, Questions, group
from features.words import Words

PART = 200_000
"""About how many events and questions a part has."""


class Coded(NamedTuple):
    """One entity type and stream as arrays: events and questions grouped by entity, payload columns in the order of the events."""

    events: Events
    questions: Questions
    place: Ints
    columns: Mapping[str, Ints]
    words: Mapping[str, Words]


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
    columns = {name: _ordered(words[name].codes(events[name]) if name in NAMES else claim_tables.whole(events[name]), order) for name in plan.columns}
    occurred, known, until = (_ordered(events[name].to_numpy(), order) for name in ("occurred_us", "known_us", "until_us"))
    asked_start, asked_order = group(asked, groups_in_all)
    place = _ordered(members["place"].to_numpy(), asked_order).astype(np.int64)
    whose = any(part is not None and part.whose != "all" for each in plan.fractions for part in (each.top, each.bottom))
    own = _ordered(words["account_id"].codes(projection.requests["account_id"]), place) if whose else np.full(place.size, -1)
    questions = Questions(asked_start, _ordered(projection.requests["known_us"].to_numpy(), place), own)
    return Coded(Events(start, occurred, known, until, columns.get("account_id", np.empty(0, np.int64))), questions, place, columns, words)


def _ordered(values: npt.NDArray[Any], order: Ints) -> npt.NDArray[Any]:
    """The values at the places of `order`; `take` that checks no place takes half the time of indexing where memory is far away."""
    return np.take(values, order, mode="clip")


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
