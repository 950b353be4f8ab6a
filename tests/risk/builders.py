"""An engine over a store of its own, and questions to it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np

from data_contracts.contributions import Contributions, Scored, Speaker, Speakers
from data_contracts.question import Question
from data_contracts.score import Contribution
from data_contracts.snapshot import Facts
from risk import policy_file
from risk.api.decisions import REQUEST
from risk.api.edge import Edge
from risk.engine import Engine
from risk.gather import Gatherer
from risk.identity import Identifiers, pseudonym
from risk.ingest import Ingest
from risk.ledger import Ledger
from risk.policy import load
from risk.stores.database import Database
from risk.stores.history import History

EDGE = Edge(Identifiers(partial(pseudonym, b"test key")), timedelta(minutes=5))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Fixed:
    """A champion that says what it is told, by account."""

    probability: float = 0.01
    families: tuple[str, ...] = ()
    version: str = "fixed-1"
    asked: list[str] = field(default_factory=list)

    def score(self, facts: Facts) -> Scored:
        assert facts.values
        self.asked.append("score")
        return Scored(self.probability, self._explained)

    def _explained(self) -> Contributions:
        self.asked.append("contributions")
        reasons = {"image": "IMAGE_SHARED", "links": "LINKED_REQUESTS", "behaviour": "BUYER_CLAIMS_OFTEN", "mismatch": "CLAIM_TIMING"}
        return contributions_of(*(Contribution(name, name, reasons[name], 2.0, 1.0) for name in self.families))  # type: ignore[arg-type]


def contributions_of(*parts: Contribution) -> Contributions:
    """What a model of these features would say."""
    speakers = Speakers(Speaker(part.feature, part.family, part.reason, isinstance(part.value, str)) for part in parts)
    row = [part.value if isinstance(part.value, float) else np.nan for part in parts]
    return Contributions(speakers, np.array([part.log_odds for part in parts]), np.array(row), {part.feature: part.value for part in parts})


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
