"""Score and decide on what was seen, and the line of the ledger that says so."""

import uuid
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Protocol

from data_contracts.contributions import Scored
from data_contracts.decision import Decision, DecisionRecord
from data_contracts.question import Question
from data_contracts.request import RefundRequest
from data_contracts.score import Score
from data_contracts.snapshot import Facts, Snapshot
from features.catalog import catalogue_hash
from features.streams import in_currency
from risk.details import details
from risk.policy import Circumstances, conclude, weigh
from risk.sources import degraded
from risk.terms import Policy
from risk.version import code_version

CATALOGUE = catalogue_hash()[:16]


class Champion(Protocol):
    """The model that decides; challengers never run here."""

    version: str

    def score(self, facts: Facts) -> Scored:
        """The probability of abuse, which can be asked what moved it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision with what it was made from. `amount_minor` is null when it is in no currency that the policy can weigh."""

    score: Score | None
    decision: Decision
    amount_minor: int | None
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class About:
    """What else a record tells: the model's version (`none`: there is none), the decision that it supersedes, milliseconds by stage."""

    model: str
    supersedes: str | None
    timings_ms: dict[str, float]


def judge(champion: Champion | None, facts: Facts, seen: Snapshot, policy: Policy, awaited: int = 0) -> Judged:
    """Score and decide on what was seen; `awaited` files of the request are not measured yet."""
    amount_minor = in_currency(seen.request.amount_minor, seen.request.currency, policy.costs.currency or seen.currency)
    circumstances = Circumstances(details(seen), degraded(seen), awaited)
    return Judged(*decide(champion, facts, amount_minor, policy, circumstances), amount_minor, circumstances)


def decide(
    champion: Champion | None,
    facts: Facts,
    amount_minor: int | None,
    policy: Policy,
    circumstances: Circumstances,
) -> tuple[Score | None, Decision]:
    """The score and the decision. What moved the score is asked for only where something asks for more than an approval."""
    if champion is None:
        return None, conclude(weigh(None, facts, amount_minor, policy, circumstances))
    scored = champion.score(facts)
    weighed = weigh(scored.probability, facts, amount_minor, policy, circumstances)
    if weighed.is_plain:
        return Score(scored.probability), conclude(weighed)
    contributions = scored.contributions()
    return Score(scored.probability, contributions.kept()), conclude(weighed, contributions)


def record_of(question: Question, seen: Snapshot, facts: Facts, judged: Judged, about: About) -> DecisionRecord:
    """One line of the ledger."""
    return DecisionRecord(
        decision_id=f"dec_{uuid.uuid4().hex}",
        request_id=question.request.request_id,
        revision=question.revision,
        payload_sha256=question.payload_sha256,
        as_of=question.as_of,
        facts=facts,
        score=judged.score,
        decision=judged.decision,
        versions={"code": code_version(), "catalogue": CATALOGUE, "model": about.model, "policy": judged.decision.policy_version},
        degraded=judged.circumstances.degraded,
        supersedes=about.supersedes,
        timings_ms=about.timings_ms,
        snapshot=snapshot_of(seen, judged),
        turn=0 if question.follows is None else 1,
        provisional=bool(question.awaiting),
    )


REQUEST = tuple(field.name for field in fields(RefundRequest) if field.name != "text")
ASKED = ("order", "order_lines", "deliveries", "claim_lines", "evidence", "observations", "measurements", "links", "reuses", "category", "missing")

_asked, _requested = attrgetter(*ASKED), attrgetter(*REQUEST)


def snapshot_of(seen: Snapshot, judged: Judged) -> dict[str, object]:
    """The question as it was seen, and what else the decision used, for the ledger; the buyer's words stay outside of it."""
    return {
        **dict(zip(ASKED, _asked(seen), strict=True)),
        "request": dict(zip(REQUEST, _requested(seen.request), strict=True)),
        "events": seen.events,
        "amount_minor": judged.amount_minor,
        "details": judged.circumstances.details,
        "awaited": judged.circumstances.awaited,
    }
