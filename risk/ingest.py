"""Single events from outside: an order, a label. Each is one durable transaction; the same event twice is one event."""

from dataclasses import dataclass

from data_contracts.errors import ConflictError, NotFoundError
from data_contracts.label import Label
from data_contracts.link import Link
from data_contracts.request import Delivery, Order, OrderLine
from features.streams import label_events, link_events, micros, order_events
from risk.stores.history import History, StoredOrder


@dataclass(frozen=True, slots=True)
class Ingest:
    """Writes events into history; the live graph of every worker reads them there."""

    history: History
    currency: str | None

    def order(self, order: Order, lines: tuple[OrderLine, ...], scans: tuple[Delivery, ...], links: tuple[Link, ...]) -> bool:
        """Keep an order with its scans and links; false when the order was known already (new scans are kept all the same).

        ConflictError: it was known with another content.
        """
        history, known_us = self.history, micros(order.known_at)
        with history.database.writing() as connection:
            fresh = history.add_order(connection, order, lines)
            if not fresh:
                _check_same(history.order(connection, order.order_id), order, lines)
            history.add_deliveries(connection, scans)
            if fresh:
                events = order_events(order, lines, links, self.currency)
                history.add_links(connection, links)
                history.add_events(connection, [*events, *(event for link in links for event in link_events(link))])
            brought = {"orders": True, "order_lines": bool(lines), "deliveries": bool(scans), "links": bool(links and fresh)}
            history.add_sources(connection, {name for name, there in brought.items() if there}, known_us)
        return fresh

    def label(self, label: Label) -> bool:
        """Keep a label and put it on the timelines of its request; false when it was known already. NotFoundError: no such request."""
        history = self.history
        with history.database.writing() as connection:
            events = history.request_events(connection, label.request_id)
            if not events:
                message = f"no refund request {label.request_id}; a label can only be given to a request that was scored or loaded"
                raise NotFoundError(message, field="request_id")
            known = history.labels(connection, label.request_id)
            if any((each.source, each.value, each.occurred_at) == (label.source, label.value, label.occurred_at) for each in known):
                return False
            history.add_label(connection, label)
            history.replace_label_events(connection, label_events([*known, label], events))
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
