"""Entity timelines: what happened to one account, seller, device, ... in the order in which we came to know it.

Batch and online features are computed over the same events; `risk/stores` keeps them per entity, `features/streams.py` projects tables to them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from data_contracts.link import EntityType

NEVER = np.iinfo(np.int64).max
"""`until_us` of an event that nothing superseded."""

NULL = np.iinfo(np.int64).min
"""A whole number that is not known, inside timeline arrays only; every reader turns it into None or NaN."""

TIMELINE_LIMIT = 2_000
"""How many events of an entity and stream count: the latest ones by (known_at, event_id). So a hub costs no more than this, in both executors."""


class Stream(StrEnum):
    """The kinds of events on a timeline."""

    ORDER = "order"
    REQUEST = "request"
    LABEL = "label"
    LINK = "link"


class Entity(NamedTuple):
    """One node of the world: its type and its id."""

    type: EntityType
    id: str


WHOLE = ("amount_minor", "quantity", "delay_s", "generated_ppm", "abuse")
"""Payload columns that hold whole numbers (NULL when not known)."""

NAMES = ("account_id", "seller_id", "sku_id", "claim_type", "target_type", "target_id")
"""Payload columns that hold ids or words (None when not known)."""

COLUMNS = ("event_id", "occurred_us", "known_us", "until_us", *NAMES, *WHOLE)
"""Every column of a timeline event, in the order of stores and frames."""

Marks = npt.NDArray[np.int64]
"""Events as whole numbers only, one row an event and one column a column of COLUMNS; names are their marks.

`event_id` stands for what the event is about: of a label it is the request.
"""


class Events(Protocol):
    """What features read of a timeline."""

    def __len__(self) -> int:
        """How many events there are."""

    def marks(self) -> Marks:
        """The events in the order of (known_us, event_id)."""


def mark(name: str | None) -> int:
    """The number that stands for a name in this process only (two of a timeline's 2,000 names share one once in 10^13); NULL for null."""
    return NULL if name is None else hash(name)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The events of one entity and one stream, sorted by (known_us, event_id); arrays of equal length, at most TIMELINE_LIMIT.

    Times are microseconds since 1970 UTC. An event counts at `t` when `known_us < t <= until_us`; windows of W ask `occurred_us >= t - W`.
    Payload by stream; what a stream does not carry is null:
      order    account, seller, sku (null when the order has several), amount_minor of the order, quantity ordered
      request  account, seller, sku (null when several), claim_type, amount_minor claimed, quantity claimed,
               delay_s: seconds from delivery to claim (negative: claimed before it), generated_ppm: highest `generated` measurement in millionths
      label    the request's account, seller, sku, claim_type, amount_minor; abuse 1 or 0; occurred_us is the request's, known_us the label's,
               until_us the moment that a later label of the same request became known
      link     on the linked entity: account; on the account: target_type and target_id, the linked entity
    """

    event_id: npt.NDArray[np.object_]
    occurred_us: npt.NDArray[np.int64]
    known_us: npt.NDArray[np.int64]
    until_us: npt.NDArray[np.int64]
    account_id: npt.NDArray[np.object_]
    seller_id: npt.NDArray[np.object_]
    sku_id: npt.NDArray[np.object_]
    claim_type: npt.NDArray[np.object_]
    target_type: npt.NDArray[np.object_]
    target_id: npt.NDArray[np.object_]
    amount_minor: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.int64]
    delay_s: npt.NDArray[np.int64]
    generated_ppm: npt.NDArray[np.int64]
    abuse: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]]) -> "Timeline":
        """From rows in the order of COLUMNS, already sorted; None becomes NULL in whole-number columns and NEVER in until_us."""
        columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name, values in zip(COLUMNS, columns, strict=True):
            if name in NAMES or name == "event_id":
                arrays[name] = np.array(values, dtype=object)
            else:
                default = NEVER if name == "until_us" else NULL
                known = [default if value is None else value for value in values] if None in values else values
                arrays[name] = np.array(known, dtype=np.int64)
        return cls(**arrays)

    def __len__(self) -> int:
        """How many events there are."""
        return self.known_us.size

    def marks(self) -> Marks:
        """The events as whole numbers."""
        table = np.empty((len(self), len(COLUMNS)), np.int64)
        for place, name in enumerate(COLUMNS):
            column = getattr(self, name)
            table[:, place] = [mark(value) for value in column] if name in NAMES or name == "event_id" else column
        return table
