"""The ledger: every decision with all that it was made from. Rows are added, never changed.

A decision and what it adds to history are one durable transaction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from pydantic import TypeAdapter
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from data_contracts.decision import DecisionRecord
from data_contracts.errors import ConflictError, NotFoundError
from data_contracts.link import EntityType
from data_contracts.question import Question
from data_contracts.reason import Language
from data_contracts.snapshot import Snapshot
from features.streams import link_events, micros, order_events, request_events
from risk.answer import answer_in, answers, superseded
from risk.ledger_chain import GENESIS, Link, row_hash
from risk.stores import tables
from risk.stores.database import Database
from risk.stores.evidence_rows import EvidenceRows
from risk.stores.history import History
from risk.stores.outbox import Kind, Outbox
from risk.stores.pending import Pending

_RECORD = TypeAdapter(DecisionRecord)

CONTENT = ("decision_id", "request_id", "revision", "payload_sha256", "as_of_us", "record", "answers", "turn")
"""The columns that the chain protects, in the order of its hash; a `turn` of 0 is left out, as it was before there were turns."""
DECISION_COLUMNS = (*CONTENT, "previous_sha256", "chain_sha256")

FINAL_WITHIN = timedelta(minutes=10)
"""How long a final decision waits for measurements that do not come: a look takes a second, the longest queue half a minute, a restart a minute."""

WITH_HISTORY = ("evidence", "observations", "measurements", "claim_lines", "links")
"""What a question may bring along that becomes a connected source."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as the ledger holds it. `record` is null when the same question was answered before."""

    decision_id: str
    request_id: str
    revision: int
    payload_sha256: str
    answers: bytes
    record: DecisionRecord | None = None

    def in_language(self, language: Language) -> bytes:
        """The JSON answer of that language."""
        return answer_in(self.answers, language)


def encode(value: object) -> bytes:
    """Canonical JSON: sorted keys, shortest floats, UTC times. Equal values give equal bytes."""
    return msgspec.json.encode(value, order="sorted")


class Ledger:
    """Append-only decisions over the same database as history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.database = history.database
        self.evidence = EvidenceRows(history)
        self.pending = Pending(history.database)
        self.outbox = Outbox(history.database)

    def answered(self, question: Question) -> Recorded | None:
        """The recorded decision of this very question. ConflictError: the identity is taken by another payload, or a later revision was decided."""
        with self.database.reading() as connection:
            return _matching(question, _revisions(self.database, connection, question.request.request_id))

    def before(self, question: Question) -> str | None:
        """The decision that this one supersedes: the provisional one that it finishes, else the latest of an earlier revision; null for none."""
        if question.follows is not None or question.revision == 1:
            return question.follows
        with self.database.reading() as connection:
            rows = _revisions(self.database, connection, question.request.request_id)
        return rows[0].decision_id if rows else None

    def append(self, question: Question, seen: Snapshot, record: DecisionRecord) -> Recorded:
        """Keep the decision and let the request become history; both are on disk when this returns.

        Somebody may have been first with the same question: then that decision stands and is returned.
        """
        answered = answers(record)
        try:
            with self.database.writing() as connection:
                self.add_row(connection, record, answered)
                self._become_history(connection, question, seen)
                self._settle(connection, question, record)
        except IntegrityError:
            first = self.answered(question)
            if first is None:
                raise
            return first
        return Recorded(record.decision_id, record.request_id, record.revision, record.payload_sha256, answered, record)

    def add_row(self, connection: Connection, record: DecisionRecord, answered: bytes) -> None:
        """The next row of the chain. IntegrityError: that identity has a decision at this turn already."""
        content = (
            record.decision_id,
            record.request_id,
            record.revision,
            record.payload_sha256,
            micros(record.as_of),
            encode(record),
            answered,
            record.turn,
        )
        previous = self._head(connection)
        self.database.add(connection, tables.decisions, DECISION_COLUMNS, (*content, previous, row_hash(previous, protected(content))))

    def read(self, decision_id: str) -> DecisionRecord:
        """The record of that id. NotFoundError: there is none."""
        with self.database.reading() as connection:
            body = connection.execute(select(tables.decisions.c.record).where(tables.decisions.c.decision_id == decision_id)).scalar_one_or_none()
        if body is None:
            raise NotFoundError("no decision has that id", field="decision_id")
        return _RECORD.validate_json(body)

    def answer_of(self, decision_id: str, language: Language) -> bytes:
        """What was answered with that decision, with the decision that superseded it since. NotFoundError: there is none."""
        with self.database.reading() as connection:
            found = self.database.fetch(connection, "SELECT request_id FROM decisions WHERE decision_id = ?", (decision_id,))
            decided = _revisions(self.database, connection, found[0][0]) if found else []
        if not decided:
            raise NotFoundError("no decision has that id", field="decision_id")
        place = next(place for place, recorded in enumerate(decided) if recorded.decision_id == decision_id)
        return superseded(decided[place].in_language(language), decided[place - 1].decision_id if place else None)

    def newest_answer(self, request_id: str, language: Language) -> bytes:
        """What was answered with the newest decision of a request. NotFoundError: it was never decided."""
        with self.database.reading() as connection:
            decided = _revisions(self.database, connection, request_id)
        if not decided:
            raise NotFoundError("no refund request of that id was decided here", field="request_id")
        return decided[0].in_language(language)

    def records(self, since: datetime | None = None) -> Iterator[tuple[bytes, DecisionRecord]]:
        """Every record in the order of writing, as its bytes and as an object."""
        table = tables.decisions.c
        query = select(table.record).order_by(table.seq)
        if since is not None:
            query = query.where(table.as_of_us >= micros(since))
        with self.database.reading() as connection, connection.execute(query.execution_options(yield_per=500)) as result:
            for body in result.scalars():
                yield body, _RECORD.validate_json(body)

    def links(self) -> Iterator[Link]:
        """Every row as the chain sees it, in the order of writing."""
        table = tables.decisions
        query = select(*(table.c[name] for name in DECISION_COLUMNS)).order_by(table.c.seq)
        with self.database.reading() as connection, connection.execute(query.execution_options(yield_per=500)) as result:
            for *content, previous, own in result:
                yield Link(content[0], protected(content), previous, own)

    def keep_policy(self, version: str, body: str) -> None:
        """Keep a policy for as long as its decisions."""
        with self.database.writing() as connection:
            self.database.add_many(connection, tables.policies, ("version", "body"), [(version, body)])

    def policy(self, version: str) -> str | None:
        """The text of a policy that decided once."""
        with self.database.reading() as connection:
            return connection.execute(select(tables.policies.c.body).where(tables.policies.c.version == version)).scalar_one_or_none()

    def _head(self, connection: Connection) -> str:
        """The hash of the last row; a writer is alone, so nothing comes between."""
        rows = self.database.fetch(connection, "SELECT chain_sha256 FROM decisions ORDER BY seq DESC LIMIT 1", ())
        return str(rows[0][0]) if rows else GENESIS

    def _settle(self, connection: Connection, question: Question, record: DecisionRecord) -> None:
        """A provisional decision waits for its final one; the final one ends the waiting. Whoever wants to be told will be."""
        if record.provisional:
            self.pending.add(connection, question, record.decision_id, record.as_of + FINAL_WITHIN)
        elif question.follows is not None:
            self.pending.remove(connection, record.request_id, record.revision)
        kind = Kind.MADE if question.follows is None else Kind.FINAL
        self.outbox.tell(connection, kind, record.decision_id, told_of(record), record.as_of)

    def _become_history(self, connection: Connection, question: Question, seen: Snapshot) -> None:
        """Put the request, its links and an order that was not known before on their timelines."""
        history, as_of_us = self.history, micros(seen.as_of)
        if question.revision > 1 or question.follows is not None:
            history.end_events(connection, history.request_events(connection, question.request.request_id), as_of_us)
            earlier = history.links(connection, request_id=question.request.request_id)
            history.end_events(connection, [event for link in earlier for event in link_events(link)], as_of_us)
        events = request_events(seen)
        history.add_places(connection, events)
        if question.order is not None and history.add_order(connection, question.order, question.order_lines):
            events += order_events(question.order, question.order_lines, (), seen.currency)
        if question.account is not None:
            history.add_account(connection, question.account)
        history.add_deliveries(connection, question.deliveries)
        links = [link for link in seen.links if link.request_id == question.request.request_id and link.known_at == seen.as_of]
        for link in links:
            events += link_events(link)
        history.add_links(connection, links)
        buyer = next((entity.id for entity in seen.entities if entity.type is EntityType.ACCOUNT), None)
        self.evidence.add_uses(connection, question.revision, buyer, seen.evidence, seen.measurements)
        if question.follows is not None:
            self.evidence.tell_reuse(connection, question.revision, seen.measurements)
        history.add_events(connection, events)
        history.add_text(connection, question.request, as_of_us)
        history.add_sources(connection, _brought(question), as_of_us)


def told_of(record: DecisionRecord) -> dict[str, object]:
    """What a message says of a decision: ids and outcome, nothing of a person."""
    return {
        "request_id": record.request_id,
        "revision": record.revision,
        "decision_id": record.decision_id,
        "action": record.decision.action,
        "provisional": record.provisional,
        "supersedes": record.supersedes,
    }


def protected(content: Sequence[object]) -> Sequence[object]:
    """The columns of CONTENT as the chain hashes them."""
    return content if content[-1] else content[:-1]


def _revisions(database: Database, connection: Connection, request_id: str) -> list[Recorded]:
    """What was decided for that request, the newest decision first."""
    query = "SELECT decision_id, request_id, revision, payload_sha256, answers FROM decisions WHERE request_id = ? ORDER BY revision DESC, turn DESC"
    rows = database.fetch(connection, query, (request_id,))
    return [Recorded(*row) for row in rows]


def _matching(question: Question, decided: list[Recorded]) -> Recorded | None:
    """The newest decision of this revision and payload, null when there is none or it is the provisional one that this question finishes.

    ConflictError: this revision has another payload, or a later one was decided already.
    """
    request_id, revision = question.request.request_id, question.revision
    newest = next((recorded for recorded in decided if recorded.revision == revision), None)
    if newest is not None and newest.payload_sha256 != question.payload_sha256:
        message = f"{request_id} revision {revision} was decided with another payload; send the change as revision {decided[0].revision + 1}"
        raise ConflictError(message, field="revision")
    if newest is not None and newest.decision_id != question.follows:
        return newest
    if decided and decided[0].revision > revision:
        message = f"{request_id} was decided at revision {decided[0].revision}; revision {revision} comes too late"
        raise ConflictError(message, field="revision")
    return None


def _brought(question: Question) -> set[str]:
    """The kinds of data that the question brought."""
    found = {"refund_requests"} | {name for name in WITH_HISTORY if getattr(question, name)}
    if question.order is not None:
        found |= {"orders"} | {name for name in ("order_lines", "deliveries") if getattr(question, name)}
    return found | ({"accounts"} if question.account is not None else set())
