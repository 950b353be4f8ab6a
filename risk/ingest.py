"""Events from outside: orders, scans, refunds, links, labels. Each is taken in whole and durably or not at all; the same event twice is one event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_contracts.errors import ConflictError, ContractError, NotFoundError, RiskError, SourceUnavailableError
from data_contracts.label import Label
from data_contracts.link import Link
from data_contracts.request import Delivery, Order, OrderLine, Refund
from features.streams import label_events, micros, order_events
from risk.stores import service_tables
from risk.stores.history import History, StoredOrder
from risk.stores.links import StoredLinks


@dataclass(frozen=True, slots=True)
class OrderTold:
    """An order with what was told along with it."""

    order: Order
    lines: tuple[OrderLine, ...] = ()
    scans: tuple[Delivery, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelTold:
    """A label with who said so."""

    label: Label
    by: str


Event = LabelTold | OrderTold | Delivery | Refund | Link | Label
Outcome = bool | RiskError
"""Whether the event was new, or why it was refused."""

REFUND_COLUMNS = ("refund_id", "request_id", "order_id", "amount_minor", "currency", "occurred_us", "known_us")


@dataclass(frozen=True, slots=True)
class Ingest:
    """Writes events into history; the live graph of every worker reads them there."""

    history: History
    currency: str | None

    def take(self, event: Event) -> bool:
        """Take one event in; false when it was known. ConflictError: known with another content. NotFoundError: it is about nothing we know."""
        with self.history.database.writing() as connection:
            return self.keep(connection, event)

    def take_all(self, events: Sequence[Event]) -> list[Outcome]:
        """Take them in one after the other and make them durable together; one that is refused leaves the others.

        SourceUnavailableError: the database does not answer; some may be known, so send all of them again.
        """
        try:
            with self.history.database.writing() as connection:
                return [self._tried(connection, event) for event in events]
        except ContractError:  # one of them cannot be kept by the database: each for itself, to find out which
            return [self._alone(event) for event in events]

    def order(self, order: Order, lines: tuple[OrderLine, ...], scans: tuple[Delivery, ...], links: tuple[Link, ...]) -> bool:
        """Keep an order with its scans and links; false when the order was known already (new scans are kept all the same)."""
        return self.take(OrderTold(order, lines, scans, links))

    def label(self, label: Label) -> bool:
        """Keep a label and put it on the timelines of its request; false when it was known already. NotFoundError: no such request."""
        return self.take(label)

    def keep(self, connection: Connection, event: Event) -> bool:
        """Take one event in, within the caller's transaction."""
        match event:
            case OrderTold():
                return self._keep_order(connection, event)
            case Delivery():
                return self._keep_scan(connection, event)
            case Refund():
                return self._keep_refund(connection, event)
            case Link():
                return self._keep_link(connection, event)
            case Label():
                return self._keep_label(connection, event)
            case LabelTold():
                fresh = self._keep_label(connection, event.label)
                self.note_judge(connection, event.label.request_id, event.by, event.label.known_at)
                return fresh

    def note_judge(self, connection: Connection, request_id: str, judge: str, at: datetime) -> None:
        """Remember who judged a request: the second look is somebody else's."""
        row = (request_id, judge, micros(at))
        self.history.database.add_many(connection, service_tables.request_judges, ("request_id", "judge", "known_us"), [row])

    def _alone(self, event: Event) -> Outcome:
        try:
            return self.take(event)
        except SourceUnavailableError:
            raise
        except RiskError as refused:
            return refused

    def _tried(self, connection: Connection, event: Event) -> Outcome:
        """Take it in or leave no trace of it."""
        try:
            with connection.begin_nested():
                return self.keep(connection, event)
        except (ConflictError, NotFoundError) as refused:
            return refused

    def _keep_order(self, connection: Connection, told: OrderTold) -> bool:
        history, known_us = self.history, micros(told.order.known_at)
        fresh = history.add_order(connection, told.order, told.lines)
        if not fresh:
            _check_same(history.order(connection, told.order.order_id), told.order, told.lines)
        history.add_deliveries(connection, told.scans)
        if fresh:
            events = order_events(told.order, told.lines, told.links, self.currency)
            history.take(connection, events, told.links)
        brought = {"orders": True, "order_lines": bool(told.lines), "deliveries": bool(told.scans), "links": bool(told.links and fresh)}
        history.add_sources(connection, {name for name, there in brought.items() if there}, known_us)
        return fresh

    def _keep_scan(self, connection: Connection, scan: Delivery) -> bool:
        """A carrier's scan; it may come before its order does."""
        statement = "INSERT INTO deliveries (order_id, status, occurred_us, known_us) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING order_id"
        row = (scan.order_id, scan.status.value, micros(scan.occurred_at), micros(scan.known_at))
        fresh = bool(self.history.database.fetch(connection, statement, row))
        self.history.add_sources(connection, {"deliveries"}, micros(scan.known_at))
        return fresh

    def _keep_refund(self, connection: Connection, refund: Refund) -> bool:
        """Money that was paid back. It decides nothing by itself: what the request was is a label's to say."""
        places = ", ".join(["?"] * len(REFUND_COLUMNS))
        statement = f"INSERT INTO refunds ({', '.join(REFUND_COLUMNS)}) VALUES ({places}) ON CONFLICT DO NOTHING RETURNING refund_id"  # noqa: S608  # our own columns
        content = (refund.request_id, refund.order_id, refund.amount_minor, refund.currency, micros(refund.occurred_at))
        fresh = bool(self.history.database.fetch(connection, statement, (refund.refund_id, *content, micros(refund.known_at))))
        if not fresh:
            query = f"SELECT {', '.join(REFUND_COLUMNS[1:-1])} FROM refunds WHERE refund_id = ?"  # noqa: S608  # as above
            if tuple(self.history.database.fetch(connection, query, (refund.refund_id,))[0]) != content:
                message = f"refund {refund.refund_id} is known with another content; a refund does not change, send a new refund id"
                raise ConflictError(message, field="refund_id")
        self.history.add_sources(connection, {"refunds"}, micros(refund.known_at))
        return fresh

    def _keep_link(self, connection: Connection, link: Link) -> bool:
        """One use of an entity, with the moment that it became known first."""
        if StoredLinks(self.history.database, connection).has(link):
            return False
        self.history.take(connection, (), [link])
        self.history.add_sources(connection, {"links"}, micros(link.known_at))
        return True

    def _keep_label(self, connection: Connection, label: Label) -> bool:
        history = self.history
        events = history.request_events(connection, label.request_id)
        if not events:
            message = f"no refund request {label.request_id}; a label can only be given to a request that was scored or loaded"
            raise NotFoundError(message, field="request_id")
        known = history.labels(connection, label.request_id)
        if any((each.source, each.value, each.occurred_at) == (label.source, label.value, label.occurred_at) for each in known):
            return False
        history.add_label(connection, label, label_events([*known, label], events))
        history.add_sources(connection, {"labels"}, micros(label.known_at))
        return True


def _check_same(stored: StoredOrder | None, order: Order, lines: tuple[OrderLine, ...]) -> None:
    """ConflictError: the stored order says something else."""
    if stored is None:
        return
    for name in ("account_id", "seller_id", "amount_minor", "currency", "occurred_at"):
        before, now = getattr(stored.order, name), getattr(order, name)
        if before != now:
            message = f"order {order.order_id} is known with {name} {before}, now it comes with {now}; an order does not change, send a new order id"
            raise ConflictError(message, field=name)
    if stored.lines != lines:
        message = f"order {order.order_id} is known with other lines; an order does not change, send a new order id"
        raise ConflictError(message, field="lines")
