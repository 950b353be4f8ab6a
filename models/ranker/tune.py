"""An optional search for better settings, by Optuna, inside the training time only: what is held out there judges a trial, the test never does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import optuna
import polars as pl

from features.declare import Feature
from models.ranker.settings import Settings
from models.ranker.train import train


def tune(
    frame: pl.DataFrame,
    labels: pl.DataFrame,
    as_of: datetime,
    settings: Settings,
    trials: int,
    features: Sequence[Feature] | None = None,
) -> Settings:
    """The settings with the best held-out average precision out of `trials`; the given ones are the first, so it never gets worse there."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=settings.seed))
    names = ("learning_rate", "leaves", "min_leaf", "l2", "feature_share", "row_share")
    study.enqueue_trial({name: getattr(settings, name) for name in names})

    def quality(trial: optuna.Trial) -> float:
        tried = replace(settings, seeds=1, **_suggested(trial, settings))
        return float(train(frame, labels, as_of, tried, features).card.held_out["ap"])

    study.optimize(quality, n_trials=trials)
    return replace(settings, **study.best_params)


def _suggested(trial: optuna.Trial, settings: Settings) -> dict[str, Any]:
    """The room that is searched; always around the given settings, so that enqueueing them is allowed."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", min(0.02, settings.learning_rate), 0.15, log=True),
        "leaves": trial.suggest_int("leaves", min(4, settings.leaves), 127, log=True),
        "min_leaf": trial.suggest_int("min_leaf", min(5, settings.min_leaf), max(200, settings.min_leaf), log=True),
        "l2": trial.suggest_float("l2", 0.1, 100.0, log=True),
        "feature_share": trial.suggest_float("feature_share", 0.2, 1.0),
        "row_share": trial.suggest_float("row_share", 0.4, 1.0),
    }
