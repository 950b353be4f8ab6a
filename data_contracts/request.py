"""What a buyer bought and what she claims: orders, deliveries, refund requests and their evidence.

Every record is one row of the table of the same name (`tables.py`). `occurred_at` is when it happened in the world, `known_at` when we
could first know it; both are UTC with microseconds, and `known_at >= occurred_at`.
"""

from enum import StrEnum
from typing import Self

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from data_contracts.fields import AmountMinor, Counts, Currency, Id, Moment, Quantity, Sha256, Text, Word


class ClaimType(StrEnum):
    """What the buyer says happened."""

    DAMAGED = "damaged"
    DEAD_ON_ARRIVAL = "dead_on_arrival"
    NOT_RECEIVED = "not_received"
    MISSING = "missing"
    WRONG_ITEM = "wrong_item"
    NOT_AS_DESCRIBED = "not_as_described"
    QUALITY = "quality"
    CHANGED_MIND = "changed_mind"
    OTHER = "other"


class DeliveryStatus(StrEnum):
    """What the carrier's scan said."""

    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED = "returned"


class EvidenceKind(StrEnum):
    """The form of a piece of evidence."""

    PHOTO = "photo"
    VIDEO = "video"
    DOCUMENT = "document"


class Party(StrEnum):
    """Who sent a piece of evidence."""

    BUYER = "buyer"
    SELLER = "seller"
    AGENT = "agent"
    CARRIER = "carrier"


class Observer(StrEnum):
    """Who counted what a piece of evidence shows."""

    CLAIM_FORM = "claim_form"
    AGENT = "agent"
    SELLER = "seller"
    VISION = "vision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The two times that every event carries."""

    occurred_at: Moment
    known_at: Moment

    @model_validator(mode="after")
    def known_after_it_occurred(self) -> Self:
        """Nothing is known before it happens."""
        if self.known_at < self.occurred_at:
            message = f"known_at {self.known_at.isoformat()} lies before occurred_at {self.occurred_at.isoformat()}; expected at or after it"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Known):
    """A buyer's account; `occurred_at` is when it was opened."""

    account_id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller(Known):
    """A shop; `occurred_at` is when it opened."""

    seller_id: Id
    category: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku(Known):
    """An article of one seller."""

    sku_id: Id
    seller_id: Id | None = None
    category: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Known):
    """An order; `occurred_at` is when it was placed. One order is one seller's."""

    order_id: Id
    account_id: Id | None = None
    seller_id: Id | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order; `counts` splits `quantity` by attribute (sex, size, colour), where the article has any."""

    order_id: Id
    line_no: Quantity
    sku_id: Id | None = None
    lot: Id | None = None
    quantity: Quantity = 1
    unit_price_minor: AmountMinor | None = None
    counts: Counts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Known):
    """One carrier scan that ended a delivery."""

    order_id: Id
    status: DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(Known):
    """Money that was paid back, whole or in part, for a refund request or for an order by itself; a request may be paid back several times."""

    refund_id: Id
    request_id: Id | None = None
    order_id: Id | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest(Known):
    """The thing decided; `occurred_at` is when the buyer sent it.

    `same_items` says whether all evidence shows the same pieces; null is not said, and then pieces of evidence are not held against each other.
    Null in any other field: not known.
    """

    request_id: Id
    account_id: Id | None = None
    order_id: Id | None = None
    seller_id: Id | None = None
    claim_type: ClaimType | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None
    text: Text | None = None
    same_items: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLine:
    """How much of one order line the buyer claims; `counts` splits `quantity` by attribute."""

    request_id: Id
    line_no: Quantity
    sku_id: Id | None = None
    quantity: Quantity = 1
    counts: Counts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Known):
    """One photo, video or document of one refund request; `occurred_at` is when it was sent."""

    evidence_id: Id
    request_id: Id
    sha256: Sha256
    kind: EvidenceKind
    sent_by: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Known):
    """What one observer counted in one piece of evidence: pieces claimed as bad, of one attribute."""

    evidence_id: Id
    request_id: Id
    observer: Observer
    attribute: Word
    count: Quantity
