"""Roll through time: train on what was known, judge on what came next; and say what another policy would have done."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.decision import Action
from data_contracts.errors import ContractError
from models.ranker.dataset import Floats, training_rows
from models.ranker.evaluate import DRAWS, FAMILIES
from models.ranker.evaluate import evaluate as figures_of
from models.ranker.metrics import bootstrap
from models.ranker.report import write_report
from models.ranker.settings import Settings
from models.ranker.train import train
from risk.jobs.evaluate import described
from risk.jobs.learning_set import LearningSet, read_learning_set
from risk.jobs.trial import Period, judge, priced, without_families
from risk.policy import load as load_policy
from risk.terms import Policy


@dataclass(frozen=True, slots=True)
class Roll:
    """How to roll: folds, shares of the requests, seed, whether to leave each family out in turn, and the policies: the live one and another one."""

    folds: int
    train_share: float
    test_share: float
    seed: int
    ablation: bool
    live: Policy
    other: Policy | None


def backtest(  # noqa: PLR0913  # the options of the command
    folder: Path,
    *,
    folds: int = 4,
    train_share: float = 0.4,
    test_share: float = 0.15,
    policy: Path | None = None,
    report: Path | None = None,
    ablation: bool = False,
    seed: int = 1,
    features: Path | None = None,
) -> dict[str, object]:
    """The keys of `evaluate` over the requests of all folds, decided by the policy that ships; `policy_change` says what another one would change.

    Fold k tests the requests from `train_share + k * test_share` on, `test_share` of all, by a model trained on the labels known when they begin.
    ContractError: the folds need more requests than there are, or a fold has too few labels to train.
    """
    if train_share + folds * test_share > 1.0 + 1e-9:
        needed = train_share + folds * test_share
        message = f"{folds} folds of {test_share:g} after {train_share:g} need {needed:g} of the requests; take fewer or smaller folds"
        raise ContractError(message, field="folds")
    learning = read_learning_set(folder, features)
    roll = Roll(folds, train_share, test_share, seed, ablation, load_policy(None), None if policy is None else load_policy(policy))
    trial = rolled(learning, roll)
    evaluation = described(figures_of(trial, seed=seed), trial, learning, models=folds)
    if roll.other is not None:
        evaluation.figures["policy_change"] = policy_change(trial, roll.live, roll.other, seed)
    if report is not None:
        evaluation.figures["report"] = str(write_report(evaluation, None, report))
    return evaluation.figures


def rolled(learning: LearningSet, roll: Roll) -> pl.DataFrame:
    """The trials of all folds, one below the other; with another policy also `action_other`."""
    shares = [roll.train_share + number * roll.test_share for number in range(roll.folds)]
    periods = [Period(learning.moment(share), learning.moment(min(1.0, share + roll.test_share))) for share in shares]
    return pl.concat([_fold(learning, period, roll) for period in periods])


def _fold(learning: LearningSet, period: Period, roll: Roll) -> pl.DataFrame:
    """One fold: a model of its own, judged on its period."""
    known = training_rows(learning.frame, learning.labels, period.start)
    artifact = train(learning.frame, learning.labels, period.start, Settings.for_rows(known.height, seed=roll.seed))
    trial = judge(learning, artifact, period, roll.live)
    if roll.other is not None:
        other = judge(learning, artifact, period, roll.other).select("request_id", action_other="action")
        trial = trial.join(other, on="request_id", how="left")
    if roll.ablation:
        trial = trial.join(without_families(learning, artifact, period, roll.live, FAMILIES), on="request_id", how="left")
    return trial


def policy_change(trial: pl.DataFrame, live: Policy, other: Policy, seed: int = 1) -> dict[str, object]:
    """How many requests move from which action to which, how honest and abusive ones fare, and the money, with an interval.

    Both sides are paid by the live policy's prices: a policy does not get better by calling things cheap. `same_prices` says whether they differ.
    """
    actions = [action.value for action in Action]
    moved = {before: {after: _count(trial, before, after) for after in actions} for before in actions}
    at_live = priced(trial, live, "action_other", "cost_other")["cost_other"]
    cheaper = (trial["cost"] - at_live).fill_null(0.0).to_numpy()
    cluster = trial["cluster"].rank("dense").to_numpy().astype(np.int64) - 1

    def saved(weight: Floats) -> dict[str, float]:
        return {"saved": float(np.sum(weight * cheaper))}

    low, high = bootstrap(saved, cluster, draws=DRAWS, seed=seed)["saved"]
    return {
        "from": live.version,
        "to": other.version,
        "moved": moved,
        "changed": trial.height - sum(moved[action][action] for action in actions),
        "by_action": {
            "live": {before: sum(moved[before].values()) for before in actions},
            "other": {after: sum(moved[before][after] for before in actions) for after in actions},
        },
        "honest_blocked": _honest(trial, Action.BLOCK),
        "honest_approved": _honest(trial, Action.APPROVE),
        "saved": {"value": float(cheaper.sum()), "ci": [low, high]},
        "same_prices": live.costs == other.costs,
    }


def _count(trial: pl.DataFrame, before: str, after: str) -> int:
    """Requests with that action under the live policy and that one under the other."""
    return trial.filter((pl.col("action") == before) & (pl.col("action_other") == after)).height


def _honest(trial: pl.DataFrame, action: Action) -> dict[str, float | None]:
    """Share of honest requests with that action, under both policies."""
    honest = trial.filter(pl.col("abuse") == 0)
    if honest.is_empty():
        return {"live": None, "other": None}
    columns = {"live": "action", "other": "action_other"}
    return {name: float(np.mean(honest[column].to_numpy() == action.value)) for name, column in columns.items()}
