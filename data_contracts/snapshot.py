"""Everything known about one refund request as of a moment: what `gather` reads and what features are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from data_contracts.asked import Asked
from data_contracts.discount import Discount
from data_contracts.marks import Stretches
from data_contracts.signal import Reuse
from data_contracts.timeline import Entity, Events, Stream


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The account's component in the graph of shared entities, as of a moment.

    accounts: accounts in it, itself included (1: nobody shares anything). entities: shared entities that hold it together.
    age_days: days since its oldest link was known; null when the account has no link. abuse: requests in it confirmed as abuse by then.
    """

    accounts: int
    entities: int
    age_days: float | None
    abuse: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Asked):
    """What was asked (an order that was only named comes from the store) and the history known strictly before `as_of`.

    `entities` are the request's own, one or several of a type; `timelines` has one entry for each of them and each stream in `sources`.
    `sources` names the streams that are connected at all: a stream that is not makes its features null, not zero.
    `currency` is the one that the data set's sums are in (null: any); an amount in another currency counts as not known.
    `slow` holds feature values read from the feature store (null: not there yet); `discount` is what was learned of shared things by then (null:
    nothing, then the prior holds).
    `missing` names the sources that are not connected or did not answer, with the reason: table names (deliveries, evidence, ...), stream names,
    `neighbourhood` or `slow`; their features are null with that reason.
    `near` holds what the accounts around the buyer are like, by feature name; empty: nobody said.
    `reuses` are the earlier requests that showed the same pictures.
    """

    currency: str | None = None
    entities: tuple[Entity, ...] = ()
    timelines: Mapping[tuple[Entity, Stream], Events] = field(default_factory=dict)
    sources: frozenset[Stream] = frozenset(Stream)
    neighbourhood: Neighbourhood | None = None
    near: Mapping[str, float | None] = field(default_factory=dict)
    slow: Mapping[str, float | None] = field(default_factory=dict)
    discount: Discount | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    reuses: tuple[Reuse, ...] = ()

    @property
    def events(self) -> int:
        """How many events there are on all timelines."""
        return self.timelines.events if isinstance(self.timelines, Stretches) else sum(map(len, self.timelines.values()))


@dataclass(frozen=True, slots=True)
class Facts:
    """Every feature of the catalogue for one request: its value, or None and then `missing` has the reason code."""

    values: Mapping[str, float | str | None]
    missing: Mapping[str, str]
