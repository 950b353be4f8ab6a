"""Every feature of one request, from its snapshot. The twin of `features/batch.py`: both read the same declarations and agree to the bit."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

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
from features.reasons import Why, sort_of
from features.streams import micros


@dataclass(frozen=True, slots=True)
class Prepared:
    """A catalogue worked out for serving: what can be known before a request comes."""

    features: Mapping[str, Feature]
    sorts: Mapping[str, Hashable]
    layout: Layout
    handed: tuple[str, ...]
    formulas: tuple[Derived, ...]
    discounted: tuple[Discounted, ...]


def prepare(features: Sequence[Feature]) -> Prepared:
    """The catalogue, ready to serve."""
    return Prepared(
        features={feature.name: feature for feature in features},
        sorts={feature.name: sort_of(feature) for feature in features},
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
    account = next((entity.id for entity in seen.entities if entity.type is EntityType.ACCOUNT), None)
    found: dict[str, float | str | None] = dict.fromkeys(catalogue.features)
    found |= _windowed(seen, catalogue.layout, account, limit)
    found |= numbers_of(seen)
    found |= _handed(seen, catalogue.handed)
    found |= {each.name: discount_one(each, found, seen.discount) for each in catalogue.discounted}
    for formula in catalogue.formulas:
        found[formula.name] = derive_one(formula, _number(found[formula.a]), _number(found[formula.b]))
    found["claim_type"] = None if seen.request.claim_type is None else seen.request.claim_type.value
    found["category"] = seen.category
    attributes = {f"{ATTRIBUTE}{column}": float(value) if isinstance(value, int) else value for column, value in sorted(seen.attributes.items())}
    missing = Why(seen, catalogue.features).missing(catalogue.sorts, found)
    return Facts(found | attributes, missing | {name: "not_said" for name, value in attributes.items() if value is None})


def _windowed(seen: Snapshot, layout: Layout, account: str | None, limit: int) -> dict[str, float | None]:
    """The windowed features over the request's own timelines of streams that are connected."""
    timelines, own = Stretches.of(seen.timelines), set(seen.entities)
    groups = [
        layout.groups.get((entity.type, stream), -1) if stream in seen.sources and entity in own else -1 for entity, stream in timelines.keys_in_order
    ]
    found = windowed(layout, timelines, np.array(groups, np.int64), (micros(seen.as_of), account, limit))
    return {name: None if value != value else value for name, value in zip(layout.names, found, strict=True)}  # noqa: PLR0124  # only NaN differs from itself


def _number(value: float | str | None) -> float | None:
    return None if isinstance(value, str) else value


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
