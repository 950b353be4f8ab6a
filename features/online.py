"""Every feature of one request, from its snapshot. The twin of `features/batch.py`: both read the same declarations and agree to the bit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.link import EntityType
from data_contracts.marks import Stretches
from data_contracts.snapshot import Facts, Snapshot
from data_contracts.timeline import TIMELINE_LIMIT
from features.catalog import ATTRIBUTE, FEATURES, discounted, formulas
from features.claim_one import numbers_of
from features.declare import Derived, Discounted, Feature, Given, Windowed
from features.formulas import derive_one, discount_one
from features.glance import Layout, windowed
from features.plan import groups
from features.reasons import Reasons
from features.streams import micros


@dataclass(frozen=True, slots=True)
class Prepared:
    """A catalogue worked out for serving: what can be known before a request comes. `blank` has every feature without a value, in its order."""

    blank: Mapping[str, None]
    reasons: Reasons
    layout: Layout
    handed: tuple[str, ...]
    formulas: tuple[Derived, ...]
    discounted: tuple[Discounted, ...]


def prepare(features: Sequence[Feature]) -> Prepared:
    """The catalogue, ready to serve."""
    return Prepared(
        blank={feature.name: None for feature in features},
        reasons=Reasons({feature.name: feature for feature in features}),
        layout=Layout(groups(features)),
        handed=tuple(each.name for each in features if isinstance(each, Given) or (isinstance(each, Windowed) and each.slow)),
        formulas=formulas(features),
        discounted=discounted(features),
    )


CATALOGUE = prepare(FEATURES)
"""All features, ready to serve."""


def compute(seen: Snapshot, *, catalogue: Prepared = CATALOGUE, limit: int = TIMELINE_LIMIT) -> Facts:
    """Every feature of the catalogue and the shop's own columns: its value, or None and then `missing` says why.

    Nothing known at or after the snapshot's moment counts, even when the snapshot holds it.
    """
    found: dict[str, Any] = {**catalogue.blank}
    found.update(zip(catalogue.layout.names, _windowed(seen, catalogue.layout, limit), strict=True))
    found.update(numbers_of(seen))
    found.update(_handed(seen, catalogue.handed))
    for each in catalogue.discounted:
        found[each.name] = discount_one(each, found, seen.discount)
    for formula in catalogue.formulas:
        found[formula.name] = derive_one(formula, found[formula.a], found[formula.b])
    found["claim_type"] = None if seen.request.claim_type is None else seen.request.claim_type.value
    found["category"] = seen.category
    missing = catalogue.reasons.missing(seen, found)
    for column, value in sorted(seen.attributes.items()):
        name = f"{ATTRIBUTE}{column}"
        found[name] = float(value) if isinstance(value, int) else value
        if value is None:
            missing[name] = "not_said"
    return Facts(found, missing)


def _windowed(seen: Snapshot, layout: Layout, limit: int) -> list[float | None]:
    """The windowed features over the request's own timelines of streams that are connected, in the order of the layout's names."""
    timelines = Stretches.of(seen.timelines)
    groups = layout.groups_of(timelines.shape, seen.sources)
    if timelines.entities is not seen.entities:
        own = set(seen.entities)
        groups = np.where([timelines.entities[place] in own for place in timelines.shape.whose], groups, -1)
    account = next((entity.id for entity in seen.entities if entity.type is EntityType.ACCOUNT), None)
    found = windowed(layout, timelines, groups, (micros(seen.as_of), account, limit))
    return [None if value != value else value for value in found]  # noqa: PLR0124  # only NaN differs from itself


def _handed(seen: Snapshot, names: Sequence[str]) -> dict[str, float | None]:
    """What the graph and the feature store gave."""
    given = {**seen.slow, **seen.near}
    if seen.neighbourhood is not None:
        near = seen.neighbourhood
        given |= {
            "component_accounts": near.accounts,
            "component_entities": near.entities,
            "component_age_days": near.age_days,
            "component_abuse": near.abuse,
        }
    return {name: float(value) for name in names if (value := given.get(name)) is not None}
