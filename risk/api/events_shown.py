"""What the routes of events answer, for the OpenAPI document."""

from pydantic import BaseModel

from risk.api.shown import ErrorShown


class OrderTaken(BaseModel):
    """`new` is false for an order that was known."""

    order_id: str
    new: bool


class LabelTaken(BaseModel):
    """`new` is false for a label that was known."""

    request_id: str
    new: bool


class RefundTaken(BaseModel):
    """`new` is false for a refund that was known."""

    refund_id: str
    new: bool


class LinkTaken(BaseModel):
    """`new` is false for a link that was known."""

    entity_type: str
    new: bool


class ItemTaken(BaseModel):
    """What became of one event: `status` is what it would have been alone. `type` is null where it cannot be told, `error` where there is none."""

    index: int
    type: str | None
    status: int
    new: bool
    error: ErrorShown | None


class BulkTaken(BaseModel):
    """How many events were new, known, refused; and of each what became of it, in their order."""

    new: int
    known: int
    refused: int
    items: list[ItemTaken]
