"""A trial: requests decided by a model that knew nothing from then on, what the plain rules would have done, and what each action cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from data_contracts.decision import Action
from data_contracts.score import Family
from features.declare import Feature
from models.ranker.artifact import Artifact
from models.ranker.dataset import catalogue_of, labels_as_of
from models.ranker.evaluate import WITHOUT
from models.ranker.rules import PLAIN
from models.ranker.scorer import Scorer
from models.ranker.settings import Settings
from models.ranker.train import train
from risk.jobs.learning_set import LearningSet
from risk.jobs.score import score_frame
from risk.terms import Policy


@dataclass(frozen=True, slots=True)
class Period:
    """The requests asked in [start, end) are judged; nothing of them may have been learnt from."""

    start: datetime
    end: datetime


def judge(learning: LearningSet, artifact: Artifact, period: Period, policy: Policy) -> pl.DataFrame:
    """One row a request of the period: the columns that `models.ranker.evaluate` reads."""
    test = learning.between(period.start, period.end)
    decided = _decided(test, artifact, policy, "")
    points = PLAIN.points(test)
    trial = (
        test.select("request_id", "as_of", "group")
        .join(learning.money, on="request_id", how="left")
        .join(learning.outcomes, on="request_id", how="left")
        .join(decided, on="request_id", how="left")
        .with_columns(
            cluster=pl.coalesce("account_id", pl.lit("request ") + pl.col("request_id")),
            unseen=~pl.col("group").is_in(_learnt_groups(learning, period.start).implode()),
            rules_score=pl.Series(points),
            rules_action=pl.Series(PLAIN.actions(points), dtype=pl.String),
        )
    )
    return priced(priced(priced(trial, policy, "action", "cost"), policy, "rules_action", "cost_rules"), policy, None, "cost_approve_all")


def without_families(
    learning: LearningSet,
    artifact: Artifact,
    period: Period,
    policy: Policy,
    families: Sequence[Family],
) -> pl.DataFrame:
    """By request: probability, action and cost of the same model, trained and decided as if one family did not exist, for each of them."""
    known = learning.between(period.start, period.end).select("request_id")
    known = known.join(learning.money, on="request_id", how="left").join(learning.outcomes, on="request_id", how="left")
    settings = Settings.from_json(artifact.card.settings)
    for family in families:
        suffix = f"{WITHOUT}{family}"
        blind = _blinded(learning.frame, family)
        lesser = train(blind, learning.labels, datetime.fromisoformat(artifact.card.as_of), replace(settings, leave_out=(family,)))
        test = blind.filter((pl.col("as_of") >= period.start) & (pl.col("as_of") < period.end)).sort("as_of", "request_id")
        known = known.join(_decided(test, lesser, policy, suffix), on="request_id", how="left")
        known = priced(known, policy, f"action{suffix}", f"cost{suffix}")
    return known.select("request_id", pl.col(r"^.*_without_.*$"))


def priced(trial: pl.DataFrame, policy: Policy, action: str | None, name: str) -> pl.DataFrame:
    """With what an action cost, given the outcome, in minor units; `action` null: approve. Null where amount or outcome is not known."""
    actions = [Action.APPROVE.value] * trial.height if action is None else trial[action].to_list()
    rows = zip(actions, trial["amount_minor"].to_list(), trial["abuse"].to_list(), strict=True)
    costs = [None if amount is None or abuse is None else policy.costs.expected(amount, abuse)[Action(act)] for act, amount, abuse in rows]
    return trial.with_columns(pl.Series(name, costs, dtype=pl.Float64))


def _decided(test: pl.DataFrame, artifact: Artifact, policy: Policy, suffix: str) -> pl.DataFrame:
    """Probability and action as the batch job gives them."""
    decisions = score_frame(test, Scorer(artifact), policy)
    return decisions.select("request_id", pl.col("score").alias(f"probability{suffix}"), pl.col("action").alias(f"action{suffix}"))


def _blinded(frame: pl.DataFrame, family: Family) -> pl.DataFrame:
    """The frame with every feature of a family unknown, so that neither model nor rules see it."""
    hidden: list[Feature] = [feature for feature in catalogue_of(frame) if feature.family == family]
    return frame.with_columns(pl.lit(None, dtype=frame.schema[feature.name]).alias(feature.name) for feature in hidden)


def _learnt_groups(learning: LearningSet, start: datetime) -> pl.Series:
    """Rings of which a labelled request was known before the period."""
    learnt = labels_as_of(learning.labels, start).select("request_id")
    return learning.frame.join(learnt, on="request_id", how="semi").filter(pl.col("as_of") < start)["group"].unique()
