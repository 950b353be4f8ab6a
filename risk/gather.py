"""Everything that is read for one request, as of one moment. What does not answer becomes a missing source with its reason, never a zero."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection

from data_contracts.discount import newest
from data_contracts.errors import RiskError, SourceUnavailableError
from data_contracts.link import EntityType
from data_contracts.marks import Marked, Stretches
from data_contracts.question import Question
from data_contracts.snapshot import Neighbourhood, Snapshot
from data_contracts.timeline import Entity, Stream, mark
from features.formulas import Ints
from features.streams import link_events, micros, order_events
from risk.added import Added, added
from risk.evidence.seen import CHECKS, Seen, SeenEvidence
from risk.reads import Own, Reads, is_new_order, own_of
from risk.sources import NO_ANSWER, NOT_CONNECTED, Components, Discounts, SlowFeatures, Values, connected, told_by
from risk.stores.history import History
from risk.stores.past import Past, past_of, read_named
from risk.stores.timelines import Timelines
from risk.stores.turns import Feed


class UnmeasuredError(RiskError):
    """A file of the question was taken in and nobody has looked at it yet; nothing was decided."""


@dataclass(slots=True, eq=False)
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
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        """Start without any timeline in memory."""
        self.timelines = Timelines(self.history.database)
        self.feed = Feed(self.history.database, None if self.components is None else self.components.read_to)

    def gather(self, question: Question) -> Snapshot:
        """The question with all that was known strictly before its `as_of`.

        ConflictError: its order is known with another content. SourceUnavailableError: the database itself does not answer.
        """
        with self.history.database.reading() as connection:
            reads = self.read(connection, [question])
        return self.snapshot(reads, question)

    def read(self, connection: Connection, questions: Sequence[Question]) -> Reads:
        """All that is read for some questions, no two of them of one request, order or account. SourceUnavailableError: the database is silent."""
        news = self.feed.news(connection)
        self.timelines.note(news)
        if self.components is not None:
            self.components.follow(connection, news)
        shown = None if self.evidence is None else self.evidence.read(connection, questions)
        reads = Reads(past_of(self.history, connection, questions), shown)
        for question in questions:
            seen = Seen(question) if self.evidence is None or shown is None else self.evidence.joined(question, shown)
            reads.own[question.request.request_id] = own_of(seen, reads.past)
        wanted = reads.earliest()
        read_named(self.history.database, connection, reads.past, wanted)
        self.timelines.read(connection, wanted)
        self._read_learned(reads)
        return reads

    def snapshot(self, reads: Reads, question: Question) -> Snapshot:
        """One of the questions with all that was known strictly before its `as_of`, the decisions just before it included.

        ConflictError: its order is known with another content. UnmeasuredError: it is to be decided on measured files only, and one is not.
        """
        past, own = reads.past, reads.of(question)
        if question.only_measured and CHECKS in (own.seen.missing or {}):
            raise UnmeasuredError("a file of this request has not been looked at yet")
        if is_new_order(past, question) and question.order is not None:
            own.ordered = order_events(question.order, question.order_lines, (), self.currency)
        shown, asked = own.seen, own.asked
        if self.evidence is not None and reads.shown is not None and reads.shown.touched(question):
            shown = self.evidence.joined(question, reads.shown)
        there = connected(past.connected | told_by(shown.question))
        absent = {**there.absent, **(shown.missing or {})}
        near, neighbourhood = self._graph(own, absent, judged=Stream.LABEL in there.streams)
        if own.slow is None or reads.discounts is None:
            absent["slow"] = NOT_CONNECTED if self.slow is None and reads.discounts is not None else NO_ANSWER
        return Snapshot(
            as_of=asked.as_of,
            request=asked.request,
            account=question.account or past.accounts.get(own.buyer or ""),
            order=asked.order,
            order_lines=asked.order_lines,
            deliveries=asked.deliveries,
            claim_lines=asked.claim_lines,
            evidence=asked.evidence,
            observations=shown.question.observations,
            measurements=shown.question.measurements,
            links=asked.links,
            attributes=asked.attributes,
            category=question.category or past.category(own.entities),
            currency=self.currency,
            entities=own.entities,
            timelines=self._timelines(own, question, past),
            sources=there.streams,
            slow=own.slow or {},
            discount=newest(reads.discounts or (), asked.as_of),
            near=near,
            neighbourhood=neighbourhood,
            missing=absent,
            reuses=shown.reuses,
        )

    def added(self, reads: Reads, question: Question, seen: Snapshot) -> Added:
        """What a decided question adds to history. Unless an earlier decision of its request stands, what is asked after it sees that at once."""
        adds = added(question, seen, reads.of(question).ordered, account_is_known=reads.knows(question.account))
        if not question.again:
            self.timelines.add(adds.events)
            reads.past.connected |= adds.sources
            if reads.shown is not None:
                reads.shown.add(seen)
            if self.components is not None:
                self.components.tell(adds.turn)
        return adds

    def forget(self) -> None:
        """What was added did not come to be: read everything anew."""
        self.timelines.forget()
        if self.components is not None:
            self.components.forget()

    def _read_learned(self, reads: Reads) -> None:
        """What was learned before: slow features and discounts, each null where it does not answer."""
        try:
            reads.discounts = () if self.discounts is None else self.discounts.all()
        except SourceUnavailableError:
            reads.discounts = None
        if self.slow is None or not reads.own:
            return
        asked = [(next(iter(own.ids(EntityType.SELLER)), None), own.ids(EntityType.SKU)) for own in reads.own.values()]
        try:
            for own, values in zip(reads.own.values(), self.slow.online_each(asked), strict=True):
                own.slow = values
        except SourceUnavailableError:
            return

    def _timelines(self, own: Own, question: Question, past: Past) -> Stretches:
        """The timelines of a question without what it left there itself, and with its order when that is new."""
        found = self.timelines.of(own.entities, micros(question.as_of), own.ordered)
        request_id = question.request.request_id
        if request_id in past.again:
            links = past.own_links.get(request_id, ()) if question.again else ()
            mine = np.array([mark(row[0]) for link in links for _, _, row in link_events(link)], np.int64)
            found = Stretches.of({key: _without(events, key[1], mark(request_id), mine) for key, events in found.items()})
        return found

    def _graph(self, own: Own, absent: dict[str, str], *, judged: bool) -> tuple[Values, Neighbourhood | None]:
        if self.components is None:
            absent["neighbourhood"] = NOT_CONNECTED
            return {}, None
        asked, buyer = own.asked, own.buyer
        linked = [Entity(link.entity_type, link.entity_id) for link in asked.links]
        try:
            near = self.components.near(buyer, linked, asked.as_of, judged=judged)
            return near, self.components.facts(buyer, linked, asked.as_of)
        except SourceUnavailableError:
            absent["neighbourhood"] = NO_ANSWER
            return {}, None


def _without(events: Marked, stream: Stream, request: int, links: Ints) -> Marked:
    """The events without those of the request itself: what an earlier decision of it, or a label on it, left there."""
    about = events.table[:, 0]
    kept = about != request if stream in (Stream.REQUEST, Stream.LABEL) else ~np.isin(about, links)
    return Marked(events.table[kept])
