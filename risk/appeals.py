"""Appeals: somebody objects to a decision, another person than before looks, and what she says is added, never written over.

Everything that a verdict brings (its row, the label, the overturned decision's successor in the ledger, the message to receivers) is one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from data_contracts.decision import Action, Decision, DecisionRecord, Finding, PersonsWord
from data_contracts.errors import ConflictError, ContractError, NotFoundError
from data_contracts.label import Label, LabelSource, LabelValue
from data_contracts.reason import REASONS
from features.streams import micros
from risk.answer import answers
from risk.ingest import Ingest
from risk.ledger import Ledger, content_of
from risk.stores import service_tables
from risk.stores.history import moment
from risk.stores.outbox import Kind


class Verdict(StrEnum):
    """What a person says of an appeal; `more_evidence` leaves it open."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"
    MORE_EVIDENCE = "more_evidence"


TRUTH = {Verdict.UPHELD: LabelValue.ABUSE, Verdict.OVERTURNED: LabelValue.HONEST}
"""What a verdict says of the request; it becomes a label."""


@dataclass(frozen=True, slots=True)
class Filed:
    """An objection: to which decision (or the newest of a request), in whose words, filed by whom."""

    words: str
    filed_by: str
    decision_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A person's verdict, with a reason code of ours and her own words."""

    verdict: Verdict
    by: str
    reason_code: str
    words: str


class Appeals:
    """Appeals over the ledger and the history of one installation."""

    def __init__(self, ledger: Ledger, ingest: Ingest) -> None:
        self.ledger = ledger
        self.ingest = ingest
        self.database = ledger.database

    def file(self, filed: Filed, at: datetime) -> tuple[dict[str, Any], bool]:
        """Keep an objection; the appeal as it stands, and whether it is new: the same words on the same decision are the same appeal.

        NotFoundError: no such decision. ConflictError: the decision is provisional or was superseded, or another appeal is open.
        """
        with self.database.writing() as connection:
            decision_id, request_id = self._newest(connection, filed)
            open_now = [each for each in self._of_request(connection, request_id) if each["state"] in ("open", Verdict.MORE_EVIDENCE)]
            if open_now:
                return self._same(open_now[0], filed, decision_id), False
            appeal_id = f"apl_{uuid4().hex}"
            row = (appeal_id, request_id, decision_id, filed.filed_by, micros(at))
            self.database.add(connection, service_tables.appeals, APPEAL_COLUMNS, row)
            self._add_words(connection, appeal_id, 0, filed.words, at)
            return self._read(connection, appeal_id), True

    def read(self, appeal_id: str) -> dict[str, Any]:
        """One appeal with all that was said. NotFoundError: there is none."""
        with self.database.reading() as connection:
            return self._read(connection, appeal_id)

    def listed(self, *, still_open: bool, offset: int, limit: int) -> dict[str, Any]:
        """A page of appeals, the oldest first: the open ones, or all."""
        with self.database.reading() as connection:
            where = f"WHERE NOT EXISTS ({_CLOSING})" if still_open else ""
            query = f"SELECT appeal_id FROM appeals a {where} ORDER BY filed_us, appeal_id LIMIT ? OFFSET ?"  # noqa: S608  # our own words
            found = [appeal_id for (appeal_id,) in self.database.fetch(connection, query, (limit + 1, offset))]
            appeals = [self._read(connection, appeal_id) for appeal_id in found[:limit]]
        return {"appeals": appeals, "next": offset + limit if len(found) > limit else None}

    def judge(self, appeal_id: str, said: Said, at: datetime) -> tuple[dict[str, Any], bool]:
        """Keep a verdict and what follows from it; the appeal as it stands, and whether the verdict is new.

        NotFoundError: no such appeal. ConflictError: it is closed, or who speaks judged the request before. ContractError: no such reason code.
        """
        if said.reason_code not in REASONS:
            raise ContractError("there is no such reason code; data_contracts/reasons.toml lists them", field="reason_code")
        with self.database.writing() as connection:
            appeal = self._read(connection, appeal_id)
            if appeal["verdicts"] and _repeats(appeal["verdicts"][-1], said):
                return appeal, False
            self._check_free(connection, appeal, said)
            overturned = self._overturn(connection, appeal, said, at) if said.verdict is Verdict.OVERTURNED else None
            row = (appeal_id, said.verdict.value, said.by, said.reason_code, overturned, micros(at))
            self.database.add(connection, service_tables.appeal_verdicts, VERDICT_COLUMNS, row)
            self._add_words(connection, appeal_id, len(appeal["verdicts"]) + 1, said.words, at)
            self._label(connection, appeal["request_id"], said, at)
            told = {"appeal_id": appeal_id, "request_id": appeal["request_id"], "decision_id": overturned or appeal["decision_id"]}
            self.ledger.outbox.tell(connection, Kind.VERDICT, f"{appeal_id}|{len(appeal['verdicts'])}", told | {"verdict": said.verdict.value}, at)
            return self._read(connection, appeal_id), True

    def _newest(self, connection: Connection, filed: Filed) -> tuple[str, str]:
        """The decision that is objected to, and its request."""
        column, value = ("decision_id", filed.decision_id) if filed.decision_id else ("request_id", filed.request_id)
        found = self.database.fetch(connection, f"SELECT request_id FROM decisions WHERE {column} = ?", (value,))  # noqa: S608  # our own columns
        if not found or (filed.request_id is not None and found[0][0] != filed.request_id):
            raise NotFoundError("there is no such decision; name one by decision_id, or its request by request_id", field=column)
        newest = self.database.fetch(connection, _NEWEST, (found[0][0],))[0]
        if filed.decision_id is not None and newest[0] != filed.decision_id:
            message = f"the decision was superseded by {newest[0]}; appeal against that one"
            raise ConflictError(message, field="decision_id")
        if self.ledger.record_of(newest[1]).provisional:
            raise ConflictError("the decision is provisional; the final one follows by itself, appeal against that one", field="decision_id")
        return newest[0], found[0][0]

    def _same(self, appeal: dict[str, Any], filed: Filed, decision_id: str) -> dict[str, Any]:
        """The open appeal, when it is this very one."""
        if (appeal["decision_id"], appeal["filed_by"], appeal["words"]) == (decision_id, filed.filed_by, filed.words):
            return appeal
        message = f"the appeal {appeal['appeal_id']} against this request is open; its verdict comes first"
        raise ConflictError(message, field="request_id")

    def _check_free(self, connection: Connection, appeal: dict[str, Any], said: Said) -> None:
        """ConflictError: the appeal is closed, or the second look would be the first one's own."""
        if appeal["state"] in (Verdict.UPHELD, Verdict.OVERTURNED):
            message = f"the appeal was {appeal['state']} already; a new appeal may be filed"
            raise ConflictError(message, field="appeal_id")
        judged = {judge for (judge,) in self.database.fetch(connection, _JUDGES, (appeal["request_id"],))}
        own = said.by == appeal["filed_by"]
        asked_for_more = {each["by"] for each in appeal["verdicts"]}
        if own or said.by in judged - asked_for_more:
            why = "filed this appeal" if own else "judged this request before"
            message = f"whoever is named in `by` {why}; the second look is another person's"
            raise ConflictError(message, field="by")

    def _overturn(self, connection: Connection, appeal: dict[str, Any], said: Said, at: datetime) -> str:
        """The decision as a person decides it: approved, made from what the one before was made from. Its id."""
        ((decision_id, body),) = self.database.fetch(connection, _NEWEST, (appeal["request_id"],))
        before = self.ledger.record_of(body)
        record = _by_a_person(before, appeal["appeal_id"], said, at)
        self.ledger.add_rows(connection, [content_of(record, answers(record))])
        assert record.supersedes == decision_id  # noqa: S101  # one writer: nothing came between
        return record.decision_id

    def _label(self, connection: Connection, request_id: str, said: Said, at: datetime) -> None:
        """What the verdict says of the request, known from now on; and who said it."""
        self.ingest.note_judge(connection, request_id, said.by, at)
        truth = TRUTH.get(said.verdict)
        if truth is not None:
            self.ingest.keep(connection, Label(request_id=request_id, value=truth, source=LabelSource.APPEAL, occurred_at=at, known_at=at))

    def _add_words(self, connection: Connection, appeal_id: str, number: int, words: str, at: datetime) -> None:
        self.database.add(
            connection, service_tables.appeal_words, ("appeal_id", "verdict_no", "known_us", "body"), (appeal_id, number, micros(at), words)
        )

    def _of_request(self, connection: Connection, request_id: str) -> list[dict[str, Any]]:
        rows = self.database.fetch(connection, "SELECT appeal_id FROM appeals WHERE request_id = ? ORDER BY filed_us, appeal_id", (request_id,))
        return [self._read(connection, appeal_id) for (appeal_id,) in rows]

    def _read(self, connection: Connection, appeal_id: str) -> dict[str, Any]:
        query = f"SELECT {', '.join(APPEAL_COLUMNS)} FROM appeals WHERE appeal_id = ?"  # noqa: S608  # our own columns
        rows = self.database.fetch(connection, query, (appeal_id,))
        if not rows:
            raise NotFoundError("there is no appeal of that id", field="appeal_id")
        words = dict(self.database.fetch(connection, "SELECT verdict_no, body FROM appeal_words WHERE appeal_id = ?", (appeal_id,)))
        verdicts = _verdicts(self.database.fetch(connection, _VERDICTS, (appeal_id,)), words)
        _, request_id, decision_id, filed_by, filed_us = rows[0]
        return {
            "appeal_id": appeal_id,
            "request_id": request_id,
            "decision_id": decision_id,
            "filed_by": filed_by,
            "filed_at": moment(filed_us),
            "words": words.get(0),
            "state": verdicts[-1]["verdict"] if verdicts else "open",
            "verdicts": verdicts,
        }


APPEAL_COLUMNS = ("appeal_id", "request_id", "decision_id", "filed_by", "filed_us")
VERDICT_COLUMNS = ("appeal_id", "verdict", '"by"', "reason_code", "decision_id", "known_us")
_NEWEST = "SELECT decision_id, record FROM decisions WHERE request_id = ? ORDER BY revision DESC, turn DESC LIMIT 1"
_JUDGES = "SELECT judge FROM request_judges WHERE request_id = ?"
_VERDICTS = f"SELECT {', '.join(VERDICT_COLUMNS[1:])} FROM appeal_verdicts WHERE appeal_id = ? ORDER BY verdict_no"  # noqa: S608  # our own columns
_CLOSING = "SELECT 1 FROM appeal_verdicts v WHERE v.appeal_id = a.appeal_id AND v.verdict IN ('upheld', 'overturned')"


def _verdicts(rows: Sequence[tuple[Any, ...]], words: dict[int, str]) -> list[dict[str, Any]]:
    """Verdicts as JSON is made of them; words that were purged are null."""
    names = ("verdict", "by", "reason_code", "decision_id")
    return [dict(zip(names, row[:4], strict=True)) | {"at": moment(row[4]), "words": words.get(number)} for number, row in enumerate(rows, 1)]


def _repeats(last: dict[str, Any], said: Said) -> bool:
    return (last["verdict"], last["by"], last["reason_code"], last["words"]) == (said.verdict, said.by, said.reason_code, said.words)


def _by_a_person(before: DecisionRecord, appeal_id: str, said: Said, at: datetime) -> DecisionRecord:
    """The approval that takes the place of a decision: the same facts and score, another judge."""
    finding = Finding(Action.APPROVE, "APPEAL_OVERTURNED", None, f"appeal {appeal_id}, {said.reason_code}; by {said.by}")
    decision = Decision(Action.APPROVE, (finding,), 0.0, before.decision.expected_cost_minor, before.decision.policy_version)
    return replace(
        before,
        decision_id=f"dec_{uuid4().hex}",
        as_of=at,
        decision=decision,
        supersedes=before.decision_id,
        timings_ms={},
        turn=before.turn + 1,
        person=PersonsWord(said.by, appeal_id, said.reason_code),
    )
