"""Refund requests and their parts as columns: what the formulas in `features/claim.py` read.

Parts (lines, scans, evidence, ...) are columns too, and `row` says to which request a part belongs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ARRIVED = ("damaged", "dead_on_arrival", "missing", "wrong_item", "not_as_described", "quality")
"""Claim types that say what arrived, so that a delivery came before and evidence can show it."""


@dataclass(frozen=True, slots=True)
class Requests:
    """One entry a request; whole numbers are NULL when not known, `same_items` -1. `claim_type` and `category` are words or None."""

    occurred_us: Ints
    amount: Ints
    text_characters: Ints
    same_items: Ints
    not_received: Ints  # 1 yes, 0 no, -1 not said
    arrived: Ints  # the claim type says what arrived: 1 yes, 0 no, -1 not said
    order_us: Ints
    order_amount: Ints
    order_known: Flags
    account_us: Ints
    as_of_us: Ints


@dataclass(frozen=True, slots=True)
class Lines:
    """Order or claim lines; `price` is NULL when not known."""

    row: Ints
    line: Ints
    quantity: Ints
    price: Ints


@dataclass(frozen=True, slots=True)
class Kinds:
    """Pieces by kind (sex, size, ...) on one line; `fact` is the name in a kind that says one (`colour` in `colour=red`), -1 in a plain kind."""

    row: Ints
    line: Ints
    kind: Ints
    fact: Ints
    count: Ints


@dataclass(frozen=True, slots=True)
class Scans:
    """Carrier scans known before the request; `status`: 0 delivered, 1 lost or returned."""

    row: Ints
    status: Ints
    occurred_us: Ints


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of evidence; `form`: 0 photo, 1 video, 2 document; `repeated`: the same file came with the request before."""

    row: Ints
    form: Ints
    buyer: Flags
    repeated: Flags
    occurred_us: Ints


@dataclass(frozen=True, slots=True)
class Counted:
    """What the most neutral observer counted, one entry a request, piece and kind; `spread` is NULL where only one observer counted.

    `fact` as in Kinds: a piece has one sex and one colour, so counts of different facts are never added up.
    """

    row: Ints
    piece: Ints
    kind: Ints
    fact: Ints
    count: Ints
    spread: Ints


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements, one a piece and signal; `signal` as in SIGNALS (-1: another one), `ppm` in millionths, NULL when it could not be measured."""

    row: Ints
    piece: Ints
    signal: Ints
    ppm: Ints


FACT = "="
"""Parts a fact's name from its value: `colour=red`, `serial=SN-1`. A kind without it is plain: `male`, `large`."""


def fact_of(kind: str) -> str | None:
    """The name of the fact that a kind states; null for a plain kind."""
    return kind.partition(FACT)[0] if FACT in kind else None


SIGNALS = ("generated", "edited", "reuse")
"""The image signals that features are made of."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Requests and their parts as columns; `absent` names the tables that are not connected."""

    requests: Requests
    ordered: Lines
    ordered_kinds: Kinds
    claimed: Lines
    claimed_kinds: Kinds
    scans: Scans
    pieces: Pieces
    counted: Counted
    measured: Measured
    absent: frozenset[str]

    def __len__(self) -> int:
        """The number of requests."""
        return len(self.requests.occurred_us)
