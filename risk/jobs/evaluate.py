"""What a trained model is worth on the requests that came after it was trained."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.errors import ContractError
from models.ranker.artifact import Artifact, load
from models.ranker.evaluate import FAMILIES, Evaluation
from models.ranker.evaluate import evaluate as figures_of
from models.ranker.report import write_report
from risk.jobs.learning_set import LearningSet, read_learning_set
from risk.jobs.trial import Period, judge, without_families
from risk.policy import load as load_policy
from risk.terms import Policy


def evaluate(  # the options of the command
    folder: Path,
    model: Path,
    *,
    policy: Path | None = None,
    report: Path | None = None,
    ablation: bool = True,
    features: Path | None = None,
) -> dict[str, object]:
    """Judge a saved model on the requests asked at or after the moment it was trained at; with `report`, write the page and its pictures there.

    `ablation` trains it again without each family of evidence, at the same moment with the same settings. ContractError: no request came later.
    """
    artifact = load(model)
    learning = read_learning_set(folder, features)
    assessed = assess(learning, artifact, load_policy(policy), ablation=ablation)
    figures = {**assessed.figures, "model": str(model), "version": artifact.version, "as_of": artifact.card.as_of}
    if report is not None:
        figures["report"] = str(write_report(assessed, artifact, report))
    return figures


def assess(learning: LearningSet, artifact: Artifact, policy: Policy, *, ablation: bool) -> Evaluation:
    """The same in memory."""
    period = Period(datetime.fromisoformat(artifact.card.as_of), learning.moment(1.0))
    trial = judge(learning, artifact, period, policy)
    if trial.is_empty():
        message = (
            f"no request came at or after {artifact.card.as_of}, when the model was trained; evaluate it on later data, or train with a test share"
        )
        raise ContractError(message, field="as_of")
    if ablation:
        trial = trial.join(without_families(learning, artifact, period, policy, FAMILIES), on="request_id", how="left")
    return described(figures_of(trial), trial, learning)


def described(evaluation: Evaluation, trial: pl.DataFrame, learning: LearningSet, **more: Any) -> Evaluation:  # noqa: ANN401  # plain JSON
    """With what the figures are about: how many requests, when, whose outcomes, which currency. ContractError: no outcome of the period is known."""
    known = trial["abuse"].drop_nulls()
    if known.is_empty():
        raise ContractError("no request of the period has a known outcome, so nothing can be judged; bring later labels", field="labels")
    evaluation.figures["data"] = {
        "requests": trial.height,
        "known": known.len(),
        "abuse": int(known.sum()),
        "from": trial["as_of"].min().isoformat(),  # type: ignore[union-attr]  # a datetime column that is not empty
        "to": trial["as_of"].max().isoformat(),  # type: ignore[union-attr]  # as above
        "outcomes": learning.outcomes_from,
        **more,
    }
    evaluation.figures["money"]["currency"] = learning.currency  # type: ignore[index]  # `money` is an inner node
    return evaluation
