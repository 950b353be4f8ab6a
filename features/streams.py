"""Tables and records become timeline events here: a whole table at once for batch and for loading history, one record at a time while serving.

The two ways are held equal by a property test. An event's id is unique on its timeline together with `known_us`; both together are its order.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import polars as pl

from data_contracts.asked import Asked
from data_contracts.label import Label, LabelValue
from data_contracts.link import EntityType, Link
from data_contracts.request import ClaimLine, Delivery, DeliveryStatus, Order, OrderLine
from data_contracts.score import Measurement
from data_contracts.snapshot import Snapshot
from data_contracts.timeline import COLUMNS, NEVER, Entity, Stream
from features.projection import Projection, Tables

Row: TypeAlias = tuple[Any, ...]
"""One event in the order of COLUMNS."""

Placed: TypeAlias = tuple[Entity, Stream, Row]
"""An event and the timeline that it belongs to."""

_TARGET = COLUMNS.index("target_type")

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def timeline_events(tables: Tables, entity: EntityType, stream: Stream, currency: str | None) -> pl.DataFrame:
    """The events of every entity of a type: entity_id and COLUMNS (times in microseconds), in the order of (known_us, event_id).

    For several entity types and streams of the same tables, keep one `Projection` and ask it for `events`.
    """
    return Projection(tables, currency).events(entity, stream)


@lru_cache(maxsize=4_096)
def micros(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC; a decision asks it sixty times of four moments."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def entities_of(seen: Asked) -> tuple[Entity, ...]:
    """The entities of a request: account, seller, the claimed articles and lots (the whole order when no line is named), and its links'."""
    request, order = seen.request, _own_order(seen)
    found = [
        (EntityType.ACCOUNT, request.account_id or (order and order.account_id)),
        (EntityType.SELLER, request.seller_id or (order and order.seller_id)),
    ]
    for sku_id, lot in _articles(seen):
        found += [(EntityType.SKU, sku_id), (EntityType.LOT, lot)]
    found += [(link.entity_type, link.entity_id) for link in seen.links if link.known_at <= seen.as_of]
    return tuple(dict.fromkeys(Entity(kind, name) for kind, name in found if name))


def request_events(seen: Snapshot) -> list[Placed]:
    """The request's event on the timeline of each of its entities; the snapshot is the request's own moment (its timelines are not read)."""
    named = {entity.type: entity.id for entity in seen.entities or entities_of(seen)}
    delivered = first_delivery(seen.deliveries, seen.as_of)
    generated = [each.value for each in newest(seen.measurements, seen.as_of) if each.signal == "generated" and each.value is not None]
    skus = {sku_id for sku_id, _ in _articles(seen) if sku_id}
    values = {
        "event_id": seen.request.request_id,
        "occurred_us": micros(seen.request.occurred_at),
        "known_us": micros(seen.as_of),
        "account_id": named.get(EntityType.ACCOUNT),
        "seller_id": named.get(EntityType.SELLER),
        "sku_id": skus.pop() if len(skus) == 1 else None,
        "claim_type": None if seen.request.claim_type is None else seen.request.claim_type.value,
        "amount_minor": in_currency(seen.request.amount_minor, seen.request.currency, seen.currency),
        "quantity": sum(line.quantity for line in seen.claim_lines) if seen.claim_lines else None,
        "delay_s": None if delivered is None else (micros(seen.request.occurred_at) - micros(delivered)) // 1_000_000,
        "generated_ppm": int(max(generated) * 1e6 + 0.5) if generated else None,
    }
    row = _row(values)
    return [(entity, Stream.REQUEST, row) for entity in seen.entities or entities_of(seen)]


def order_events(order: Order, lines: Sequence[OrderLine], links: Iterable[Link], currency: str | None) -> list[Placed]:
    """The order's event on the timelines of its account, seller, articles, lots and of the links known by then."""
    skus = {line.sku_id for line in lines if line.sku_id}
    values = {
        "event_id": order.order_id,
        "occurred_us": micros(order.occurred_at),
        "known_us": micros(order.known_at),
        "account_id": order.account_id,
        "seller_id": order.seller_id,
        "sku_id": skus.pop() if len(skus) == 1 else None,
        "amount_minor": in_currency(order.amount_minor, order.currency, currency),
        "quantity": sum(line.quantity for line in lines) if lines else None,
    }
    found = [(EntityType.ACCOUNT, order.account_id), (EntityType.SELLER, order.seller_id)]
    for line in lines:
        found += [(EntityType.SKU, line.sku_id), (EntityType.LOT, line.lot)]
    found += [(link.entity_type, link.entity_id) for link in links if link.known_at <= order.known_at]
    entities = dict.fromkeys(Entity(kind, name) for kind, name in found if name)
    row = _row(values)
    return [(entity, Stream.ORDER, row) for entity in entities]


def label_events(labels: Iterable[Label], request_rows: Iterable[Placed]) -> list[Placed]:
    """All label events of one request, from all its labels and its request events: store them over the ones from before a label came.

    A label ends the one before it: that one's `until_us` becomes the moment that the later one is known.
    """
    rows = [(entity, dict(zip(COLUMNS, row, strict=True))) for entity, _, row in request_rows]
    if not rows:
        return []
    asked_us = rows[0][1]["known_us"]
    said = {
        (max(micros(label.known_at), asked_us), f"{label.request_id}|{label.source.value}|{int(label.value is LabelValue.ABUSE)}"): label.value
        is LabelValue.ABUSE
        for label in labels
    }
    turns = sorted(said)
    placed: list[Placed] = []
    for turn, (known_us, event_id) in enumerate(turns):
        until_us = turns[turn + 1][0] if turn + 1 < len(turns) else NEVER
        own = {"event_id": event_id, "known_us": known_us, "until_us": until_us, "abuse": int(said[known_us, event_id])}
        blank = {"quantity": None, "delay_s": None, "generated_ppm": None}
        placed += [(entity, Stream.LABEL, _row({**values, **blank, **own})) for entity, values in rows]
    return placed


def link_events(link: Link) -> list[Placed]:
    """The link's event on the linked entity's timeline, and on the account's when that is known."""
    kind, name, account_id = link.entity_type.value, link.entity_id, link.account_id
    told = (kind, name, account_id, link.request_id, link.order_id, micros(link.occurred_at), micros(link.known_at))
    row = link_row(told, NEVER, of_account=False)
    placed: list[Placed] = [(Entity(link.entity_type, name), Stream.LINK, row)]
    if account_id is not None:
        placed.append((Entity(EntityType.ACCOUNT, account_id), Stream.LINK, (*row[:_TARGET], kind, name, *row[_TARGET + 2 :])))
    return placed


def link_row(told: Sequence[Any], until_us: int, *, of_account: bool) -> Row:
    """A link as an event on the linked entity's timeline, or on the account's.

    `told` is its entity's type and id, its account, request and order, and its times in microseconds.
    """
    kind, entity_id, account_id, request_id, order_id, occurred_us, known_us = told
    event_id = "|".join((kind, entity_id, account_id or "", request_id or "", order_id or "", str(occurred_us)))
    target = (kind, entity_id) if of_account else (None, None)
    return (event_id, occurred_us, known_us, until_us, account_id, None, None, None, *target, None, None, None, None, None)


def in_currency(amount_minor: int | None, currency: str | None, wanted: str | None) -> int | None:
    """The amount, or null when it is in another currency than the data set's."""
    return amount_minor if wanted is None or currency is None or currency == wanted else None


def first_delivery(deliveries: Iterable[Delivery], as_of: datetime) -> datetime | None:
    """When the first `delivered` scan known before `as_of` says that the order arrived; null when none does."""
    arrived = [scan.occurred_at for scan in deliveries if scan.status is DeliveryStatus.DELIVERED and scan.known_at < as_of]
    return min(arrived, default=None)


def newest(measurements: Iterable[Measurement], as_of: datetime) -> list[Measurement]:
    """The newest version's measurement of each piece of evidence and signal known at or before `as_of`; of one version the latest."""
    found: dict[tuple[str, str], Measurement] = {}
    for each in measurements:
        key = (each.evidence_id, each.signal)
        if each.known_at <= as_of and (key not in found or (each.version, each.known_at) > (found[key].version, found[key].known_at)):
            found[key] = each
    return list(found.values())


def _own_order(seen: Asked) -> Order | None:
    return seen.order if seen.order is not None and seen.order.known_at <= seen.as_of else None


def _articles(seen: Asked) -> list[tuple[str | None, str | None]]:
    """The article and lot of each claimed line, or of each order line when no line is named."""
    ordered = {line.line_no: line for line in seen.order_lines}
    if not seen.claim_lines:
        return [(line.sku_id, line.lot) for line in seen.order_lines]

    def article(claimed: ClaimLine) -> tuple[str | None, str | None]:
        line = ordered.get(claimed.line_no)
        return claimed.sku_id or (line.sku_id if line else None), line.lot if line else None

    return [article(claimed) for claimed in seen.claim_lines]


_BLANK: dict[str, Any] = dict.fromkeys(COLUMNS) | {"until_us": NEVER}


def _row(values: dict[str, Any]) -> Row:
    return tuple((_BLANK | values).values())
