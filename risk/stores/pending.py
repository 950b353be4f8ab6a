"""Provisional decisions that wait for their final one: a row from the one to the other, so that no crash in between forgets it."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from pydantic import TypeAdapter
from sqlalchemy import Connection

from data_contracts.question import Question
from features.streams import micros
from risk.stores import service_tables
from risk.stores.database import Database

_QUESTION = TypeAdapter(Question)

COLUMNS = ("request_id", "revision", "decision_id", "question", "due_us", "claimed_until_us")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that was decided provisionally. From `due_us` on its final decision is made whatever was measured."""

    question: Question
    decision_id: str
    due_us: int


class Pending:
    """The rows of what waits. Writes go into a transaction that the caller opened."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, connection: Connection, question: Question, decision_id: str, due: datetime) -> None:
        """Keep a question until it is decided finally."""
        key = (question.request.request_id, question.revision)
        row = (*key, decision_id, msgspec.json.encode(question), micros(due), 0)
        self.database.add(connection, service_tables.pending_decisions, COLUMNS, row)

    def remove(self, connection: Connection, request_id: str, revision: int) -> None:
        """Its final decision is made, or none is due any more."""
        statement = "DELETE FROM pending_decisions WHERE request_id = ? AND revision = ? RETURNING decision_id"
        self.database.fetch(connection, statement, (request_id, revision))

    def free(self, connection: Connection, now_us: int, most: int) -> list[Waiting]:
        """What nobody is at, the longest waiting first, at most so many."""
        query = "SELECT question, decision_id, due_us FROM pending_decisions WHERE claimed_until_us <= ? ORDER BY due_us, request_id LIMIT ?"
        rows = self.database.fetch(connection, query, (now_us, most))
        return [Waiting(_QUESTION.validate_json(body), decision_id, due_us) for body, decision_id, due_us in rows]

    def claim(self, connection: Connection, waiting: Waiting, now_us: int, until_us: int) -> bool:
        """Take one to oneself; false where somebody else was first, or has finished it."""
        statement = (
            "UPDATE pending_decisions SET claimed_until_us = ? WHERE request_id = ? AND revision = ? AND claimed_until_us <= ? RETURNING decision_id"
        )
        key = (waiting.question.request.request_id, waiting.question.revision)
        return bool(self.database.fetch(connection, statement, (until_us, *key, now_us)))
