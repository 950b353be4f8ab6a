"""How a feature is declared: as data, once. The batch and the online executor both read these rows and nothing else.

Four kinds: `Windowed` counts events on an entity's timeline, `Stated` reads the request itself, `Derived` combines other features,
`Given` is handed over by the graph, by the feature store or by the shop. Adding a feature is adding one row to `features/catalog.py`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from data_contracts.link import EntityType
from data_contracts.score import Family
from data_contracts.timeline import Stream


class Measure(StrEnum):
    """What is measured over the events of a window. All sums are of whole numbers, so both executors agree to the bit."""

    COUNT = "count"  # events
    SUM = "sum"  # of the known values of `of`
    MEAN = "mean"  # sum / number of known values; null when there is none
    DISTINCT = "distinct"  # different known values of `of`
    SHARE = "share"  # events that fulfil `where` / all events; null under `at_least` events
    SINCE_LAST = "since_last"  # days from the latest occurrence to as_of; null when there is none
    SINCE_FIRST = "since_first"  # days from the earliest occurrence to as_of; null when there is none


Sign: TypeAlias = Literal[-1, 0, 1]
"""Direction in which a larger value may move the score: +1 up only, -1 down only, 0 either way."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A test on one payload column of an event; an event whose column is not known fails it."""

    column: str
    op: Literal["eq", "ne", "ge", "lt"]
    value: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What every feature says of itself. `meaning` is one line for an analyst; `missing` says what null means."""

    name: str
    family: Family
    unit: str
    meaning: str
    missing: str
    reason: str
    sign: Sign = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowed(Declared):
    """A measure over the events of one entity of the request, known before as_of; windows are [as_of - window, as_of).

    `others` leaves out the events of the request's own account. A request with several entities of the type (images, articles) takes
    the largest value (the smallest for `since_last`).
    `slow` features are not computed for the request's own moment but read as of the last midnight (UTC), from the feature store.
    """

    entity: EntityType
    stream: Stream
    measure: Measure
    window_days: int | None
    of: str | None = None
    where: tuple[Condition, ...] = ()
    others: bool = False
    at_least: int = 1
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated(Declared):
    """Read off the request, its order and its evidence by the column of that name in `features/claim.py`."""

    kind: Literal["number", "category"] = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Declared):
    """A formula over two other features; null when one of them is null or the formula has no value there.

    ratio: a / b, null where b < at_least. difference: a - b. discounted: a / (1 + log2(max(b, 1))), for links shared by b accounts.
    """

    formula: Literal["ratio", "difference", "discounted"]
    a: str
    b: str
    at_least: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Declared):
    """Handed over, not computed here: `source` names who hands it over."""

    source: Literal["graph", "shop"]
    kind: Literal["number", "category"] = field(default="number")


Feature: TypeAlias = Windowed | Stated | Derived | Given
