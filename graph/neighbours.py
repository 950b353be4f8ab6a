"""Neighbour aggregates: what the accounts around a buyer are like, by what they share, one and two steps away, as of any moment.

A neighbour is another account that came to the same device, address, card, phone, network, image or text; of every entity the latest ones count.
What is told of them is theirs, not only what they did on that one entity: claims, orders, money, what they were caught at, how old their account
is. All of it strictly before the question; a judged claim counts once its label is known. Sums are of whole numbers and every feature ends in at
most one division, so batch and live agree to the bit, in whatever order events arrive.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from graph.judgements import Judgement
from graph.neighbour_events import TYPES, Named, Tables, answer, events_of, named, questions_of, state_for
from graph.neighbour_kernel import DAY_US, MEASURES, WIDTH, empty_look
from graph.neighbour_state import with_refuted
from graph.refuted import refuted
from graph.union_find import Ints

STARTS = "starts"

GROUP_NAMES = (*(str(kind) for kind in TYPES), "near", "far")


class Aggregate(NamedTuple):
    """One feature: `top` of a group divided by `bottom` and `unit` (nothing: the whole number itself); null where the bottom is 0.

    `known` is what must be there instead, where the bottom is none.
    """

    name: str
    group: int
    top: str
    bottom: str | None = None
    unit: int = 1
    known: str = STARTS


MEANS = ("claims_90", "claims", "amount", "abuse", "honest", "abusers")
"""Measures of which the mean over the accounts is an aggregate, too."""


def all_aggregates() -> tuple[Aggregate, ...]:
    """Every aggregate that can be made: mean, largest and sum of each fact for each group."""
    found: list[Aggregate] = []
    for group, name in enumerate(GROUP_NAMES):
        stem = name if name in ("near", "far") else f"{name}_near"
        found += [Aggregate(f"{stem}_{top}", group, top) for top in MEASURES if not top.startswith("age")]
        found += [Aggregate(f"{stem}_{top}_mean", group, top, "accounts") for top in MEANS]
        found += [
            Aggregate(f"{stem}_share_pooled", group, "claims", "orders"),
            Aggregate(f"{stem}_share_most", group, "share_claims", "share_orders"),
            Aggregate(f"{stem}_age_mean", group, "age", "aged", DAY_US),
            Aggregate(f"{stem}_age_least", group, "age_least", None, DAY_US, "aged"),
        ]
    return tuple(found)


CHOSEN = (
    "near_accounts",
    "near_claims_90_mean",
    "near_claims_most",
    "near_share_pooled",
    "near_amount_mean",
    "near_abuse",
    "near_abuse_most",
    "near_age_mean",
    "near_age_least",
    "far_accounts",
    "far_claims_mean",
    "far_abuse",
)

AGGREGATES = tuple(each for each in all_aggregates() if each.name in CHOSEN)
"""The ones that are features (`features/views/neighbours.py`): of all neighbours, and of those one step further."""

JUDGED = ("abuse", "abuse_most", "abusers", "honest", "honest_most")
"""Measures that are null where there are no labels at all."""


def neighbour_facts(
    tables: Tables,
    currency: str | None = None,
    judgements: Iterable[Judgement] = (),
    aggregates: Sequence[Aggregate] = AGGREGATES,
) -> pl.DataFrame:
    """request_id and one Float64 column an aggregate, one row a request in the order of `refund_requests`.

    `currency`: the one of sums, null for any. Null: no links table; nothing of that kind to start from; a mean or share of nobody; what is judged
    without a labels table.
    """
    ids = tables["refund_requests"].select("request_id")
    if "links" not in tables:
        return ids.with_columns(pl.lit(None, pl.Float64).alias(each.name) for each in aggregates)
    names = named(tables)
    events = events_of(tables, names, currency)
    picked, places = picks(aggregates)
    answers = np.zeros((ids.height, len(picked)), dtype=np.int64)
    around = with_refuted(state_for(names, events), _refuted(names, judgements))
    answer(around, events, questions_of(names), picked, empty_look(), answers)
    return ids.with_columns(_column(each, answers, places, judged="labels" in tables) for each in aggregates)


def picks(aggregates: Sequence[Aggregate]) -> tuple[Ints, Mapping[tuple[int, str], int]]:
    """Which whole numbers the aggregates need, as places in the kernel's table, and where each of them comes to lie."""
    needed: dict[tuple[int, str], int] = {}
    for each in aggregates:
        for measure in (each.top, each.bottom or each.known):
            needed.setdefault((each.group, measure), len(needed))
    return np.array([group * WIDTH + MEASURES.index(measure) for group, measure in needed], dtype=np.int64), needed


def places_of(each: Aggregate, places: Mapping[tuple[int, str], int]) -> tuple[int, int]:
    """Where the top and the bottom of an aggregate stand among the picked whole numbers; for the bottom, what must be there instead of one."""
    return places[each.group, each.top], places[each.group, each.bottom or each.known]


def value(each: Aggregate, top: int, bottom: int, *, judged: bool) -> float | None:
    """One aggregate out of its two whole numbers."""
    if bottom == 0 or (not judged and each.top in JUDGED):
        return None
    return float(top) / float(each.unit * (1 if each.bottom is None else bottom))


def _column(each: Aggregate, answers: npt.NDArray[np.int64], places: Mapping[tuple[int, str], int], *, judged: bool) -> pl.Series:
    """The same for all questions."""
    above, below = places_of(each, places)
    bottom = answers[:, below]
    known = (bottom > 0) & (judged or each.top not in JUDGED)
    top = answers[:, above] / (each.unit * (1 if each.bottom is None else np.maximum(bottom, 1)))
    return pl.Series(each.name, np.where(known, top, np.nan), dtype=pl.Float64, nan_to_null=True)


def _refuted(names: Named, judgements: Iterable[Judgement]) -> list[tuple[int, int, int, int]]:
    """What was refuted, by code; of nodes that nobody came to nothing needs to be said."""
    said = [each for each in refuted(judgements) if each.entity.type in TYPES]
    if not said:
        return []
    accounts = {name: code for code, name in enumerate(names.accounts)}
    entities = {pair: code for code, pair in enumerate(names.entities.iter_rows())}
    rows = [(entities.get((str(one.entity.type), one.entity.id)), accounts.get(one.account_id or ""), one) for one in said]
    return [
        (entity, -1 if account is None else account, one.from_us, one.until_us)
        for entity, account, one in rows
        if entity is not None and (one.account_id is None or account is not None)
    ]
