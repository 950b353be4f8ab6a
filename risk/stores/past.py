"""What the store knows of several questions at once: two statements, however many there are.

What is read is of the moment of the transaction; who asks keeps to what was known before a question's own moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from data_contracts.link import EntityType, Link
from data_contracts.question import Question
from data_contracts.request import Account, Delivery
from data_contracts.timeline import Entity
from risk.stores.database import Database
from risk.stores.history import ORDER, History, StoredOrder, link_of, moment
from risk.stores.links import LINK_COLUMNS


@dataclass(slots=True)
class Past:
    """`again` names the requests that are on timelines already: an earlier decision, or loaded with the history.

    `own_links` are the links of those; `connected` are the kinds of data that ever came.
    """

    connected: frozenset[str] = frozenset()
    orders: dict[str, StoredOrder] = field(default_factory=dict)
    deliveries: dict[str, list[tuple[Delivery, int]]] = field(default_factory=dict)
    order_links: dict[str, list[Link]] = field(default_factory=dict)
    own_links: dict[str, list[Link]] = field(default_factory=dict)
    again: frozenset[str] = frozenset()
    accounts: dict[str, Account] = field(default_factory=dict)
    categories: dict[Entity, str] = field(default_factory=dict)

    def category(self, entities: Iterable[Entity]) -> str | None:
        """The category of the articles when they have one in common, else of the seller."""
        found: dict[EntityType, list[str]] = {}
        for entity in entities:
            if entity in self.categories and self.categories[entity] not in found.get(entity.type, ()):
                found.setdefault(entity.type, []).append(self.categories[entity])
        articles, sellers = found.get(EntityType.SKU, []), found.get(EntityType.SELLER, [])
        return articles[0] if len(articles) == 1 else next(iter(sellers), None)


def past_of(history: History, connection: Connection, questions: Sequence[Question]) -> Past:
    """What the questions name: their orders, and what was said of the requests before."""
    asked = dict.fromkeys((question.request.request_id, question.request.order_id) for question in questions)
    told: dict[str, list[tuple[Any, ...]]] = {}
    for row in history.database.given(connection, _TOLD, ("text", "text"), list(asked)):
        told.setdefault(row[0], []).append(row[1:])
    past = Past(frozenset(name for name, *_ in told.get("source", ())), again=frozenset(name for name, *_ in told.get("request", ())))
    past.orders = {name: ORDER.validate_json(body) for name, *_, body in told.get("order", ())}
    for name, status, _, _, _, occurred_us, known_us, *_ in sorted(told.get("delivery", ()), key=itemgetter(5, 1)):
        scan = Delivery(order_id=name, status=status, occurred_at=moment(occurred_us), known_at=moment(known_us))
        past.deliveries.setdefault(name, []).append((scan, known_us))
    for row in sorted(told.get("link", ()), key=itemgetter(_LINK_NO)):
        past.order_links.setdefault(row[_ORDER_ID], []).append(link_of(row))
    for question in questions:
        name = question.request.request_id
        if question.again and name in past.again:
            past.own_links[name] = history.links(connection, request_id=name)
    return past


def read_named(database: Database, connection: Connection, past: Past, entities: Iterable[Entity]) -> None:
    """Add when the accounts among these were opened, and of what category articles and sellers are."""
    named = [(entity.type.value, entity.id) for entity in entities if entity.type in _NAMED]
    for kind, name, category, occurred_us, known_us in database.given(connection, _ABOUT, ("text", "text"), named):
        if category is None:
            past.accounts[name] = Account(account_id=name, occurred_at=moment(occurred_us), known_at=moment(known_us))
        else:
            past.categories[Entity(EntityType(kind), name)] = category


_NAMED = (EntityType.ACCOUNT, EntityType.SKU, EntityType.SELLER)

_ORDER_ID, _LINK_NO = LINK_COLUMNS.index("order_id"), len(LINK_COLUMNS)

_NONE = ", NULL" * 5

_TOLD = f"""
    WITH asked AS (SELECT c0, c1 FROM {{given}})
    SELECT 'link', {", ".join(LINK_COLUMNS)}, link_no, CAST(NULL AS BYTEA) FROM asked CROSS JOIN links WHERE order_id = c1
    UNION ALL SELECT 'order', order_id{_NONE}, NULL, NULL, body FROM asked CROSS JOIN orders WHERE order_id = c1
    UNION ALL SELECT 'delivery', order_id, status, NULL, NULL, NULL, occurred_us, known_us, NULL, NULL
        FROM asked CROSS JOIN deliveries WHERE order_id = c1
    UNION ALL SELECT 'request', c0{_NONE}, NULL, NULL, NULL FROM asked WHERE EXISTS (SELECT 1 FROM request_places WHERE request_id = c0)
    UNION ALL SELECT 'source', name{_NONE}, NULL, NULL, NULL FROM sources
"""  # noqa: S608  # our own column names
"""Behind what a row tells of: the columns of a link with its number, and an order's body; the others say less."""

_ABOUT = """
    WITH asked AS (SELECT c0, c1 FROM {given})
    SELECT entity_type, entity_id, category, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT)
        FROM asked CROSS JOIN categories WHERE entity_type = c0 AND entity_id = c1
    UNION ALL SELECT c0, account_id, NULL, occurred_us, known_us FROM asked CROSS JOIN accounts WHERE c0 = 'account' AND account_id = c1
"""
