"""What we answer and what we keep: actions, findings, decisions and their records."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from data_contracts.score import Family, Score
from data_contracts.snapshot import Facts


class Action(StrEnum):
    """What should happen to the request; `severity` orders them from 0 to 2, the worst one wins."""

    severity: int

    APPROVE = "approve"
    REVIEW = "review"
    BLOCK = "block"

    def __init__(self, value: str) -> None:
        self.severity = ("approve", "review", "block").index(value)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason for one action: a stable reason code (`reasons.toml`), its family, and the numbers in words."""

    action: Action
    code: str
    family: Family | None
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The worst finding's action, with every finding kept; `expected_cost_minor` is what the action is expected to cost, by action."""

    action: Action
    findings: tuple[Finding, ...]
    rank_value: float
    expected_cost_minor: dict[str, float]
    policy_version: str


@dataclass(frozen=True, slots=True)
class PersonsWord:
    """Why a decision is a person's: who, the appeal that was decided, and the reason code that was given; the words are kept apart."""

    by: str
    appeal_id: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One line of the ledger: enough to replay the decision to the byte.

    turn: 0 for the first decision of an identity (request id, revision), 1 and on for those that supersede it. provisional: evidence was not
    measured when the caller's deadline passed; the final decision follows by itself. person: who decided otherwise and why; null, the policy did.
    """

    decision_id: str
    request_id: str
    revision: int
    payload_sha256: str
    as_of: datetime
    facts: Facts
    score: Score | None
    decision: Decision
    versions: dict[str, str]
    degraded: tuple[str, ...]
    supersedes: str | None
    timings_ms: dict[str, float]
    snapshot: dict[str, Any]
    turn: int = 0
    provisional: bool = False
    person: PersonsWord | None = None
