"""The catalogue: every feature, in one explicit tuple. The rows stand in `features/views/`, one file a view."""

import hashlib
import json
import types
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from features.declare import Derived, Discounted, Feature, Given, Stated, Windowed
from features.views.behaviour import BEHAVIOUR
from features.views.context import CONTEXT
from features.views.evidence import EVIDENCE
from features.views.links import LINKS
from features.views.mismatch import MISMATCH
from features.views.neighbours import NEIGHBOURS

FEATURES: tuple[Feature, ...] = (*BEHAVIOUR, *MISMATCH, *EVIDENCE, *LINKS, *NEIGHBOURS, *CONTEXT)
"""Every feature that we compute, in the order of frames and facts. Names are forever: another meaning is another name."""

by_name: Mapping[str, Feature] = types.MappingProxyType({feature.name: feature for feature in FEATURES})
"""The catalogue by feature name. A shop's own columns are not in it: see `with_attributes`."""

ATTRIBUTE = "attribute_"
"""How the name of a shop's own column begins."""

_WORDS_ONLY = ("meaning", "missing", "unit", "reason")


def attribute(column: str, kind: str) -> Given:
    """The feature of one of the shop's own columns; `kind` is number or category."""
    return Given(
        name=f"{ATTRIBUTE}{column}",
        family="context",
        unit="as the shop gives it" if kind == "number" else "category",
        meaning=f"The shop's own column {column}",
        missing="the shop gave no value",
        reason="SHOP_ATTRIBUTE",
        source="shop",
        kind="number" if kind == "number" else "category",
    )


def with_attributes(numeric: Iterable[str], categorical: Iterable[str]) -> tuple[Feature, ...]:
    """The catalogue and a shop's own columns, by name."""
    numbers = [attribute(column, "number") for column in sorted(numeric)]
    return (*FEATURES, *numbers, *(attribute(column, "category") for column in sorted(categorical)))


def describe(features: Iterable[Feature] = FEATURES) -> list[dict[str, object]]:
    """The catalogue as plain rows for the command line, the API and the model card."""
    return [
        {
            "name": feature.name,
            "family": feature.family,
            "unit": feature.unit,
            "meaning": feature.meaning,
            "missing": feature.missing,
            "reason": feature.reason,
            "sign": feature.sign,
            "kind": kind_of(feature),
            "computed": type(feature).__name__.lower(),
            "window_days": feature.window_days if isinstance(feature, Windowed) else None,
            "slow": isinstance(feature, Windowed) and feature.slow,
        }
        for feature in features
    ]


def kind_of(feature: Feature) -> str:
    """Whether its values are numbers or words: number or category."""
    return feature.kind if isinstance(feature, Stated | Given) else "number"


def catalogue_hash(features: Iterable[Feature] = FEATURES) -> str:
    """SHA-256 over everything in the declarations that numbers depend on: names, order and rules, not wording."""
    rules = [{key: value for key, value in asdict(feature).items() if key not in _WORDS_ONLY} for feature in features]
    return hashlib.sha256(json.dumps(rules, sort_keys=True, default=str).encode()).hexdigest()


def needed_slow(features: Iterable[Feature] = FEATURES) -> tuple[Windowed, ...]:
    """The features that the feature store keeps."""
    return tuple(feature for feature in features if isinstance(feature, Windowed) and feature.slow)


def formulas(features: Iterable[Feature] = FEATURES) -> tuple[Derived, ...]:
    """The derived features, each after those that it is made of."""
    found: list[Derived] = []
    waiting = [feature for feature in features if isinstance(feature, Derived)]
    while waiting:
        pending = {feature.name for feature in waiting}
        ready = [feature for feature in waiting if feature.a not in pending and feature.b not in pending]
        if not ready:
            message = f"derived features go in a circle: {', '.join(sorted(pending))}"
            raise ValueError(message)
        found += ready
        waiting = [feature for feature in waiting if feature not in ready]
    return tuple(found)


def discounted(features: Iterable[Feature] = FEATURES) -> tuple[Discounted, ...]:
    """The features that are weighed by what was learned of shared things; they are made of windowed ones only."""
    return tuple(feature for feature in features if isinstance(feature, Discounted))
