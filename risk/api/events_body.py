"""What callers send of events, one a call or many together, checked field by field."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

from data_contracts.fields import AmountMinor, Currency, Id
from data_contracts.label import LabelSource, LabelValue
from risk.api.body import ORDER, Body, DeliveryBody, LinkBody, OrderBody
from risk.api.moment import Moment


class OrderEventBody(OrderBody):
    """An order that happened, with the identifiers that came with it (delivery address, card, phone, device)."""

    links: Annotated[tuple[LinkBody, ...], Field(max_length=100)] = ()

    model_config = Body.model_config | {"json_schema_extra": {"examples": [ORDER]}}


class DeliveryEventBody(DeliveryBody):
    """A carrier's scan of an order; it may come before the order does."""

    order_id: Id

    model_config = Body.model_config | {
        "json_schema_extra": {"examples": [{"order_id": "o-1", "status": "delivered", "occurred_at": "2026-03-03T09:00:00Z"}]}
    }


class RefundBody(Body):
    """Money that was paid back, whole or in part."""

    refund_id: Id
    request_id: Id | None = None
    order_id: Id | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None
    occurred_at: Moment

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "refund_id": "rf-1",
                    "request_id": "req-1",
                    "order_id": "o-1",
                    "amount_minor": 1460,
                    "currency": "CNY",
                    "occurred_at": "2026-03-05T10:00:00Z",
                }
            ]
        }
    }

    @model_validator(mode="after")
    def of_something(self) -> Self:
        """It was paid for a request or for an order."""
        if self.request_id is None and self.order_id is None:
            raise ValueError("a refund names neither a request nor an order; expected request_id, order_id or both")
        return self


class LinkEventBody(LinkBody):
    """One use of an entity by an account: by itself (a log-in), with an order or with a refund request."""

    account_id: Id | None = None
    order_id: Id | None = None
    request_id: Id | None = None
    occurred_at: Moment

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [{"entity_type": "device", "entity_id": "PHONE-1", "account_id": "buyer-1", "occurred_at": "2026-03-01T08:00:00Z"}]
        }
    }

    @model_validator(mode="after")
    def of_somebody(self) -> Self:
        """It is somebody's."""
        if self.account_id is None and self.order_id is None and self.request_id is None:
            raise ValueError("a link names nobody who used the entity; expected account_id, order_id or request_id")
        return self


class LabelBody(Body):
    """What a request turned out to be; `occurred_at` is when it was found out, now when left out.

    `by` is who said so: whoever judged a request does not judge the appeal against it.
    """

    request_id: Id
    value: LabelValue
    source: LabelSource
    occurred_at: Moment | None = None
    by: Id | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [{"request_id": "req-1", "value": "honest", "source": "verdict", "occurred_at": "2026-03-06T10:00:00Z", "by": "mei"}]
        }
    }


class BulkOrder(OrderEventBody):
    """An order among other events."""

    type: Literal["order"]


class BulkDelivery(DeliveryEventBody):
    """A scan among other events."""

    type: Literal["delivery"]


class BulkRefund(RefundBody):
    """A refund among other events."""

    type: Literal["refund"]


class BulkLink(LinkEventBody):
    """A link among other events."""

    type: Literal["link"]


class BulkLabel(LabelBody):
    """A label among other events."""

    type: Literal["label"]


EventBody = Annotated[BulkOrder | BulkDelivery | BulkRefund | BulkLink | BulkLabel, Field(discriminator="type")]


class BulkEvents(RootModel[list[EventBody]]):
    """Events of any kind, in the order in which they are taken in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [[ORDER | {"type": "order"}, {"type": "label", "request_id": "req-1", "value": "honest", "source": "verdict"}]]
        }
    )
