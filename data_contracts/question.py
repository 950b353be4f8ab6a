"""One refund request as it was asked: checked, pseudonymised, with the identity that makes asking twice safe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from data_contracts.link import Link
from data_contracts.request import Account, ClaimLine, Delivery, Evidence, Observation, Order, OrderLine, RefundRequest
from data_contracts.score import Measurement


@dataclass(frozen=True, slots=True)
class Question:
    """What the caller said, and nothing that we knew before.

    `as_of` is when it arrived, and the moment of everything that is read for it. (request id, revision) is its identity; `payload_sha256`
    covers the rest, after pseudonymisation, so the same identity with another payload is recognised.
    `order` is null when the caller only named it, or there is none; then the stored one counts.
    """

    as_of: datetime
    revision: int
    payload_sha256: str
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
