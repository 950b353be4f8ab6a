"""How far a shared thing speaks for a connection: a small table a type of entity, learned from history, the same for the graph and for features.

A cell is told by how many other accounts are at the entity (doublings), and by whether their refund requests are at least half as many: a
dormitory of twenty with one request is another thing than a device of twenty with fifteen.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from data_contracts.link import EntityType

KINDS = (EntityType.DEVICE, EntityType.ADDRESS, EntityType.CARD, EntityType.PHONE, EntityType.IP, EntityType.IMAGE, EntityType.TEXT)
"""The types that are discounted; everything else ties nobody."""

STEPS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Other accounts from which the next row of a table begins."""

BUSY = 0.5
"""Requests of others for each other account from which an entity is in the second column."""

CELLS = 2 * (len(STEPS) + 1)

PRIOR: tuple[float, ...] = (0.5, 0.5, 0.25, 0.5, 0.12, 0.5, 0.06, 0.35, 0.03, 0.25, 0.02, 0.18, 0.01, 0.12)
"""The table of every type before anything was learned, row by row: half for each doubling of accounts, less so where most of them claim."""


HOLDS_AFTER = timedelta(days=1)
"""So long after the moment that they were learned as of, tables begin to hold: within it a running service learns them, too."""


@dataclass(frozen=True, slots=True)
class Discount:
    """The tables learned from what was known strictly before `at`, by type of entity; they hold from HOLDS_AFTER later until the next do."""

    at: datetime
    weights: Mapping[EntityType, tuple[float, ...]]


def cell(accounts: float, requests: float) -> int:
    """The cell of an entity with so many other accounts and requests of theirs."""
    return 2 * bisect_right(STEPS, accounts) + (requests >= BUSY * accounts)


def weights_of(discount: Discount | None, kind: EntityType) -> tuple[float, ...]:
    """The table of a type, the prior where none was learned."""
    return PRIOR if discount is None else discount.weights.get(kind, PRIOR)


def newest(discounts: Iterable[Discount], as_of: datetime) -> Discount | None:
    """The newest tables that hold at a moment; null when there are none."""
    return max((each for each in discounts if each.at + HOLDS_AFTER <= as_of), key=lambda each: each.at, default=None)
