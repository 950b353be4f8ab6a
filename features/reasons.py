"""Why a feature has no value: one lower-case code each, for the record and for people who ask."""

from collections.abc import Callable, Hashable, Mapping

from data_contracts.link import EntityType
from data_contracts.snapshot import Snapshot
from features.declare import Derived, Discounted, Feature, Given, Measure, Stated, Windowed

_TABLE = {"order": "orders", "account": "accounts"}
"""The table behind a source of another name."""


SINCE = (Measure.SINCE_LAST, Measure.SINCE_FIRST)


def sort_of(feature: Feature) -> Hashable:
    """Features of one sort are null for one reason; null: a feature of its own sort."""
    match feature:
        case Windowed():
            return feature.entity, feature.stream, feature.slow, feature.whose != "all", feature.measure in SINCE
        case Stated():
            return feature.source
        case _:
            return None


class Why:
    """The reasons of one snapshot.

    no_<entity>, no_order, no_order_lines, no_claim_lines, no_delivery, no_evidence: the request has none. stream_absent: not connected.
    too_few, never: not enough happened. not_said, not_measured, not_counted, not_read: nobody did. slow_not_ready, graph_not_ready: not there
    yet. Anything else comes from `seen.missing`.
    """

    def __init__(self, seen: Snapshot, features: Mapping[str, Feature]) -> None:
        self.seen = seen
        self.features = features
        self.types = {entity.type for entity in seen.entities}
        self.read = {(entity.type, stream) for entity, stream in seen.timelines}

    def missing(self, sorts: Mapping[str, Hashable], values: Mapping[str, float | str | None]) -> dict[str, str]:
        """The reason of every value that is null; `sorts` has the sort of each feature."""
        told: dict[Hashable, str] = {}
        found: dict[str, str] = {}
        for name, value in values.items():
            if value is not None:
                continue
            sort = sorts[name]
            why = told.get(sort)
            if why is None:
                why = self.of(self.features[name], values)
                if sort is not None:
                    told[sort] = why
            found[name] = why
        return found

    def of(self, feature: Feature, values: Mapping[str, float | str | None]) -> str:
        """The reason why a feature is null, given all values."""
        match feature:
            case Windowed():
                return self._windowed(feature)
            case Stated():
                return self._stated(feature)
            case Derived():
                part = next((name for name in (feature.a, feature.b) if values[name] is None), None)
                return "too_few" if part is None else self.of(self.features[part], values)
            case Discounted():
                part = next(name for name in (feature.of, feature.accounts, feature.requests) if values[name] is None)
                return self.of(self.features[part], values)
            case Given():
                if feature.name in self.seen.near:
                    return "too_few"
                return self._no_account() or self.seen.missing.get("neighbourhood", "graph_not_ready")

    def _no_account(self) -> str | None:
        return None if EntityType.ACCOUNT in self.types else "no_account"

    def _windowed(self, feature: Windowed) -> str:
        if feature.entity not in self.types:
            return f"no_{feature.entity.value}"
        if feature.slow:
            return self.seen.missing.get("slow", "slow_not_ready")
        if feature.stream not in self.seen.sources:
            return self.seen.missing.get(feature.stream.value, "stream_absent")
        if (feature.entity, feature.stream) not in self.read:
            return "not_read"
        unknown = self._no_account() if feature.whose != "all" else None
        return unknown or ("never" if feature.measure in SINCE else "too_few")

    def _stated(self, feature: Stated) -> str:
        absent = self.seen.missing.get(_TABLE.get(feature.source, feature.source))
        if absent is not None:
            return absent
        if feature.source == "account":
            return self._no_account() or "not_said"
        return _PART[feature.source](self.seen) if feature.source in _PART else "not_said"


def _order(seen: Snapshot) -> str:
    return "no_order" if seen.order is None else "not_said"


def _order_lines(seen: Snapshot) -> str:
    if not seen.order_lines:
        return "no_order" if seen.order is None else "no_order_lines"
    return "not_said" if seen.claim_lines else "no_claim_lines"


def _claim_lines(seen: Snapshot) -> str:
    return "not_said" if seen.claim_lines else "no_claim_lines"


def _deliveries(seen: Snapshot) -> str:
    if seen.order is None:
        return "no_order"
    return "not_said" if seen.deliveries else "no_delivery"


def _evidence(seen: Snapshot) -> str:
    return "not_said" if seen.evidence else "no_evidence"


def _measurements(seen: Snapshot) -> str:
    return "not_measured" if seen.evidence else "no_evidence"


def _observations(seen: Snapshot) -> str:
    if seen.observations:
        return "not_said"
    return "not_counted" if seen.evidence else "no_evidence"


_PART: Mapping[str, Callable[[Snapshot], str]] = {
    "order": _order,
    "order_lines": _order_lines,
    "claim_lines": _claim_lines,
    "deliveries": _deliveries,
    "evidence": _evidence,
    "measurements": _measurements,
    "observations": _observations,
}
