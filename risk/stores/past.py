"""What the store knows of several questions at once: a handful of statements, however many there are.

What is read is of the moment of the transaction; who asks keeps to what was known before a question's own moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from data_contracts.link import EntityType, Link
from data_contracts.question import Question
from data_contracts.request import Account, Delivery
from data_contracts.timeline import Entity
from risk.stores.database import Database
from risk.stores.history import ORDER, History, StoredOrder, link_of, moment
from risk.stores.links import LINK_COLUMNS

TEXT = ("text",)


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
    database = history.database
    orders = [(order_id,) for order_id in dict.fromkeys(question.request.order_id for question in questions) if order_id is not None]
    asked = [(name,) for name in dict.fromkeys(question.request.request_id for question in questions)]
    again = frozenset(name for (name,) in database.given(connection, _AGAIN, TEXT, asked))
    past = Past(connected=history.sources(connection), again=again)
    past.orders = {name: ORDER.validate_json(body) for name, body in database.given(connection, _ORDERS, TEXT, orders)}
    for name, status, occurred_us, known_us in database.given(connection, _DELIVERIES, TEXT, orders):
        scan = Delivery(order_id=name, status=status, occurred_at=moment(occurred_us), known_at=moment(known_us))
        past.deliveries.setdefault(name, []).append((scan, known_us))
    past.order_links = _links(database.given(connection, _LINKS.format(key="order_id"), TEXT, orders), LINK_COLUMNS.index("order_id"))
    own = [(name,) for name in again]
    past.own_links = _links(database.given(connection, _LINKS.format(key="request_id"), TEXT, own), LINK_COLUMNS.index("request_id"))
    return past


def read_named(database: Database, connection: Connection, past: Past, entities: Iterable[Entity]) -> None:
    """Add when the accounts among these were opened, and of what category articles and sellers are."""
    entities = list(entities)
    rows = database.given(connection, _ACCOUNTS, TEXT, [(entity.id,) for entity in entities if entity.type is EntityType.ACCOUNT])
    past.accounts = {name: Account(account_id=name, occurred_at=moment(at), known_at=moment(known)) for name, at, known in rows}
    named = [(entity.type.value, entity.id) for entity in entities if entity.type in (EntityType.SKU, EntityType.SELLER)]
    rows = database.given(connection, _CATEGORIES, ("text", "text"), named)
    past.categories = {Entity(EntityType(kind), name): category for kind, name, category in rows}


def _links(rows: Iterable[Sequence[Any]], key: int) -> dict[str, list[Link]]:
    found: dict[str, list[Link]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(link_of(row))
    return found


_AGAIN = "SELECT DISTINCT request_id FROM {given} CROSS JOIN request_places WHERE request_id = c0"

_ORDERS = "SELECT order_id, body FROM {given} CROSS JOIN orders WHERE order_id = c0"

_DELIVERIES = "SELECT order_id, status, occurred_us, known_us FROM {given} CROSS JOIN deliveries WHERE order_id = c0 ORDER BY occurred_us, status"

_LINKS = f"SELECT {', '.join(LINK_COLUMNS)} FROM {{{{given}}}} CROSS JOIN links WHERE {{key}} = c0 ORDER BY link_no"  # noqa: S608  # our own column names

_ACCOUNTS = "SELECT account_id, occurred_us, known_us FROM {given} CROSS JOIN accounts WHERE account_id = c0"

_CATEGORIES = "SELECT entity_type, entity_id, category FROM {given} CROSS JOIN categories WHERE entity_type = c0 AND entity_id = c1"
