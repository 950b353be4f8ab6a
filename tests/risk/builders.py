"""An engine over a store of its own, and questions to it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from data_contracts.question import Question
from data_contracts.score import Contribution, Score
from data_contracts.snapshot import Facts
from risk import policy_file
from risk.api.decisions import REQUEST
from risk.api.edge import Edge
from risk.engine import Engine
from risk.gather import Gatherer
from risk.identity import pseudonym
from risk.ingest import Ingest
from risk.ledger import Ledger
from risk.policy import load
from risk.stores.database import Database
from risk.stores.history import History

EDGE = Edge(lambda kind, raw: pseudonym(b"test key", kind, raw), timedelta(minutes=5))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Fixed:
    """A champion that says what it is told, by account."""

    probability: float = 0.01
    families: tuple[str, ...] = ()
    version: str = "fixed-1"
    asked_for_parts: list[bool] = field(default_factory=list)

    def score(self, facts: Facts, *, contributions: bool) -> Score:
        assert facts.values
        self.asked_for_parts.append(contributions)
        reasons = {"image": "IMAGE_SHARED", "links": "LINKED_REQUESTS", "behaviour": "BUYER_CLAIMS_OFTEN", "mismatch": "CLAIM_TIMING"}
        parts = [Contribution(feature=name, family=name, reason=reasons[name], value=2.0, log_odds=1.0) for name in self.families]  # type: ignore[arg-type]
        return Score(probability=self.probability, contributions=tuple(parts) if contributions else ())


def an_engine(database: Database, champion: Fixed | None = None, currency: str | None = "CNY") -> Engine:
    history = History(database)
    policy = load(None)
    ledger = Ledger(history)
    ledger.keep_policy(policy.version, policy_file.default_text())
    return Engine(Gatherer(history, None, None, currency), champion, policy, ledger)


def an_ingest(database: Database) -> Ingest:
    return Ingest(History(database), "CNY")


def a_question(request_id: str, at: datetime = NOON, **body: object) -> Question:
    """A question asked at that moment; the body needs no more than what the test is about."""
    said = {"request_id": request_id, "account_id": "buyer", "amount_minor": 2_000, "currency": "CNY", "occurred_at": at.isoformat(), **body}
    return EDGE.question(REQUEST.validate_json(json.dumps(said, default=str)), at)
