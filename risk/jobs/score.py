"""Score a whole data set: every request with its rank, action, expected cost and reasons."""

import math
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from data_contracts.decision import Action, Decision
from data_contracts.snapshot import Facts
from models.ranker.artifact import load as load_model
from models.ranker.scorer import Scorer
from risk.capacity import within_capacity
from risk.policy import conclude, weigh
from risk.policy import load as load_policy
from risk.terms import Excuse, Policy, Rule, cheapest

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "request_id": pl.String,
    "rank": pl.Int64,
    "score": pl.Float64,
    "action": pl.String,
    "reasons": pl.List(pl.String),
    "expected_cost": pl.Float64,
}
AMOUNT = "claimed_amount"
"""The feature that is the amount at stake, in minor units of the data set's currency."""


def score(folder: Path, model: Path, out: Path, *, policy: Path | None = None) -> dict[str, object]:
    """Rank every request of a data set and write the ranking as Parquet; the counts come back."""
    from risk.jobs.build_features import build_features

    ranked = score_frame(build_features(folder), Scorer(load_model(model)), load_policy(policy), reasons=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    ranked.write_parquet(out)
    counted = dict(ranked.group_by("action").len().iter_rows())
    return {"requests": ranked.height, "by_action": {action.value: counted.get(action.value, 0) for action in Action}, "file": str(out)}


def score_frame(frame: pl.DataFrame, scorer: Scorer, policy: Policy, *, reasons: bool = False) -> pl.DataFrame:
    """One row a request, the first to look at first: request_id, rank, score, action, reasons (codes), expected_cost in minor units.

    Reviews keep to the policy's capacity. What moved a score takes longer to find out: possible blocks always get it, they need it; with `reasons`
    everything that is not approved at once does.
    """
    scores: list[float] = scorer.probabilities(frame).tolist()
    weighed = [weigh(*each, policy) for each in zip(scores, _facts(frame, policy), _amounts(frame), strict=True)]
    decisions = [conclude(each) for each in weighed]
    asked = [place for place, decision in enumerate(decisions) if (_not_approved if reasons else _may_block)(decision)]
    for place, contributions in zip(asked, scorer.contributions(frame[asked]) if asked else (), strict=True):
        decisions[place] = conclude(weighed[place], contributions)
    decisions = within_capacity(decisions, policy)
    order = sorted(range(len(decisions)), key=lambda place: (-decisions[place].rank_value, frame["request_id"][place]))
    rows = [
        (frame["request_id"][place], rank, scores[place], decisions[place].action.value, codes(decisions[place]), _cost(decisions[place]))
        for rank, place in enumerate(order, start=1)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def codes(decision: Decision) -> list[str]:
    """The reason codes of a decision, the gravest first, each once."""
    return list(dict.fromkeys(finding.code for finding in decision.findings))


def _facts(frame: pl.DataFrame, policy: Policy) -> list[Facts]:
    """What the policy looks at, one a row."""
    limits: list[Rule | Excuse] = [*policy.rules, *policy.excuses]
    wanted = list(dict.fromkeys(limit.feature for limit in limits if limit.feature in frame.columns))
    if not wanted:
        return [Facts({}, {})] * frame.height
    return [Facts({name: _known(value) for name, value in row.items()}, {}) for row in frame.select(wanted).iter_rows(named=True)]


def _amounts(frame: pl.DataFrame) -> Sequence[int | None]:
    if AMOUNT not in frame.columns:
        return [None] * frame.height
    return [None if (known := _known(value)) is None else int(known) for value in frame[AMOUNT]]


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _not_approved(decision: Decision) -> bool:
    return decision.action is not Action.APPROVE


def _may_block(decision: Decision) -> bool:
    """Whether the action could become a block once its evidence is known: cost says so, or a rule does."""
    costs = {Action(name): cost for name, cost in decision.expected_cost_minor.items()}
    return decision.action is Action.BLOCK or (bool(costs) and cheapest(costs) is Action.BLOCK) or "BLOCK_NEEDS_SECOND_FAMILY" in codes(decision)


def _cost(decision: Decision) -> float | None:
    """What the action taken is expected to cost; null when costs could not be weighed."""
    return decision.expected_cost_minor.get(decision.action.value)
