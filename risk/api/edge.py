"""The edge: checked bodies become records; identifiers are hashed, times held against our clock, contradictions of the caller refused."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from data_contracts.errors import ContractError
from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.question import Question
from data_contracts.request import Account, ClaimLine, Delivery, Evidence, Observation, Order, OrderLine, Refund, RefundRequest
from data_contracts.score import Measurement
from data_contracts.unchecked import unchecked
from graph.normalise import Outcome
from risk.api.body import LinkBody, OrderBody, RefundRequestBody
from risk.api.events_body import DeliveryEventBody, LabelBody, LinkEventBody, OrderEventBody, RefundBody
from risk.identity import AS_WRITTEN, Identified, Identifiers, text_id
from risk.ingest import LabelTold, OrderTold

REFUND_NAMES = {"refund_id", "request_id", "order_id", "amount_minor", "currency"}
REQUEST, ORDER, LINE, DELIVERY, ACCOUNT = unchecked(RefundRequest), unchecked(Order), unchecked(OrderLine), unchecked(Delivery), unchecked(Account)
CLAIM_LINE, EVIDENCE, OBSERVATION, MEASUREMENT = unchecked(ClaimLine), unchecked(Evidence), unchecked(Observation), unchecked(Measurement)
LINK = unchecked(Link)
"""Records of bodies, which were checked field by field under the limits of the records; `moment` sees to it that nothing is known too early."""
NOT_PAYLOAD = {"links", "deadline_ms"}
"""Fields of a body that its hash does not cover as they came: links are in it hashed, and how long a caller waits says nothing of the request."""
JUST_BEFORE = timedelta(microseconds=1)
"""What comes along with a request (its order, its deliveries) was known just before it was asked."""


Told = Sequence[tuple[EntityType, Identified]]
"""What became of the identifiers of a call, by type."""


class Wordings(Protocol):
    """The claim texts so far."""

    def id_of(self, text: str) -> str | None:
        """The template of a text; null when it says nothing."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the edge needs to read bodies: how raw identifiers are read, and how far a caller's clock may run ahead.

    `templates` knows the claim texts so far; without it only equal wordings are alike.
    """

    identifiers: Identifiers
    skew: timedelta
    templates: Wordings | None = None

    def moment(self, said: datetime, now: datetime, field: str) -> datetime:
        """What the caller said, at most now. ContractError: further in the future than clocks drift."""
        if said > now + self.skew:
            message = f"{field} is {said.isoformat()}, which lies in the future; expected at most {now.isoformat()} (UTC)"
            raise ContractError(message, field=field)
        return min(said, now)

    def question(self, body: RefundRequestBody, as_of: datetime, told: Told | None = None, *, only_measured: bool = False) -> Question:
        """The body as records. `told` is what `read` made of its identifiers, where that is known. `only_measured` is as in `Question`.

        ContractError: it contradicts itself in a way that no buyer can cause.
        """
        _check_consistent(body)
        occurred = self.moment(body.occurred_at, as_of, "occurred_at")
        buyer = buyer_of(body)
        links = self._identified(body, self.read(body.links, buyer) if told is None else told)
        request = REQUEST(
            request_id=body.request_id,
            account_id=buyer,
            order_id=body.order.order_id if body.order else body.order_id,
            seller_id=body.seller_id or (body.order.seller_id if body.order else None),
            claim_type=body.claim_type,
            amount_minor=body.amount_minor,
            currency=body.currency,
            text=body.text,
            same_items=body.same_items,
            occurred_at=occurred,
            known_at=as_of,
        )
        order, lines, deliveries = self.order(body.order, as_of, request) if body.order else (None, (), ())
        return Question(
            as_of=as_of,
            revision=body.revision,
            payload_sha256=_payload_hash(body, links),
            request=request,
            account=self._account(body, as_of),
            order=order,
            order_lines=lines,
            deliveries=deliveries,
            claim_lines=tuple(CLAIM_LINE(request_id=body.request_id, **vars(line)) for line in body.claim_lines),
            links=tuple(
                LINK(entity_type=kind, entity_id=name, account_id=buyer, request_id=body.request_id, occurred_at=occurred, known_at=as_of)
                for kind, name in links
            ),
            attributes=body.attributes,
            category=body.category,
            only_measured=only_measured,
            **self._evidence(body, occurred, as_of),
        )

    def order(
        self,
        body: OrderBody,
        as_of: datetime,
        request: RefundRequest | None,
    ) -> tuple[Order, tuple[OrderLine, ...], tuple[Delivery, ...]]:
        """An order with its lines and scans, known just before `as_of`. ContractError: it lies in the future."""
        known, inside = as_of - JUST_BEFORE, "order." if request else ""
        order = ORDER(
            order_id=body.order_id,
            account_id=body.account_id or (request.account_id if request else None),
            seller_id=body.seller_id or (request.seller_id if request else None),
            amount_minor=body.amount_minor,
            currency=body.currency,
            occurred_at=self.moment(body.occurred_at, known, f"{inside}occurred_at"),
            known_at=known,
        )
        lines = tuple(LINE(order_id=body.order_id, **vars(line)) for line in body.lines)
        scans = tuple(
            DELIVERY(
                order_id=body.order_id,
                status=scan.status,
                occurred_at=self.moment(scan.occurred_at, known, f"{inside}deliveries.{place}.occurred_at"),
                known_at=known,
            )
            for place, scan in enumerate(body.deliveries)
        )
        return order, lines, scans

    def _account(self, body: RefundRequestBody, as_of: datetime) -> Account | None:
        """When the buyer's account was opened, if the caller says so."""
        if body.account_id is None or body.account_opened_at is None:
            return None
        known = as_of - JUST_BEFORE
        return ACCOUNT(account_id=body.account_id, occurred_at=self.moment(body.account_opened_at, known, "account_opened_at"), known_at=known)

    def order_event(self, body: OrderEventBody, as_of: datetime, told: Told | None = None) -> OrderTold:
        """An order of its own, known when it arrived; `told` as in `question`. ContractError: it lies in the future."""
        order, lines, scans = self.order(body, as_of + JUST_BEFORE, None)
        links = tuple(
            LINK(
                entity_type=kind,
                entity_id=name,
                account_id=order.account_id,
                order_id=order.order_id,
                occurred_at=order.occurred_at,
                known_at=order.known_at,
            )
            for kind, name in _named(self.read(body.links, order.account_id) if told is None else told)
        )
        return OrderTold(order, lines, scans, links)

    def delivery(self, body: DeliveryEventBody, as_of: datetime) -> Delivery:
        """A scan, known when it arrived. ContractError: it lies in the future."""
        occurred = self.moment(body.occurred_at, as_of, "occurred_at")
        return Delivery(order_id=body.order_id, status=body.status, occurred_at=occurred, known_at=as_of)

    def refund(self, body: RefundBody, as_of: datetime) -> Refund:
        """Money paid back, known when we were told. ContractError: it lies in the future."""
        occurred = self.moment(body.occurred_at, as_of, "occurred_at")
        return Refund(**body.model_dump(include=REFUND_NAMES), occurred_at=occurred, known_at=as_of)

    def link(self, body: LinkEventBody, as_of: datetime, told: Told | None = None) -> Link:
        """A link, known when we were told; `told` as in `question`. ContractError: it lies in the future, or its identifier names nobody."""
        ((kind, found),) = self.read([body], body.account_id) if told is None else told
        if found.id is None:
            message = f"this identifier is {found.outcome.value}: it names nobody; leave such links out"
            raise ContractError(message, field="entity_id")
        occurred = self.moment(body.occurred_at, as_of, "occurred_at")
        of = body.model_dump(include={"account_id", "order_id", "request_id"})
        return Link(entity_type=kind, entity_id=found.id, **of, occurred_at=occurred, known_at=as_of)

    def label(self, body: LabelBody, as_of: datetime) -> Label | LabelTold:
        """A label, known when it arrived. ContractError: it lies in the future."""
        occurred = self.moment(body.occurred_at or as_of, as_of, "occurred_at")
        label = Label(request_id=body.request_id, value=body.value, source=body.source, occurred_at=occurred, known_at=as_of)
        return label if body.by is None else LabelTold(label, body.by)

    def _identified(self, body: RefundRequestBody, told: Told) -> list[tuple[EntityType, str]]:
        """The hashed identifiers, with the wording and the files of the claim where the caller does not say what they are alike to."""
        named, said = _named(told), {kind for kind, _ in told}
        wording = None if body.text is None else self._wording(body.text)
        if wording is not None and EntityType.TEXT not in said:
            named.append((EntityType.TEXT, wording))
        if EntityType.IMAGE not in said:
            named += dict.fromkeys((EntityType.IMAGE, f"sha_{item.sha256}") for item in body.evidence)
        return named

    def read(self, links: Iterable[LinkBody], account_id: str | None) -> Told:
        """Every identifier that came with an account, and what became of it; one that was hashed before is taken as it is."""
        return [
            (link.entity_type, Identified(link.hashed_id, Outcome.KEPT))
            if link.hashed_id is not None
            else (link.entity_type, self.identifiers.of(link.entity_type, str(link.entity_id), account_id))
            for link in links
        ]

    def _wording(self, text: str) -> str | None:
        """The entity of a claim's wording; null when it says nothing."""
        return text_id(text) if self.templates is None or self.identifiers.scheme == AS_WRITTEN else self.templates.id_of(text)

    def _evidence(self, body: RefundRequestBody, occurred: datetime, as_of: datetime) -> dict[str, Any]:
        """The evidence with what was observed and measured in it."""
        found: dict[str, list[Any]] = {"evidence": [], "observations": [], "measurements": []}
        for place, item in enumerate(body.evidence):
            sent = self.moment(item.occurred_at or occurred, as_of, f"evidence.{place}.occurred_at")
            mine: dict[str, Any] = {"evidence_id": item.evidence_id or f"{body.request_id[:120]}/{place + 1}", "request_id": body.request_id}
            piece: dict[str, Any] = {"sha256": item.sha256, "kind": item.kind, "sent_by": item.sent_by}
            found["evidence"].append(EVIDENCE(**mine, **piece, occurred_at=sent, known_at=as_of))
            found["observations"] += [OBSERVATION(**mine, **vars(seen), occurred_at=sent, known_at=as_of) for seen in item.observations]
            found["measurements"] += [MEASUREMENT(**mine, sha256=item.sha256, **vars(each), known_at=as_of) for each in item.measurements]
        return {name: tuple(records) for name, records in found.items()}


def buyer_of(body: RefundRequestBody) -> str | None:
    """Who asks, as the request or its order says."""
    return body.account_id or (body.order.account_id if body.order else None)


def _named(told: Told) -> list[tuple[EntityType, str]]:
    """The hashed identifiers that name somebody, each once."""
    return list(dict.fromkeys([(kind, found.id) for kind, found in told if found.id is not None]))


def _check_consistent(body: RefundRequestBody) -> None:
    """What the caller's own system got wrong. A buyer's contradiction (claims more than was ordered) is scored, not refused."""
    order = body.order
    if order is not None:
        for name in ("order_id", "account_id", "seller_id"):
            said, inside = getattr(body, name), getattr(order, name)
            if said is not None and inside is not None and said != inside:
                message = f"{name} is {said}, but the order says {inside}; expected the same"
                raise ContractError(message, field=f"order.{name}")
        skus = {line.line_no: line.sku_id for line in order.lines}
        for place, line in enumerate(body.claim_lines):
            if line.sku_id and skus.get(line.line_no) and line.sku_id != skus[line.line_no]:
                message = f"claim line {line.line_no} names the article {line.sku_id}, the order {skus[line.line_no]}; expected the same"
                raise ContractError(message, field=f"claim_lines.{place}.sku_id")
    for field, names in (
        ("claim_lines", [line.line_no for line in body.claim_lines]),
        ("evidence", [item.evidence_id for item in body.evidence if item.evidence_id]),
    ):
        if len(set(names)) < len(names):
            message = f"{field} names the same {'line_no' if field == 'claim_lines' else 'evidence_id'} twice; expected each once"
            raise ContractError(message, field=field)


def _payload_hash(body: RefundRequestBody, links: list[tuple[EntityType, str]]) -> str:
    """SHA-256 of the payload as records: neither white space nor the order of keys count, and no raw identifier can be guessed back from it."""
    plain = {name: said for name, said in vars(body).items() if name not in NOT_PAYLOAD}
    return hashlib.sha256(msgspec.json.encode([plain, links], order="sorted", enc_hook=vars)).hexdigest()
