"""The online side in the plainest form: records one by one, events in a dictionary, snapshots as of each request's own moment."""

import dataclasses
from collections import defaultdict
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import polars as pl

from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.request import Account, ClaimLine, Delivery, Evidence, Observation, Order, OrderLine, RefundRequest
from data_contracts.score import Measurement
from data_contracts.snapshot import Snapshot
from data_contracts.tables import TABLES
from data_contracts.timeline import COLUMNS, Entity, Stream, Timeline
from features.projection import STREAM_TABLES, currency_of
from features.streams import Placed, entities_of, label_events, link_events, micros, order_events, request_events

Record = TypeVar("Record")


def records(tables: dict[str, pl.DataFrame], name: str) -> list[Any]:
    """The rows of a table as records; none when it is absent."""
    if name not in tables:
        return []
    rows = tables[name].to_dicts()
    for row in rows:
        if row.get("counts") is not None:
            row["counts"] = {each["attribute"]: each["count"] for each in row["counts"]}
    return [TABLES[name](**row) for row in rows]


class World:
    """All records of a data set, and every event that they put on timelines."""

    def __init__(self, tables: dict[str, pl.DataFrame]) -> None:
        self.currency = currency_of(tables)
        self.sources = frozenset(stream for stream, name in STREAM_TABLES.items() if name in tables)
        self.absent = {name: "not_connected" for name in TABLES if name not in tables}
        self.requests: list[RefundRequest] = records(tables, "refund_requests")
        self.orders: dict[str, Order] = {order.order_id: order for order in records(tables, "orders")}
        self.accounts: dict[str, Account] = {account.account_id: account for account in records(tables, "accounts")}
        self.parts = {name: records(tables, name) for name in TABLES if name not in ("refund_requests", "orders", "accounts", "truth")}
        self.events: dict[tuple[Entity, Stream], dict[tuple[int, str], tuple[Any, ...]]] = defaultdict(dict)
        self._place_all()

    def _of(self, name: str, kind: type[Record], **ids: str | None) -> tuple[Record, ...]:
        return tuple(
            row
            for row in self.parts[name]
            if any(value is not None and getattr(row, key) == value for key, value in ids.items()) and isinstance(row, kind)
        )

    def _place(self, placed: list[Placed]) -> None:
        for entity, stream, row in placed:
            values = dict(zip(COLUMNS, row, strict=True))
            self.events[entity, stream][values["known_us"], values["event_id"]] = row

    def _place_all(self) -> None:
        for link in self.parts["links"]:
            self._place(link_events(link))
        for order in self.orders.values():
            lines = self._of("order_lines", OrderLine, order_id=order.order_id)
            self._place(order_events(order, lines, self._of("links", Link, order_id=order.order_id), self.currency))
        for request in self.requests:
            rows = request_events(self.question(request))
            self._place(rows)
            self._place(label_events(self._of("labels", Label, request_id=request.request_id), rows))

    def question(self, request: RefundRequest) -> Snapshot:
        """The request with its own records, without history."""
        as_of, key = request.known_at, request.request_id
        order = self.orders.get(request.order_id or "")
        order = order if order is not None and order.known_at <= as_of else None
        mine = order.order_id if order is not None else request.order_id if "orders" in self.absent else None
        account = request.account_id or (order.account_id if order else None)
        asked = Snapshot(
            as_of=as_of,
            request=request,
            order=order,
            order_lines=self._of("order_lines", OrderLine, order_id=mine),
            deliveries=self._of("deliveries", Delivery, order_id=mine),
            claim_lines=self._of("claim_lines", ClaimLine, request_id=key),
            evidence=self._of("evidence", Evidence, request_id=key),
            observations=self._of("observations", Observation, request_id=key),
            measurements=self._of("measurements", Measurement, request_id=key),
            links=self._of("links", Link, request_id=key, order_id=mine),
            currency=self.currency,
            account=self.accounts.get(account or ""),
            sources=self.sources,
            missing=self.absent,
        )
        asked = dataclasses.replace(asked, entities=entities_of(asked))
        return dataclasses.replace(asked, category=self._category(asked))

    def _category(self, seen: Snapshot) -> str | None:
        named = {entity.id: entity.type for entity in seen.entities}
        known = [row for name in ("skus", "sellers") for row in self.parts[name] if row.known_at <= seen.as_of and row.category is not None]
        articles = {row.category for row in known if named.get(getattr(row, "sku_id", "")) is EntityType.SKU}
        sellers = [row.category for row in known if not hasattr(row, "sku_id") and named.get(row.seller_id) is EntityType.SELLER]
        return articles.pop() if len(articles) == 1 else next(iter(sellers), None)

    def snapshot(self, request: RefundRequest) -> Snapshot:
        """The request with the history of its entities, known strictly before its moment."""
        seen = self.question(request)
        timelines = {(entity, stream): self.timeline(entity, stream, seen.as_of) for entity in seen.entities for stream in self.sources}
        return dataclasses.replace(seen, timelines=timelines)

    def timeline(self, entity: Entity, stream: Stream, before: datetime) -> Timeline:
        """The events of an entity and stream known before a moment."""
        events = self.events.get((entity, stream), {})
        return Timeline.of(row for (known_us, _), row in sorted(events.items()) if known_us < micros(before))


def word(value: object) -> object:
    """The plain word of an enum member."""
    return value.value if isinstance(value, StrEnum) else value
