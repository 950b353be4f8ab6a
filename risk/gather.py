"""Everything that is read for one request, as of one moment. What does not answer becomes a missing source with its reason, never a zero."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from sqlalchemy import Connection

from data_contracts.discount import Discount
from data_contracts.errors import ConflictError, RiskError, SourceUnavailableError
from data_contracts.link import EntityType, Link
from data_contracts.marks import Marked, Stretches
from data_contracts.question import Question
from data_contracts.request import Account
from data_contracts.snapshot import Neighbourhood, Snapshot
from data_contracts.timeline import Entity, Stream, mark
from features.formulas import Ints
from features.projection import STREAM_TABLES
from features.streams import entities_of, link_events, micros, order_events
from risk.added import Added
from risk.evidence.seen import CHECKS, Seen, SeenEvidence, Shown
from risk.stores.history import History, StoredOrder
from risk.stores.past import Past, past_of, read_named
from risk.stores.timelines import Timelines

NOT_CONNECTED = "not_connected"
NO_ANSWER = "no_answer"
"""Why a source is missing: nothing of its kind ever came, or it was asked in vain. Only the second makes a decision degraded."""

WITH_THE_QUESTION = ("order_lines", "deliveries", "claim_lines", "evidence", "observations", "measurements", "links")
"""Sources that come along with a request, named alike among the tables."""


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

    def tell(self, links: Iterable[Link], turns: Iterable[tuple[Any, ...]]) -> None:
        """What is being written by this worker."""

    def forget(self) -> None:
        """What was told since `follow` did not come to be."""

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime) -> Neighbourhood | None:
        """The component of account and entities, strictly before as_of; None: neither is known."""

    def near(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime, *, judged: bool) -> Mapping[str, float | None]:
        """The features of neighbours, strictly before as_of; `judged`: labels are connected."""


class UnmeasuredError(RiskError):
    """A file of the question was taken in and nobody has looked at it yet; nothing was decided."""


@dataclass(slots=True)
class Reads:
    """What was read for some questions. `asked` holds each request as it was told, with its entities, by request id."""

    past: Past
    shown: Shown | None
    joined: dict[str, Seen]
    asked: dict[str, Snapshot]

    def knows(self, account: Account | None) -> bool:
        """Whether the store knows when that account was opened."""
        return account is not None and account.account_id in self.past.accounts


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Reads the stores and returns snapshots. `slow` and `components` are null where they are not set up; then their features are null.

    `evidence` is null where no bytes are taken in; then what the caller says of a picture is all there is. Without `discounts` the prior holds.
    """

    history: History
    slow: SlowFeatures | None
    components: Components | None
    currency: str | None
    evidence: SeenEvidence | None = None
    discounts: Discounts | None = None
    timelines: Timelines = field(init=False)

    def __post_init__(self) -> None:
        """Start without any timeline in memory."""
        object.__setattr__(self, "timelines", Timelines(self.history.database))

    def gather(self, question: Question) -> Snapshot:
        """The question with all that was known strictly before its `as_of`.

        ConflictError: its order is known with another content. SourceUnavailableError: the database itself does not answer.
        """
        with self.history.database.reading() as connection:
            reads = self.read(connection, [question])
        return self.snapshot(reads, question)

    def read(self, connection: Connection, questions: Sequence[Question]) -> Reads:
        """All that is read for some questions, no two of them of one request, order or account. SourceUnavailableError: the database is silent."""
        database = self.history.database
        shown = None if self.evidence is None else self.evidence.read(connection, questions)
        reads = Reads(past_of(self.history, connection, questions), shown, {}, {})
        for question in questions:
            name = question.request.request_id
            reads.joined[name] = Seen(question) if self.evidence is None or shown is None else self.evidence.joined(question, shown)
            reads.asked[name] = self._asked(reads.joined[name].question, reads.past)
        entities = [entity for asked in reads.asked.values() for entity in asked.entities]
        read_named(database, connection, reads.past, [entity.id for entity in entities if entity.type is EntityType.ACCOUNT], entities)
        wanted: dict[Entity, int] = {}
        for asked in reads.asked.values():
            as_of_us = micros(asked.as_of)
            for entity in asked.entities:
                wanted[entity] = min(as_of_us, wanted.get(entity, as_of_us))
        self.timelines.read(connection, wanted)
        if self.components is not None:
            self.components.follow(connection)
        return reads

    def snapshot(self, reads: Reads, question: Question) -> Snapshot:
        """One of the questions with all that was known strictly before its `as_of`, the decisions just before it included.

        ConflictError: its order is known with another content. UnmeasuredError: it is to be decided on measured files only, and one is not.
        """
        past, name = reads.past, question.request.request_id
        if question.only_measured and CHECKS in (reads.joined[name].missing or {}):
            raise UnmeasuredError("a file of this request has not been looked at yet")
        stored = _same_order(past, question)
        shown, asked = reads.joined[name], reads.asked[name]
        if self.evidence is not None and reads.shown is not None and reads.shown.touched(question):
            shown = self.evidence.joined(question, reads.shown)
        told = past.connected | _told(shown.question)
        absent = {source: NOT_CONNECTED for source in (*WITH_THE_QUESTION, *STREAM_TABLES.values(), "accounts") if source not in told}
        absent |= {stream.value: NOT_CONNECTED for stream, table in STREAM_TABLES.items() if table not in told}
        streams = frozenset(stream for stream, table in STREAM_TABLES.items() if table in told)
        absent |= shown.missing or {}
        buyer = _buyer(asked)
        slow = self._slow(asked, absent)
        near, neighbourhood = self._graph(asked, buyer, absent, judged=Stream.LABEL in streams)
        return replace(
            asked,
            account=question.account or past.accounts.get(buyer or ""),
            category=question.category or past.category(asked.entities),
            measurements=shown.question.measurements,
            observations=shown.question.observations,
            timelines=self._timelines(asked, question, past, is_new=question.order is not None and stored is None),
            sources=streams,
            slow=slow,
            discount=self._discount(asked, absent),
            near=near,
            neighbourhood=neighbourhood,
            missing=absent,
            reuses=shown.reuses,
        )

    def add(self, reads: Reads, seen: Snapshot, added: Added) -> None:
        """A decision that is being written: what is asked after it sees it."""
        self.timelines.add(added.events)
        reads.past.connected |= added.sources
        if reads.shown is not None:
            reads.shown.add(seen)
        if self.components is not None:
            self.components.tell(added.links, added.turns)

    def forget(self) -> None:
        """What was added did not come to be: read everything anew."""
        self.timelines.forget()
        if self.components is not None:
            self.components.forget()

    def _asked(self, question: Question, past: Past) -> Snapshot:
        """The question's own records, with those that were stored for its order before, and its entities."""
        order_id = question.request.order_id or ""
        stored = past.orders.get(order_id)
        lines = (stored.lines if stored else ()) or question.order_lines
        as_of_us = micros(question.as_of)
        before = [scan for scan, known_us in past.deliveries.get(order_id, ()) if known_us < as_of_us]
        told = {(scan.status, scan.occurred_at) for scan in before}
        scans = (*before, *(scan for scan in question.deliveries if (scan.status, scan.occurred_at) not in told))
        of_order = [link for link in past.order_links.get(order_id, ()) if link.known_at < question.as_of]
        seen = Snapshot(
            as_of=question.as_of,
            request=question.request,
            order=question.order if stored is None else stored.order,
            order_lines=lines,
            deliveries=scans,
            claim_lines=question.claim_lines,
            evidence=question.evidence,
            observations=question.observations,
            measurements=question.measurements,
            links=(*question.links, *of_order),
            attributes=question.attributes,
            currency=self.currency,
        )
        return replace(seen, entities=entities_of(seen))

    def _timelines(self, asked: Snapshot, question: Question, past: Past, *, is_new: bool) -> Stretches:
        """The timelines of a question without what it left there itself, and with its order when that is new."""
        order = question.order if is_new else None
        ordered = () if order is None else order_events(order, question.order_lines, (), self.currency)
        found = self.timelines.of(asked.entities, micros(asked.as_of), ordered)
        request_id = question.request.request_id
        if request_id in past.again:
            links = past.own_links.get(request_id, ()) if question.again else ()
            own = np.array([mark(row[0]) for link in links for _, _, row in link_events(link)], np.int64)
            found = Stretches.of({key: _without(events, key[1], mark(request_id), own) for key, events in found.items()})
        return found

    def _slow(self, asked: Snapshot, absent: dict[str, str]) -> Mapping[str, float | None]:
        if self.slow is None:
            absent["slow"] = NOT_CONNECTED
            return {}
        sellers = [entity.id for entity in asked.entities if entity.type is EntityType.SELLER]
        try:
            return self.slow.online(sellers[0] if sellers else None, [entity.id for entity in asked.entities if entity.type is EntityType.SKU])
        except SourceUnavailableError:
            absent["slow"] = NO_ANSWER
            return {}

    def _discount(self, asked: Snapshot, absent: dict[str, str]) -> Discount | None:
        try:
            return None if self.discounts is None else self.discounts.at(asked.as_of)
        except SourceUnavailableError:
            absent["slow"] = NO_ANSWER
            return None

    def _graph(
        self, asked: Snapshot, buyer: str | None, absent: dict[str, str], *, judged: bool
    ) -> tuple[Mapping[str, float | None], Neighbourhood | None]:
        if self.components is None:
            absent["neighbourhood"] = NOT_CONNECTED
            return {}, None
        own = [Entity(link.entity_type, link.entity_id) for link in asked.links]
        near: Mapping[str, float | None] = {}
        try:
            near = self.components.near(buyer, own, asked.as_of, judged=judged)
            return near, self.components.facts(buyer, own, asked.as_of)
        except SourceUnavailableError:
            absent["neighbourhood"] = NO_ANSWER
            return {}, None


def degraded(seen: Snapshot) -> tuple[str, ...]:
    """The sources that were asked in vain, sorted."""
    return tuple(sorted(name for name, why in seen.missing.items() if why == NO_ANSWER))


def _buyer(asked: Snapshot) -> str | None:
    return next((entity.id for entity in asked.entities if entity.type is EntityType.ACCOUNT), None)


def _same_order(past: Past, question: Question) -> StoredOrder | None:
    """The order as it was told before. ConflictError: the question tells it differently."""
    order_id = question.request.order_id
    stored = past.orders.get(order_id or "")
    if stored is not None and question.order is not None:
        for name in ("account_id", "seller_id", "amount_minor", "currency"):
            before, now = getattr(stored.order, name), getattr(question.order, name)
            if before is not None and now is not None and before != now:
                message = f"order {order_id} is known with {name} {before}, now it comes with {now}; an order does not change, send a new order id"
                raise ConflictError(message, field=f"order.{name}")
    return stored


def _told(question: Question) -> frozenset[str]:
    """The kinds of data that the question itself brings."""
    brought = {name for name in WITH_THE_QUESTION if getattr(question, name)}
    return frozenset(brought | {f"{name}s" for name in ("order", "account") if getattr(question, name) is not None})


def _without(events: Marked, stream: Stream, request: int, links: Ints) -> Marked:
    """The events without those of the request itself: what an earlier decision of it, or a label on it, left there."""
    about = events.table[:, 0]
    kept = about != request if stream in (Stream.REQUEST, Stream.LABEL) else ~np.isin(about, links)
    return Marked(events.table[kept])
