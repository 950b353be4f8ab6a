"""Who is tied to what: an account used a device, an address, a card, a phone, an IP; a request carried an image, a text, an agent."""

from enum import StrEnum

from pydantic.dataclasses import dataclass

from data_contracts.fields import Id
from data_contracts.request import Known


class EntityType(StrEnum):
    """Everything that has a timeline."""

    ACCOUNT = "account"
    SELLER = "seller"
    SKU = "sku"
    LOT = "lot"
    DEVICE = "device"
    ADDRESS = "address"
    CARD = "card"
    PHONE = "phone"
    IP = "ip"
    IMAGE = "image"
    TEXT = "text"
    AGENT = "agent"


LINK_TYPES = (
    EntityType.DEVICE,
    EntityType.ADDRESS,
    EntityType.CARD,
    EntityType.PHONE,
    EntityType.IP,
    EntityType.IMAGE,
    EntityType.TEXT,
    EntityType.AGENT,
)
"""The entity types that a link may point to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Known):
    """One use of an entity. `entity_id` is a keyed hash, never the raw identifier (`risk/identity.py`).

    With `request_id` the use belongs to that refund request (its claim device, IP, image, ...), with `order_id` to that order
    (its delivery address, card); with neither it is the account's alone (a log-in). `account_id` is null when the buyer is not known.
    """

    entity_type: EntityType
    entity_id: Id
    account_id: Id | None = None
    request_id: Id | None = None
    order_id: Id | None = None
