"""The ledger: every decision with all that it was made from. Rows are added, never changed.

A decision and what it adds to history are one durable transaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from data_contracts.decision import DecisionRecord
from data_contracts.errors import ConflictError, NotFoundError, RiskError
from data_contracts.question import Question
from data_contracts.reason import Language
from features.streams import micros
from risk import ledger_record
from risk.added import Added
from risk.answer import answer_in, answers, scored_in, superseded
from risk.ledger_chain import GENESIS, Link, row_hash
from risk.stores import tables
from risk.stores.database import Database
from risk.stores.evidence_rows import EvidenceRows, uses
from risk.stores.history import History
from risk.stores.outbox import Kind, Outbox
from risk.stores.pending import Pending
from risk.stores.turns import NOBODY, tell

CONTENT = ("decision_id", "request_id", "revision", "payload_sha256", "as_of_us", "record", "answers", "turn")
"""The columns that the chain protects, in the order of its hash; a `turn` of 0 is left out, as it was before there were turns."""
_ANSWERS = CONTENT.index("answers")
DECISION_COLUMNS = (*CONTENT, "previous_sha256", "chain_sha256")

FINAL_WITHIN = timedelta(minutes=10)
"""How long a final decision waits for measurements that do not come: a look takes a second, the longest queue half a minute, a restart a minute."""


class OvertakenError(RiskError):
    """Another worker was first with a question, its order or its account, since the store was read: read again."""


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


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision that is to be kept, with what its question adds to history."""

    record: DecisionRecord
    added: Added


class Ledger:
    """Append-only decisions over the same database as history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.database = history.database
        self.evidence = EvidenceRows(history)
        self.pending = Pending(history.database)
        self.outbox = Outbox(history.database)
        self._sources: frozenset[str] = frozenset()  # that are noted in the store for good

    def decided(self, connection: Connection, questions: Sequence[Question]) -> dict[str, list[Recorded]]:
        """What was decided for these requests before, by request, the newest decision first."""
        query = f"SELECT {_RECORDED} FROM {{given}} CROSS JOIN decisions WHERE request_id = c0 ORDER BY revision DESC, turn DESC"  # noqa: S608  # our own names
        names = dict.fromkeys((question.request.request_id,) for question in questions)
        found: dict[str, list[Recorded]] = {}
        for row in self.database.given(connection, query, ("text",), list(names)):
            found.setdefault(row[1], []).append(Recorded(*row))
        return found

    def append_all(self, entries: Sequence[Entry], signature: bytes = NOBODY) -> list[Recorded]:
        """Keep decisions and let their requests become history, all or nothing; everything is on disk when this returns.

        `signature` is that of the worker that knows of it already. OvertakenError: somebody was first with one of them; nothing was kept.
        """
        contents = [content_of(entry.record, answers(entry.record)) for entry in entries]  # before others must wait for this writer
        sources = frozenset().union(*(entry.added.sources for entry in entries))
        try:
            with self.database.writing() as connection, self.database.together(connection):
                self.add_rows(connection, contents)
                self._become_history(connection, [entry.added for entry in entries], signature)
                self.history.add_sources(connection, sources - self._sources, micros(entries[0].added.seen.as_of))
                for entry in entries:
                    self._settle(connection, entry.added, entry.record)
        except IntegrityError as error:
            raise OvertakenError("somebody was first with the same question, its order or its account; ask again") from error
        self._sources |= sources
        return [
            Recorded(each.decision_id, each.request_id, each.revision, each.payload_sha256, content[_ANSWERS], each)
            for each, content in zip((entry.record for entry in entries), contents, strict=True)
        ]

    def add_rows(self, connection: Connection, contents: Iterable[tuple[Any, ...]]) -> None:
        """The next rows of the chain, as `content_of` makes them. IntegrityError: an identity has a decision at its turn already."""
        rows, previous = [], self._head(connection)
        for content in contents:
            own = row_hash(previous, protected(content))
            rows.append((*content, previous, own))
            previous = own
        self.database.add_new(connection, tables.decisions, DECISION_COLUMNS, rows)

    def record_of(self, body: bytes) -> DecisionRecord:
        """A record from its bytes in the ledger."""
        return ledger_record.read(body)

    def read(self, decision_id: str) -> DecisionRecord:
        """The record of that id. NotFoundError: there is none."""
        with self.database.reading() as connection:
            body = connection.execute(select(tables.decisions.c.record).where(tables.decisions.c.decision_id == decision_id)).scalar_one_or_none()
        if body is None:
            raise NotFoundError("no decision has that id", field="decision_id")
        return ledger_record.read(body)

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

    def newest_scores(self, model: str, most: int) -> list[float]:
        """The scores that this model gave in the newest decisions of the ledger, the newest last; at most so many decisions are read."""
        with self.database.reading() as connection:
            rows = self.database.fetch(connection, "SELECT answers FROM decisions ORDER BY seq DESC LIMIT ?", (most,))
        said = [scored_in(stored) for (stored,) in reversed(rows)]
        return [each.score for each in said if each.score is not None and each.versions["model"] == model and not each.by_a_person]

    def records(self, since: datetime | None = None) -> Iterator[tuple[bytes, DecisionRecord]]:
        """Every record in the order of writing, as its bytes and as an object."""
        table = tables.decisions.c
        query = select(table.record).order_by(table.seq)
        if since is not None:
            query = query.where(table.as_of_us >= micros(since))
        with self.database.reading() as connection, connection.execute(query.execution_options(yield_per=500)) as result:
            for body in result.scalars():
                yield body, ledger_record.read(body)

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

    def _settle(self, connection: Connection, one: Added, record: DecisionRecord) -> None:
        """A provisional decision waits for its final one; the final one ends the waiting. Whoever wants to be told will be."""
        if record.provisional:
            self.pending.add(connection, one.question, record.decision_id, record.as_of + FINAL_WITHIN)
        elif one.question.follows is not None:
            self.pending.remove(connection, record.request_id, record.revision)
            self.evidence.tell_reuse(connection, one.question.revision, one.seen.measurements)
        kind = Kind.MADE if one.question.follows is None else Kind.FINAL
        self.outbox.tell(connection, kind, record.decision_id, told_of(record), record.as_of)

    def _become_history(self, connection: Connection, entries: Sequence[Added], signature: bytes) -> None:
        """Put the requests, their links and orders that were not known before on their timelines. IntegrityError: an order or an account is known."""
        history = self.history
        for each in entries:
            if each.question.again:
                self._end_earlier(connection, each.question)
        history.add_places(connection, [place for each in entries for place in each.places])
        orders = [(each.question.order, each.question.order_lines) for each in entries if each.order and each.question.order is not None]
        accounts = [each.question.account for each in entries if each.account and each.question.account is not None]
        history.add_new_orders(connection, orders)
        history.add_new_accounts(connection, accounts)
        history.add_deliveries(connection, [scan for each in entries for scan in each.question.deliveries])
        history.add_links(connection, [link for each in entries for link in each.links])
        self.evidence.add_uses(connection, [use for each in entries for use in uses(each.question.revision, each.buyer, each.seen)])
        history.add_events(connection, [event for each in entries for event in each.events])
        tell(self.database, connection, [each.turn for each in entries], max(micros(each.seen.as_of) for each in entries), signature)
        history.add_texts(connection, [(each.question.request, micros(each.seen.as_of)) for each in entries])

    def _end_earlier(self, connection: Connection, question: Question) -> None:
        """What an earlier decision of the request left on timelines counts no longer."""
        history, as_of_us = self.history, micros(question.as_of)
        history.end_events(connection, history.request_events(connection, question.request.request_id), as_of_us)
        history.end_links(connection, question.request.request_id, as_of_us)


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


def content_of(record: DecisionRecord, answered: bytes) -> tuple[Any, ...]:
    """A decision and what was answered with it, in the order of CONTENT."""
    names = (record.decision_id, record.request_id, record.revision, record.payload_sha256)
    return (*names, micros(record.as_of), ledger_record.written(record), answered, record.turn)


def protected(content: Sequence[object]) -> Sequence[object]:
    """The columns of CONTENT as the chain hashes them."""
    return content if content[-1] else content[:-1]


_RECORDED = "decision_id, request_id, revision, payload_sha256, answers"


def _revisions(database: Database, connection: Connection, request_id: str) -> list[Recorded]:
    """What was decided for that request, the newest decision first."""
    query = f"SELECT {_RECORDED} FROM decisions WHERE request_id = ? ORDER BY revision DESC, turn DESC"  # noqa: S608  # our own names
    return [Recorded(*row) for row in database.fetch(connection, query, (request_id,))]


def before(question: Question, decided: Mapping[str, Sequence[Recorded]]) -> str | None:
    """The decision that this one supersedes: the provisional one that it finishes, else the latest of an earlier revision; null for none."""
    if question.follows is not None or question.revision == 1:
        return question.follows
    return next((each.decision_id for each in decided.get(question.request.request_id, ())), None)


def matching(question: Question, decided: list[Recorded]) -> Recorded | None:
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
