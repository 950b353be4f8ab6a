"""What happened before: entity timelines, orders, scans, links, labels. Reads are bounded; writes go into a transaction that the caller opened."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from pydantic import TypeAdapter
from sqlalchemy import Connection

from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.request import Account, Delivery, Order, OrderLine, RefundRequest
from data_contracts.timeline import COLUMNS, NEVER, Entity, Stream
from features.streams import Placed, micros
from risk.stores import tables
from risk.stores.acts import acts_among
from risk.stores.database import Database
from risk.stores.links import LABEL_COLUMNS, LINK_COLUMNS, StoredLinks
from risk.stores.turns import Turn, a_turn, tell

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order with its lines, as it was told."""

    order: Order
    lines: tuple[OrderLine, ...]


ORDER = TypeAdapter(StoredOrder)


def moment(us: int) -> datetime:
    """That many microseconds after 1970 UTC."""
    return EPOCH + timedelta(microseconds=us)


def encode_order(order: Order, lines: Sequence[OrderLine]) -> bytes:
    """One order as JSON."""
    return msgspec.json.encode(StoredOrder(order, tuple(lines)))


class History:
    """The past as the database knows it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def order(self, connection: Connection, order_id: str) -> StoredOrder | None:
        """The stored order of that id."""
        rows = self.database.fetch(connection, "SELECT body FROM orders WHERE order_id = ?", (order_id,))
        return ORDER.validate_json(rows[0][0]) if rows else None

    def links(self, connection: Connection, *, order_id: str | None = None, request_id: str | None = None) -> list[Link]:
        """The stored links of an order or of a request."""
        key, value = ("order_id", order_id) if request_id is None else ("request_id", request_id)
        return [link_of(row) for row in self.database.fetch(connection, f"SELECT {', '.join(LINK_COLUMNS)} FROM links WHERE {key} = ?", (value,))]  # noqa: S608  # our own column names

    def take(self, connection: Connection, placed: Sequence[Placed], links: Sequence[Link] = ()) -> None:
        """Put events on timelines, keep links with theirs, and tell every worker."""
        self.add_links(connection, links)
        self.add_events(connection, placed)
        known_us = max([*(row[_KNOWN] for _, _, row in placed), *(micros(link.known_at) for link in links)], default=None)
        if known_us is not None:
            self._tell(connection, a_turn((entity for entity, _, _ in placed), links, acts_among(placed)), known_us)

    def add_events(self, connection: Connection, placed: Iterable[Placed]) -> None:
        """Put events on timelines; one that is there already stays as it is, and links are kept by `add_links`. Whoever calls tells of it."""
        rows = [(entity.type.value, entity.id, stream.value, *row) for entity, stream, row in placed if stream is not Stream.LINK]
        self.database.add_many(connection, tables.timeline_events, EVENT_COLUMNS, rows)

    def add_places(self, connection: Connection, placed: Iterable[Placed]) -> None:
        """Remember on which timelines a request's event stands."""
        rows = [(row[0], entity.type.value, entity.id, row[2]) for entity, _, row in placed]
        self.database.add_many(connection, tables.request_places, ("request_id", "entity_type", "entity_id", "known_us"), rows)

    def add_links(self, connection: Connection, links: Iterable[Link]) -> None:
        """Keep links as they were told; one that is kept already says nothing new. Whoever calls tells of them."""
        StoredLinks(self.database, connection).add(links)

    def end_links(self, connection: Connection, request_id: str, until_us: int) -> None:
        """From that moment on the links of a request count no longer on timelines."""
        self._tell(connection, a_turn(StoredLinks(self.database, connection).end(request_id, until_us)), until_us)

    def add_order(self, connection: Connection, order: Order, lines: Sequence[OrderLine]) -> bool:
        """Keep an order; false when it was kept before, and stays as it is."""
        statement = "INSERT INTO orders (order_id, known_us, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING order_id"
        return bool(self.database.fetch(connection, statement, _order_row(order, lines)))

    def add_new_orders(self, connection: Connection, orders: Iterable[tuple[Order, Sequence[OrderLine]]]) -> None:
        """Keep orders. IntegrityError: one was kept before."""
        self.database.add_new(connection, tables.orders, ("order_id", "known_us", "body"), [_order_row(*each) for each in orders])

    def add_new_accounts(self, connection: Connection, accounts: Iterable[Account]) -> None:
        """Keep when accounts were opened. IntegrityError: one was known before. Whoever calls tells of it."""
        rows = [(account.account_id, micros(account.occurred_at), micros(account.known_at)) for account in accounts]
        self.database.add_new(connection, tables.accounts, ("account_id", "occurred_us", "known_us"), rows)

    def add_deliveries(self, connection: Connection, scans: Iterable[Delivery]) -> None:
        """Keep carrier scans."""
        rows = [(scan.order_id, scan.status.value, micros(scan.occurred_at), micros(scan.known_at)) for scan in scans]
        self.database.add_many(connection, tables.deliveries, ("order_id", "status", "occurred_us", "known_us"), rows)

    def add_label(self, connection: Connection, label: Label, placed: Sequence[Placed]) -> None:
        """Keep a label, put the label events of its request on timelines, over the ones from before it came, and tell every worker."""
        row = (label.request_id, label.source, label.value, micros(label.occurred_at), micros(label.known_at))
        self.database.add_many(connection, tables.labels, LABEL_COLUMNS, [row])
        insert = self.database.insert(tables.timeline_events)
        statement = insert.on_conflict_do_update(
            index_elements=list(tables.timeline_events.primary_key.columns),
            set_={"until_us": insert.excluded.until_us, "abuse": insert.excluded.abuse},
        )
        rows = [dict(zip(EVENT_COLUMNS, (entity.type.value, entity.id, stream.value, *told), strict=True)) for entity, stream, told in placed]
        connection.execute(statement, rows)
        turn = a_turn(entity for entity, _, _ in placed)
        self._tell(connection, msgspec.structs.replace(turn, labels=(row,)), row[-1])

    def add_texts(self, connection: Connection, requests: Iterable[tuple[RefundRequest, int]]) -> None:
        """Keep what buyers wrote, with when it was known, apart from the ledger."""
        rows = [(request.request_id, known_us, request.text) for request, known_us in requests if request.text]
        self.database.add_many(connection, tables.claim_texts, ("request_id", "known_us", "body"), rows)

    def add_sources(self, connection: Connection, names: Iterable[str], since_us: int) -> None:
        """Note that these kinds of data came."""
        self.database.add_many(connection, tables.sources, ("name", "since_us"), [(name, since_us) for name in sorted(names)])

    def request_events(self, connection: Connection, request_id: str) -> list[Placed]:
        """The request's events on its timelines, as of its latest revision."""
        rows = self.database.fetch(connection, _REQUEST_EVENTS, (request_id,))
        return [(Entity(EntityType(kind), name), Stream.REQUEST, tuple(row)) for kind, name, *row in rows]

    def end_events(self, connection: Connection, placed: Iterable[Placed], until_us: int) -> None:
        """From that moment on these events no longer count: something newer took their place."""
        placed = list(placed)
        self._tell(connection, a_turn(entity for entity, _, _ in placed), until_us)
        keys = [(until_us, entity.type.value, entity.id, stream.value, row[2], row[0]) for entity, stream, row in placed]
        self.database.fetch_each(connection, _END_EVENT, keys)

    def _tell(self, connection: Connection, turn: Turn, known_us: int) -> None:
        tell(self.database, connection, [turn], known_us)

    def labels(self, connection: Connection, request_id: str) -> list[Label]:
        """Every label of that request."""
        query = "SELECT value, source, occurred_us, known_us FROM labels WHERE request_id = ?"
        return [
            Label(request_id=request_id, value=value, source=source, occurred_at=moment(at), known_at=moment(known))
            for value, source, at, known in self.database.fetch(connection, query, (request_id,))
        ]


_KNOWN = COLUMNS.index("known_us")
EVENT_COLUMNS = ("entity_type", "entity_id", "stream", *COLUMNS)


_REQUEST_EVENTS = f"""
    SELECT e.entity_type, e.entity_id, {", ".join(f"e.{name}" for name in COLUMNS)} FROM request_places p CROSS JOIN timeline_events e
    WHERE p.request_id = ? AND e.entity_type = p.entity_type AND e.entity_id = p.entity_id AND e.stream = '{Stream.REQUEST.value}'
        AND e.known_us = p.known_us AND e.event_id = p.request_id AND e.until_us = {NEVER}
"""  # noqa: S608  # our own words

_END_EVENT = """
    UPDATE timeline_events SET until_us = ?
    WHERE entity_type = ? AND entity_id = ? AND stream = ? AND known_us = ? AND event_id = ? RETURNING until_us
"""


def _order_row(order: Order, lines: Sequence[OrderLine]) -> tuple[Any, ...]:
    return order.order_id, micros(order.known_at), encode_order(order, lines)


def link_of(row: Sequence[Any]) -> Link:
    """A link from its columns, in the order of LINK_COLUMNS."""
    named: Mapping[str, Any] = dict(zip(LINK_COLUMNS[:5], row, strict=False))
    return Link(**named, occurred_at=moment(row[5]), known_at=moment(row[6]))
