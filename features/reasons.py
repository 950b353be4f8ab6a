"""Why a feature has no value: one lower-case code each, for the record and for people who ask."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from data_contracts.link import EntityType
from data_contracts.marks import Kind, Stretches
from data_contracts.snapshot import Snapshot
from data_contracts.timeline import Stream
from features.declare import Derived, Discounted, Feature, Given, Measure, Stated, Windowed

_TABLE = {"order": "orders", "account": "accounts"}
"""The table behind a source of another name."""

SINCE = (Measure.SINCE_LAST, Measure.SINCE_FIRST)

SITUATIONS = 512
"""Situations of which the reasons are kept: most requests of a shop are in one of a few."""


class Situation(NamedTuple):
    """All of a snapshot that reasons depend on: what it has, what was read for it, what is missing."""

    types: frozenset[EntityType]
    read: frozenset[Kind]
    sources: frozenset[Stream]
    missing: frozenset[tuple[str, str]]
    near: frozenset[str]
    order: bool
    order_lines: bool
    claim_lines: bool
    deliveries: bool
    evidence: bool
    observations: bool

    @classmethod
    def of(cls, seen: Snapshot) -> "Situation":
        """Where a snapshot stands."""
        return cls(
            frozenset([entity.type for entity in seen.entities]),
            Stretches.of(seen.timelines).shape.read,
            seen.sources,
            frozenset(seen.missing.items()),
            frozenset(seen.near),
            seen.order is not None,
            bool(seen.order_lines),
            bool(seen.claim_lines),
            bool(seen.deliveries),
            bool(seen.evidence),
            bool(seen.observations),
        )


class Reasons:
    """The reasons of a catalogue's nulls.

    no_<entity>, no_order, no_order_lines, no_claim_lines, no_delivery, no_evidence: the request has none. stream_absent: not connected.
    too_few, never: not enough happened. not_said, not_measured, not_counted, not_read: nobody did. slow_not_ready, graph_not_ready: not there
    yet. Anything else comes from `seen.missing`.
    """

    def __init__(self, features: Mapping[str, Feature]) -> None:
        self._plain = [each for each in features.values() if isinstance(each, Windowed | Stated | Given)]
        self._made_of = {
            name: (each.a, each.b) if isinstance(each, Derived) else (each.of, each.accounts, each.requests)
            for name, each in features.items()
            if isinstance(each, Derived | Discounted)
        }
        self._told = lru_cache(maxsize=SITUATIONS)(self._tell)

    def missing(self, seen: Snapshot, values: Mapping[str, float | str | None]) -> dict[str, str]:
        """The reason of every value that is null."""
        told = self._told(Situation.of(seen))
        return {name: told.get(name) or self._of_parts(name, values, told) for name, value in values.items() if value is None}

    def _tell(self, at: Situation) -> dict[str, str]:
        """Why each feature that is not made of others is null where it is."""
        missing, found = dict(at.missing), {}
        for feature in self._plain:
            match feature:
                case Windowed():
                    found[feature.name] = _windowed(feature, at, missing)
                case Stated():
                    found[feature.name] = _stated(feature, at, missing)
                case Given():
                    graph = _no_account(at) or missing.get("neighbourhood", "graph_not_ready")
                    found[feature.name] = "too_few" if feature.name in at.near else graph
        return found

    def _of_parts(self, name: str, values: Mapping[str, float | str | None], told: Mapping[str, str]) -> str:
        """A feature that is made of others is null for the reason of the first that is; where none is, its formula has no value."""
        for part in self._made_of[name]:
            if values[part] is None:
                return told.get(part) or self._of_parts(part, values, told)
        return "too_few"


def _no_account(at: Situation) -> str | None:
    return None if EntityType.ACCOUNT in at.types else "no_account"


def _windowed(feature: Windowed, at: Situation, missing: Mapping[str, str]) -> str:
    if feature.entity not in at.types:
        return f"no_{feature.entity.value}"
    if feature.slow:
        return missing.get("slow", "slow_not_ready")
    if feature.stream not in at.sources:
        return missing.get(feature.stream.value, "stream_absent")
    if (feature.entity, feature.stream) not in at.read:
        return "not_read"
    unknown = _no_account(at) if feature.whose != "all" else None
    return unknown or ("never" if feature.measure in SINCE else "too_few")


def _stated(feature: Stated, at: Situation, missing: Mapping[str, str]) -> str:
    absent = missing.get(_TABLE.get(feature.source, feature.source))
    if absent is not None:
        return absent
    if feature.source == "account":
        return _no_account(at) or "not_said"
    return _PART[feature.source](at) if feature.source in _PART else "not_said"


def _order(at: Situation) -> str:
    return "not_said" if at.order else "no_order"


def _order_lines(at: Situation) -> str:
    if not at.order_lines:
        return "no_order_lines" if at.order else "no_order"
    return "not_said" if at.claim_lines else "no_claim_lines"


def _claim_lines(at: Situation) -> str:
    return "not_said" if at.claim_lines else "no_claim_lines"


def _deliveries(at: Situation) -> str:
    if not at.order:
        return "no_order"
    return "not_said" if at.deliveries else "no_delivery"


def _evidence(at: Situation) -> str:
    return "not_said" if at.evidence else "no_evidence"


def _measurements(at: Situation) -> str:
    return "not_measured" if at.evidence else "no_evidence"


def _observations(at: Situation) -> str:
    if at.observations:
        return "not_said"
    return "not_counted" if at.evidence else "no_evidence"


_PART: Mapping[str, Callable[[Situation], str]] = {
    "order": _order,
    "order_lines": _order_lines,
    "claim_lines": _claim_lines,
    "deliveries": _deliveries,
    "evidence": _evidence,
    "measurements": _measurements,
    "observations": _observations,
}
