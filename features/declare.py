"""How a feature is declared: as data, once. The batch and the online executor both read these rows and nothing else.

Five kinds: `Windowed` counts events on an entity's timeline, `Stated` reads the request itself, `Derived` combines other features,
`Discounted` weighs one by what was learned of shared things,
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


Whose: TypeAlias = Literal["all", "others", "own"]
"""Whose events count: everybody's, those of other accounts, those of the request's own account."""

Source: TypeAlias = Literal[
    "request",
    "account",
    "category",
    "order",
    "order_lines",
    "claim_lines",
    "deliveries",
    "evidence",
    "measurements",
    "observations",
]
"""What a stated feature is read from; it is null when that is not there."""


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

    `whose` keeps all events, those of accounts other than the request's (an event without account is nobody's), or the request's account's own.
    A request with several entities of the type (images, articles) takes the largest value (the smallest for `since_last`).
    Null when the request has no entity of the type, the stream is not connected, or fewer than `at_least` events stand under a mean or share.
    `slow` features are not computed for the request's own moment but read as of the last midnight (UTC), from the feature store.
    """

    entity: EntityType
    stream: Stream
    measure: Measure
    window_days: int | None
    of: str | None = None
    where: tuple[Condition, ...] = ()
    whose: Whose = "all"
    at_least: int = 1
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated(Declared):
    """Read off the request, its order and its evidence by the column of that name in `features/claim.py`."""

    source: Source
    kind: Literal["number", "category"] = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Declared):
    """A formula over two other features; null when one of them is null or the formula has no value there.

    ratio: a / b, null where b < at_least. difference: a - b.
    All are correctly rounded everywhere, so a replay on another machine gives the same bytes.
    """

    formula: Literal["ratio", "difference"]
    a: str
    b: str
    at_least: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Discounted(Declared):
    """`of` times the learned weight of things of this type with so many other `accounts` and `requests` of theirs; null when one of them is.

    The weight is read from the tables of `data_contracts/discount.py` that were learned before as_of; from the prior while there are none.
    """

    entity: EntityType
    of: str
    accounts: str
    requests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Declared):
    """Handed over, not computed here: `source` names who hands it over."""

    source: Literal["graph", "shop"]
    kind: Literal["number", "category"] = field(default="number")


Feature: TypeAlias = Windowed | Stated | Derived | Discounted | Given
