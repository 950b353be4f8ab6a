"""Feature rows and the labels known by a moment -> a calibrated ranker.

Early stopping and calibration use labelled requests that the fit did not see: the last part of the training time when labels are many, folds of
whole rings in turns when they are few (then the model is fitted once more on all of them).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl

from data_contracts.errors import ContractError
from features.catalog import catalogue_hash
from features.declare import Feature
from models.ranker.artifact import Artifact, Card, CardFeature
from models.ranker.boosting import mean_of
from models.ranker.calibrate import calibrate
from models.ranker.dataset import Encoding, Floats, catalogue_of, sign_in, training_rows
from models.ranker.drift import spread_of
from models.ranker.metrics import average_precision, ranked, roc_auc
from models.ranker.selection import selection_weights
from models.ranker.settings import Settings
from models.ranker.splits import Split, by_group, by_time

MOST_UNLABELLED = 50_000
"""Unlabelled requests whose scores the card tells of: tenths of that many are exact to a thousandth."""

LEAST = 20
"""Labelled requests of each class without which nothing is trained."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What boosting left: the mean model's text, its trees, and raw scores of the held-out rows by models that had not seen them."""

    text: str
    trees: int
    held: np.ndarray[tuple[int], np.dtype[np.int64]]
    raw: Floats


def train(
    frame: pl.DataFrame,
    labels: pl.DataFrame,
    as_of: datetime,
    settings: Settings | None = None,
    features: Sequence[Feature] | None = None,
) -> Artifact:
    """Train on the requests asked before `as_of` whose label was known before it.

    `frame`: request_id, as_of, the catalogue's features, optionally `group` (who must stay together). `features`: what may be used, by default the
    catalogue and the shop's own columns. ContractError: fewer than LEAST known labels of a class.
    """
    rows = training_rows(frame, labels, as_of)
    settings = settings or Settings.for_rows(rows.height)
    rows = training_rows(frame, labels, as_of, settings.maturity_days)
    _check_labels(rows, as_of)
    allowed = [feature for feature in features or catalogue_of(frame) if feature.family not in settings.leave_out]
    encoding = Encoding.learn(rows, allowed)
    chosen = tuple(CardFeature.of(feature, encoding, sign_in(rows, feature)) for feature in allowed if feature.name in set(encoding.names))
    weight = _weights(frame, rows, encoding, as_of, settings)
    abuse = rows["label"].to_numpy()
    fitted = fit(rows, encoding.matrix(rows), weight, chosen, settings)
    calibration = calibrate(fitted.raw, abuse[fitted.held], weight[fitted.held])
    order = ranked(abuse[fitted.held], fitted.raw)
    held_out = {"rows": len(fitted.held), "auc": roc_auc(order), "ap": average_precision(order), "trees": fitted.trees}
    unlabelled = _unlabelled(frame, rows, fitted, as_of)
    raw = np.concatenate([fitted.raw, _raw(lgb.Booster(model_str=fitted.text), encoding.matrix(unlabelled), -1, settings.threads)])
    scores = spread_of(calibration(raw))
    card = Card(as_of.isoformat(), chosen, catalogue_hash(), calibration, settings.as_json(), _span(rows), held_out, scores)
    return Artifact(fitted.text, card)


def fit(rows: pl.DataFrame, matrix: Floats, weight: Floats, chosen: Sequence[CardFeature], settings: Settings) -> Fitted:
    """Boost with early stopping on held-out rows; the rows come in order of arrival."""
    splits = by_group(rows, settings.folds, settings.seed) if settings.folds > 1 else [by_time(rows, settings.held_out_share)]
    abuse = rows["label"].to_numpy()
    parameters = settings.lightgbm([feature.sign for feature in chosen])
    names = [feature.name for feature in chosen]
    words = [feature.name for feature in chosen if feature.words is not None]
    data = lgb.Dataset(matrix, abuse, weight=weight, feature_name=names, categorical_feature=words, params=parameters, free_raw_data=False)
    boosters, trees = _stopped(data, splits, parameters, settings)
    held = np.concatenate([split.held for split in splits])
    raw = np.concatenate([_raw(booster, matrix[split.held], trees, settings.threads) for booster, split in zip(boosters, splits, strict=True)])
    if settings.folds > 1:
        boosters = [lgb.train({**parameters, "seed": settings.seed + number}, data, trees) for number in range(settings.seeds)]
    return Fitted(mean_of(boosters, trees), trees, held, raw)


def _stopped(
    data: lgb.Dataset,
    splits: Sequence[Split],
    parameters: dict[str, object],
    settings: Settings,
) -> tuple[list[lgb.Booster], int]:
    """One booster a split, and the number of trees at which their mean held-out loss is least."""
    result: Any = lgb.cv(
        parameters,
        data,
        num_boost_round=settings.trees,
        folds=[(split.fit, split.held) for split in splits],
        callbacks=[lgb.early_stopping(settings.patience, verbose=False)],
        return_cvbooster=True,
    )
    return list(result["cvbooster"].boosters), int(result["cvbooster"].best_iteration)


def _raw(booster: lgb.Booster, matrix: Floats, trees: int, threads: int) -> Floats:
    """Raw log-odds."""
    return np.asarray(booster.predict(matrix, raw_score=True, num_iteration=trees, num_threads=threads), dtype=np.float64)


def _weights(frame: pl.DataFrame, rows: pl.DataFrame, encoding: Encoding, as_of: datetime, settings: Settings) -> Floats:
    """Selection and age in one weight a row, mean 1."""
    weight = np.ones(rows.height)
    if settings.correct_selection:
        until = as_of - timedelta(days=settings.maturity_days)
        asked = frame.filter((pl.col("as_of") < as_of) & (pl.col("as_of") <= until))
        weight = selection_weights(asked, rows, encoding, as_of, seed=settings.seed, threads=settings.threads)
    if settings.half_life_days is not None:
        age = rows.select(age=(pl.lit(as_of) - pl.col("as_of")).dt.total_seconds() / 86_400)["age"].to_numpy()
        weight = weight * 0.5 ** (age / settings.half_life_days)
    return np.asarray(weight / weight.mean(), dtype=np.float64)


def _unlabelled(frame: pl.DataFrame, rows: pl.DataFrame, fitted: Fitted, as_of: datetime) -> pl.DataFrame:
    """The latest requests that were asked while the held-out ones were, and that nobody labelled: most of what the service will see."""
    since = rows["as_of"][int(fitted.held.min())]
    asked = frame.filter((pl.col("as_of") >= since) & (pl.col("as_of") < as_of))
    return asked.join(rows.select("request_id"), on="request_id", how="anti").sort("as_of").tail(MOST_UNLABELLED)


def _check_labels(rows: pl.DataFrame, as_of: datetime) -> None:
    """ContractError: too few labels of a class."""
    abuse = int(rows["label"].sum())
    if min(abuse, rows.height - abuse) < LEAST:
        message = (
            f"{rows.height} labels were known before {as_of.isoformat()} ({abuse} abuse), expected at least {LEAST} of each class; "
            "take a later moment or bring more labels"
        )
        raise ContractError(message, field="labels")


def _span(rows: pl.DataFrame) -> dict[str, object]:
    """What was learnt from."""
    first, last = rows["as_of"][0], rows["as_of"][-1]
    return {"rows": rows.height, "abuse": int(rows["label"].sum()), "from": first.isoformat(), "to": last.isoformat()}
