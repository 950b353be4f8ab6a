"""Everything that is read for one request, as of one moment. What does not answer becomes a missing source with its reason, never a zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from data_contracts.discount import Discount
from data_contracts.errors import ConflictError, SourceUnavailableError
from data_contracts.link import EntityType
from data_contracts.question import Question
from data_contracts.request import Delivery
from data_contracts.snapshot import Neighbourhood, Snapshot
from data_contracts.timeline import NO_EVENTS, TIMELINE_LIMIT, Entity, Marked, Stream, marks_of
from features.catalog import FEATURES
from features.plan import DAY_US, groups
from features.projection import STREAM_TABLES
from features.streams import Placed, entities_of, link_events, micros, order_events
from risk.evidence.seen import Seen, SeenEvidence
from risk.stores.history import History, Rows, StoredOrder

NOT_CONNECTED = "not_connected"
NO_ANSWER = "no_answer"
"""Why a source is missing: nothing of its kind ever came, or it was asked in vain. Only the second makes a decision degraded."""

EMPTY = Marked(NO_EVENTS)

WITH_THE_QUESTION = ("order_lines", "deliveries", "claim_lines", "evidence", "observations", "measurements", "links")
"""Sources that come along with a request, named alike among the tables."""


def _look_back() -> Mapping[tuple[EntityType, Stream], int | None]:
    """Which timelines features look at, and how far back in microseconds (null: without end).

    An event older than the longest window is known before the window too, so it need not be read: a shop's 100,000 requests of years stay where
    they are.
    """
    found: dict[tuple[EntityType, Stream], int | None] = {}
    for group in groups(FEATURES):
        days = group.windows[-1]
        found[group.entity, group.stream] = None if days is None else days * DAY_US
    return found


LOOK_BACK = _look_back()


class SlowFeatures(Protocol):
    """The feature store, online."""

    def online(self, seller_id: str | None, sku_ids: Iterable[str]) -> Mapping[str, float | None]:
        """Values as of the last midnight. SourceUnavailableError: it does not answer."""


class Discounts(Protocol):
    """What was learned of shared things."""

    def at(self, as_of: datetime) -> Discount | None:
        """The newest tables from at or before as_of; null: none yet. SourceUnavailableError: they cannot be read."""


class Components(Protocol):
    """The graph, live."""

    def follow(self, connection: Connection) -> None:
        """Take note of what was written since the last question, by whichever worker."""

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime) -> Neighbourhood | None:
        """The component of account and entities, strictly before as_of; None: neither is known."""

    def near(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime, *, judged: bool) -> Mapping[str, float | None]:
        """The features of neighbours, strictly before as_of; `judged`: labels are connected."""


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Reads the stores and returns one snapshot. `slow` and `components` are null where they are not set up; then their features are null.

    `evidence` is null where no bytes are taken in; then what the caller says of a picture is all there is. Without `discounts` the prior holds.
    """

    history: History
    slow: SlowFeatures | None
    components: Components | None
    currency: str | None
    evidence: SeenEvidence | None = None
    discounts: Discounts | None = None

    def gather(self, question: Question) -> Snapshot:
        """The question with all that was known strictly before its `as_of`.

        ConflictError: its order is known with another content. SourceUnavailableError: the database itself does not answer.
        """
        with self.history.database.reading() as connection:
            shown = Seen(question) if self.evidence is None else self.evidence.joined(connection, question)
            question = shown.question
            stored = self._stored_order(connection, question)
            seen = self._asked(connection, question, stored)
            keys = [(entity, stream) for entity in seen.entities for stream in Stream if (entity.type, stream) in LOOK_BACK]
            rows = self.history.timelines(connection, [(key, _since(key, seen)) for key in keys], micros(seen.as_of))
            own = self._own_links(connection, question)
            connected = self.history.sources(connection) | _told(question)
            if self.components is not None:
                self.components.follow(connection)
        if question.order is not None and stored is None:
            _include(rows, order_events(question.order, question.order_lines, (), self.currency))
        timelines = {key: _timeline(rows.get(key), key[1], seen.request.request_id, own) for key in keys}
        absent = {name: NOT_CONNECTED for name in (*WITH_THE_QUESTION, *STREAM_TABLES.values(), "accounts") if name not in connected}
        absent |= {stream.value: NOT_CONNECTED for stream, table in STREAM_TABLES.items() if table not in connected}
        streams = frozenset(stream for stream, table in STREAM_TABLES.items() if table in connected)
        absent |= shown.missing or {}
        whole = replace(seen, timelines=timelines, sources=streams, missing=absent, reuses=shown.reuses)
        return self._with_graph(self._with_discount(self._with_slow(whole)))

    def _stored_order(self, connection: Connection, question: Question) -> StoredOrder | None:
        """The order as it was told before. ConflictError: the question tells it differently."""
        order_id = question.request.order_id
        stored = None if order_id is None else self.history.order(connection, order_id)
        if stored is not None and question.order is not None:
            for name in ("account_id", "seller_id", "amount_minor", "currency"):
                before, now = getattr(stored.order, name), getattr(question.order, name)
                if before is not None and now is not None and before != now:
                    message = (
                        f"order {order_id} is known with {name} {before}, now it comes with {now}; an order does not change, send a new order id"
                    )
                    raise ConflictError(message, field=f"order.{name}")
        return stored

    def _asked(self, connection: Connection, question: Question, stored: StoredOrder | None) -> Snapshot:
        """The question's own records, with those that were stored for its order before, and its entities."""
        order = question.order if stored is None else stored.order
        lines = (stored.lines if stored else ()) or question.order_lines
        scans: tuple[Delivery, ...] = question.deliveries
        links = question.links
        if question.request.order_id is not None:
            before = self.history.deliveries(connection, question.request.order_id, micros(question.as_of))
            told = {(scan.status, scan.occurred_at) for scan in before}
            scans = (*before, *(scan for scan in scans if (scan.status, scan.occurred_at) not in told))
            of_order = self.history.links(connection, order_id=question.request.order_id)
            links = (*links, *(link for link in of_order if link.known_at < question.as_of))
        seen = Snapshot(
            as_of=question.as_of,
            request=question.request,
            order=order,
            order_lines=lines,
            deliveries=scans,
            claim_lines=question.claim_lines,
            evidence=question.evidence,
            observations=question.observations,
            measurements=question.measurements,
            links=links,
            attributes=question.attributes,
            currency=self.currency,
        )
        entities = entities_of(seen)
        buyer = next((entity.id for entity in entities if entity.type is EntityType.ACCOUNT), None)
        return replace(
            seen,
            entities=entities,
            account=question.account or (None if buyer is None else self.history.account(connection, buyer)),
            category=question.category or self.history.category(connection, entities),
        )

    def _own_links(self, connection: Connection, question: Question) -> frozenset[str]:
        """The link events of an earlier decision of the same request: it must not be evidence against itself."""
        if question.revision == 1 and question.follows is None:
            return frozenset()
        before = self.history.links(connection, request_id=question.request.request_id)
        return frozenset(row[0] for link in before for _, _, row in link_events(link))

    def _with_slow(self, seen: Snapshot) -> Snapshot:
        if self.slow is None:
            return replace(seen, missing={**seen.missing, "slow": NOT_CONNECTED})
        sellers = [entity.id for entity in seen.entities if entity.type is EntityType.SELLER]
        skus = [entity.id for entity in seen.entities if entity.type is EntityType.SKU]
        try:
            return replace(seen, slow=self.slow.online(sellers[0] if sellers else None, skus))
        except SourceUnavailableError:
            return replace(seen, missing={**seen.missing, "slow": NO_ANSWER})

    def _with_discount(self, seen: Snapshot) -> Snapshot:
        if self.discounts is None:
            return seen
        try:
            return replace(seen, discount=self.discounts.at(seen.as_of))
        except SourceUnavailableError:
            return replace(seen, missing={**seen.missing, "slow": NO_ANSWER})

    def _with_graph(self, seen: Snapshot) -> Snapshot:
        if self.components is None:
            return replace(seen, missing={**seen.missing, "neighbourhood": NOT_CONNECTED})
        own = [Entity(link.entity_type, link.entity_id) for link in seen.links]
        buyer = next((entity.id for entity in seen.entities if entity.type is EntityType.ACCOUNT), None)
        try:
            near = self.components.near(buyer, own, seen.as_of, judged=Stream.LABEL in seen.sources)
            return replace(seen, neighbourhood=self.components.facts(buyer, own, seen.as_of), near=near)
        except SourceUnavailableError:
            return replace(seen, missing={**seen.missing, "neighbourhood": NO_ANSWER})


def degraded(seen: Snapshot) -> tuple[str, ...]:
    """The sources that were asked in vain, sorted."""
    return tuple(sorted(name for name, why in seen.missing.items() if why == NO_ANSWER))


def _since(key: tuple[Entity, Stream], seen: Snapshot) -> int:
    """From when on events of that timeline can matter, in microseconds."""
    back = LOOK_BACK[key[0].type, key[1]]
    return 0 if back is None else micros(seen.as_of) - back


def _told(question: Question) -> frozenset[str]:
    """The kinds of data that the question itself brings."""
    brought = {name for name in WITH_THE_QUESTION if getattr(question, name)}
    return frozenset(brought | {f"{name}s" for name in ("order", "account") if getattr(question, name) is not None})


def _include(rows: dict[tuple[Entity, Stream], Rows], placed: Iterable[Placed]) -> None:
    """Add events that are not stored yet, as if they were: sorted, at most TIMELINE_LIMIT."""
    for entity, stream, row in placed:
        together = [*rows.get((entity, stream), ()), row]
        rows[entity, stream] = sorted(together, key=lambda each: (each[2], each[0]))[-TIMELINE_LIMIT:]


def _timeline(rows: Rows | None, stream: Stream, request_id: str, own_links: frozenset[str]) -> Marked:
    """The events without those of the request itself: what an earlier revision of it, or a label on it, left there."""
    if not rows:
        return EMPTY
    if stream is Stream.REQUEST:
        rows = [row for row in rows if row[0] != request_id]
    elif stream is Stream.LABEL:
        rows = [row for row in rows if not row[0].startswith(f"{request_id}|")]
    elif own_links:
        rows = [row for row in rows if row[0] not in own_links]
    return Marked(marks_of(rows))
