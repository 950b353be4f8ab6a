"""What was read for the questions of one batch, and each question joined with what the store had of its order."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from data_contracts.asked import Asked
from data_contracts.discount import Discount
from data_contracts.errors import ConflictError
from data_contracts.link import EntityType
from data_contracts.question import Question
from data_contracts.request import Account
from data_contracts.timeline import Entity
from features.streams import Placed, entities_of, micros
from risk.evidence.seen import Seen
from risk.evidence.shown import Shown
from risk.sources import Values
from risk.stores.past import Past


@dataclass(slots=True)
class Own:
    """What was read for one question. `asked` has the records of its order that were stored before; `ordered` are the events of an order that is new.

    `slow` is null where the feature store did not answer.
    """

    seen: Seen
    asked: Asked
    entities: tuple[Entity, ...]
    slow: Values | None = None
    ordered: Sequence[Placed] = ()

    @property
    def buyer(self) -> str | None:
        """The account that asks."""
        return next((entity.id for entity in self.entities if entity.type is EntityType.ACCOUNT), None)

    def ids(self, kind: EntityType) -> list[str]:
        """Its entities of that type."""
        return [entity.id for entity in self.entities if entity.type is kind]


@dataclass(slots=True)
class Reads:
    """What was read for some questions; `own` by request id. `discounts` is null where they cannot be read."""

    past: Past
    shown: Shown | None
    discounts: Sequence[Discount] | None = ()
    own: dict[str, Own] = field(default_factory=dict)

    def of(self, question: Question) -> Own:
        """What was read for that question."""
        return self.own[question.request.request_id]

    def knows(self, account: Account | None) -> bool:
        """Whether the store knows when that account was opened."""
        return account is not None and account.account_id in self.past.accounts

    def earliest(self) -> dict[Entity, int]:
        """Every entity of the questions, with the earliest moment of one about it."""
        found: dict[Entity, int] = {}
        for own in self.own.values():
            as_of_us = micros(own.asked.as_of)
            for entity in own.entities:
                found[entity] = min(as_of_us, found.get(entity, as_of_us))
        return found


def own_of(seen: Seen, past: Past) -> Own:
    """A question with the records that were stored for its order before, and its entities."""
    asked: Asked = seen.question
    order_id = asked.request.order_id
    if order_id is not None and (order_id in past.orders or order_id in past.deliveries or order_id in past.order_links):
        asked = _joined(seen.question, order_id, past)
    return Own(seen, asked, entities_of(asked))


def _joined(question: Question, order_id: str, past: Past) -> Asked:
    as_of_us, stored = micros(question.as_of), past.orders.get(order_id)
    before = [scan for scan, known_us in past.deliveries.get(order_id, ()) if known_us < as_of_us]
    told = {(scan.status, scan.occurred_at) for scan in before}
    return replace(
        question,
        order=question.order if stored is None else stored.order,
        order_lines=(stored.lines if stored else ()) or question.order_lines,
        deliveries=(*before, *(scan for scan in question.deliveries if (scan.status, scan.occurred_at) not in told)),
        links=(*question.links, *(link for link in past.order_links.get(order_id, ()) if link.known_at < question.as_of)),
    )


def is_new_order(past: Past, question: Question) -> bool:
    """Whether the question tells of an order that was not told before. ConflictError: it was, and differently."""
    stored = past.orders.get(question.request.order_id or "")
    if stored is None or question.order is None:
        return question.order is not None
    for name in ("account_id", "seller_id", "amount_minor", "currency"):
        before, now = getattr(stored.order, name), getattr(question.order, name)
        if before is not None and now is not None and before != now:
            message = (
                f"order {stored.order.order_id} is known with {name} {before}, now it comes with {now}; an order does not change, send a new order id"
            )
            raise ConflictError(message, field=f"order.{name}")
    return False
