"""What the windowed features need, worked out once from the declarations and read by both executors.

Every windowed feature is the quotient of two whole numbers, `top / bottom`: a count is n / 1, a mean is sum / n, days since are microseconds / a day.
The executors find the whole numbers, each in its own way; the one division at the end makes them agree to the bit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from data_contracts.link import EntityType
from data_contracts.timeline import Stream
from features.declare import Condition, Feature, Measure, Whose, Windowed

DAY_US = 86_400_000_000
"""Microseconds of a day."""

Kind: TypeAlias = Literal["count", "sum", "known", "distinct", "last", "first"]
"""What is found over the visible events: how many; a sum; how many with a known value; different values; latest and earliest occurrence."""


class Part(NamedTuple):
    """One whole number over the visible events of an entity, before windows."""

    kind: Kind
    of: str | None
    where: tuple[Condition, ...]
    whose: Whose


class Fraction(NamedTuple):
    """A windowed feature as whole numbers: `top / bottom`; bottom None is 1 (a day for since_last and since_first)."""

    feature: Windowed
    top: Part
    bottom: Part | None


@dataclass(frozen=True, slots=True)
class Group:
    """The fractions over one entity type and stream."""

    entity: EntityType
    stream: Stream
    fractions: tuple[Fraction, ...]

    @property
    def windows(self) -> tuple[int | None, ...]:
        """The windows in days that any of them asks for, shortest first, None (all time) last."""
        found = {fraction.feature.window_days for fraction in self.fractions}
        return tuple(sorted(found, key=lambda days: (days is None, days or 0)))

    def parts(self, days: int | None) -> tuple[Part, ...]:
        """The parts that the fractions of one window need, each once."""
        wanted = [part for each in self.fractions if each.feature.window_days == days for part in (each.top, each.bottom) if part is not None]
        return tuple(dict.fromkeys(wanted))

    @property
    def columns(self) -> tuple[str, ...]:
        """The payload columns that they read, `account_id` included when the request's own account matters."""
        parts = [part for each in self.fractions for part in (each.top, each.bottom) if part is not None]
        names = [part.of for part in parts if part.of] + [test.column for part in parts for test in part.where]
        if any(part.whose != "all" for part in parts):
            names.append("account_id")
        return tuple(dict.fromkeys(names))


_TOP: Mapping[Measure, Kind] = {
    Measure.COUNT: "count",
    Measure.SUM: "sum",
    Measure.MEAN: "sum",
    Measure.SHARE: "count",
    Measure.DISTINCT: "distinct",
    Measure.SINCE_LAST: "last",
    Measure.SINCE_FIRST: "first",
}


def fraction(feature: Windowed) -> Fraction:
    """The whole numbers behind a windowed feature. ValueError: the declaration asks for what the executors do not do."""
    measure, of, whose = feature.measure, feature.of, feature.whose
    sums = measure in (Measure.COUNT, Measure.SUM, Measure.MEAN, Measure.SHARE)
    others = measure is Measure.DISTINCT and whose == "others" and of == "account_id"
    if not (whose == "all" or sums or others):
        message = f"{feature.name}: {measure} of {of} over the events of {whose} is not offered; expected whose='all'"
        raise ValueError(message)
    top = Part(_TOP[measure], of, feature.where, whose)
    if measure is Measure.MEAN:
        return Fraction(feature, top, Part("known", of, feature.where, whose))
    if measure is Measure.SHARE:
        return Fraction(feature, top, Part("count", None, (), whose))
    return Fraction(feature, top, None)


def groups(features: Iterable[Feature]) -> tuple[Group, ...]:
    """The live windowed features by entity type and stream, in the order of the catalogue; slow ones come from the feature store."""
    found: dict[tuple[EntityType, Stream], list[Fraction]] = {}
    for feature in features:
        if isinstance(feature, Windowed) and not feature.slow:
            found.setdefault((feature.entity, feature.stream), []).append(fraction(feature))
    return tuple(Group(entity, stream, tuple(fractions)) for (entity, stream), fractions in found.items())
