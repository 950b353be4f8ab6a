"""A refund request with everything that was told along with it: what a question says and a snapshot keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from data_contracts.link import Link
from data_contracts.request import Account, ClaimLine, Delivery, Evidence, Observation, Order, OrderLine, RefundRequest
from data_contracts.score import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`as_of` is when it arrived, and the moment of everything that is read for it.

    `order` and `account` are null when nobody told them. `attributes` are the shop's own columns.
    """

    as_of: datetime
    request: RefundRequest
    account: Account | None = None
    order: Order | None = None
    order_lines: tuple[OrderLine, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    claim_lines: tuple[ClaimLine, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    observations: tuple[Observation, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    links: tuple[Link, ...] = ()
    attributes: Mapping[str, float | str | None] = field(default_factory=dict)
    category: str | None = None
