"""What callers send, as JSON, checked against the contracts field by field."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from data_contracts.fields import AmountMinor, Counts, Currency, Id, Quantity, Sha256, Text, Word
from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.request import (
    ClaimType,
    DeliveryStatus,
    EvidenceKind,
    Observer,
    Party,
)
from risk.api.moment import Moment
from risk.appeals import Verdict

ORDER: dict[str, Any] = {
    "order_id": "o-1",
    "account_id": "buyer-1",
    "seller_id": "lake-shop",
    "occurred_at": "2026-03-01T10:00:00Z",
    "amount_minor": 19_500,
    "currency": "CNY",
    "lines": [{"line_no": 1, "sku_id": "crab", "quantity": 8, "unit_price_minor": 2_437, "counts": {"male": 4, "female": 4}}],
    "links": [{"entity_type": "address", "entity_id": "Lake Road 1"}],
}
"""The order of the examples."""

RawId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]


class Body(BaseModel):
    """A JSON object in which every key is known (a misspelt one is an error, not silence) and every value has its type (true is no number)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class OrderLineBody(Body):
    """One line of the order."""

    line_no: Quantity
    sku_id: Id | None = None
    lot: Id | None = None
    quantity: Quantity = 1
    unit_price_minor: AmountMinor | None = None
    counts: Counts | None = None


class DeliveryBody(Body):
    """One carrier scan that ended a delivery."""

    status: DeliveryStatus
    occurred_at: Moment


class OrderBody(Body):
    """The order; buyer and seller are the request's when left out."""

    order_id: Id
    occurred_at: Moment
    account_id: Id | None = None
    seller_id: Id | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None
    lines: Annotated[tuple[OrderLineBody, ...], Field(max_length=200)] = ()
    deliveries: Annotated[tuple[DeliveryBody, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def lines_differ(self) -> Self:
        """Two lines of one number cannot be told apart."""
        if len({line.line_no for line in self.lines}) < len(self.lines):
            raise ValueError("two lines have the same line_no; expected each once")
        return self


class ClaimLineBody(Body):
    """How much of one order line is claimed."""

    line_no: Quantity
    sku_id: Id | None = None
    quantity: Quantity = 1
    counts: Counts | None = None


class ObservationBody(Body):
    """What somebody counted in a piece of evidence."""

    observer: Observer
    attribute: Word
    count: Quantity


class MeasurementBody(Body):
    """What a signal found in a piece of evidence."""

    signal: Word
    version: Annotated[int, Field(ge=1)] = 1
    value: Annotated[float, Field(ge=0, le=1)] | None = None
    unavailable: Word | None = None


class EvidenceBody(Body):
    """One photo, video or document; `evidence_id` is its place in the request when left out."""

    evidence_id: Id | None = None
    sha256: Sha256
    kind: EvidenceKind
    sent_by: Party = Party.BUYER
    occurred_at: Moment | None = None
    observations: Annotated[tuple[ObservationBody, ...], Field(max_length=128)] = ()
    measurements: Annotated[tuple[MeasurementBody, ...], Field(max_length=64)] = ()


class LinkBody(Body):
    """One identifier that came with the request: raw in `entity_id` (hashed here, never stored), or in `hashed_id` as this installation hashes it."""

    entity_type: EntityType
    entity_id: RawId | None = None
    hashed_id: Id | None = None

    @model_validator(mode="after")
    def one_of_two(self) -> Self:
        """Exactly one way to name it, and of a type that links."""
        if (self.entity_id is None) == (self.hashed_id is None):
            raise ValueError("give entity_id (raw, hashed here) or hashed_id (hashed before), exactly one of them")
        if self.entity_type not in LINK_TYPES:
            message = f"{self.entity_type.value} does not link; expected one of {', '.join(kind.value for kind in LINK_TYPES)}"
            raise ValueError(message)
        return self


class RefundRequestBody(Body):
    """One refund request to be decided. Leave out what is not known; null says the same."""

    request_id: Id
    revision: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    occurred_at: Moment
    account_id: Id | None = None
    account_opened_at: Moment | None = None
    seller_id: Id | None = None
    order_id: Id | None = None
    order: OrderBody | None = None
    claim_type: ClaimType | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None
    text: Text | None = None
    same_items: bool | None = None
    category: Word | None = None
    claim_lines: Annotated[tuple[ClaimLineBody, ...], Field(max_length=200)] = ()
    evidence: Annotated[tuple[EvidenceBody, ...], Field(max_length=50)] = ()
    links: Annotated[tuple[LinkBody, ...], Field(max_length=100)] = ()
    attributes: Annotated[
        dict[Word, Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=256)] | None], Field(max_length=256)
    ] = {}
    deadline_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    """How long the caller waits for the answer; it says nothing of the request, so it is no part of its identity."""

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "request_id": "req-1",
                    "occurred_at": "2026-03-03T12:00:00Z",
                    "account_id": "buyer-1",
                    "order": {name: said for name, said in ORDER.items() if name not in ("account_id", "links")},
                    "claim_type": "dead_on_arrival",
                    "amount_minor": 14_600,
                    "currency": "CNY",
                    "text": "Six of them were dead.",
                    "claim_lines": [{"line_no": 1, "quantity": 6}],
                    "links": [{"entity_type": "device", "entity_id": "PHONE-1"}],
                }
            ]
        }
    }


class AppealBody(Body):
    """An objection to a decision, or to the newest decision of a request, in the buyer's words; `filed_by` is who filed it, not her name."""

    decision_id: Id | None = None
    request_id: Id | None = None
    words: Annotated[Text, Field(min_length=1)]
    filed_by: Id

    model_config = Body.model_config | {
        "json_schema_extra": {"examples": [{"request_id": "req-1", "words": "They were dead when I opened the box.", "filed_by": "support-7"}]}
    }

    @model_validator(mode="after")
    def against_something(self) -> Self:
        """It names what it is against."""
        if self.decision_id is None and self.request_id is None:
            raise ValueError("an appeal names neither a decision nor a request; expected decision_id or request_id")
        return self


class VerdictBody(Body):
    """What a person says of an appeal: another one than who judged the request before, with a reason code and in her own words."""

    verdict: Verdict
    by: Id
    reason_code: Id
    words: Annotated[Text, Field(min_length=1)]

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [{"verdict": "overturned", "by": "mei", "reason_code": "BUYER_HISTORY_GOOD", "words": "Both videos show the same six."}]
        }
    }
