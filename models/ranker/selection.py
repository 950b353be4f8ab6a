"""Only checked requests have labels, and what gets checked is not drawn by lot: weights that give each kind of request back its share.

A small model says how likely a request like this one, of this age, is to have a known label; a labelled request then counts for all of its like
(inverse propensity, clipped, mean 1). It corrects for what the features show and for age; it cannot correct for what only the checker saw.
"""

from datetime import datetime

import lightgbm as lgb
import numpy as np
import polars as pl

from models.ranker.dataset import Encoding, Floats

CLIP = 8.0
"""A labelled request counts at most this many times the average one, and at least 1/CLIP of it."""

SAMPLE = 40_000
"""The small model sees at most this many requests; it has few leaves and needs no more."""

TREES = 40

PARAMETERS = {
    "objective": "binary",
    "num_leaves": 12,
    "learning_rate": 0.1,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "feature_fraction": 0.6,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


def selection_weights(asked: pl.DataFrame, rows: pl.DataFrame, encoding: Encoding, as_of: datetime, *, seed: int, threads: int) -> Floats:
    """One weight a labelled row, mean 1; all 1 when every asked request has a label. `asked` holds `rows` and the requests without a label."""
    if rows.height == asked.height:
        return np.ones(rows.height)
    sample = asked.sample(min(SAMPLE, asked.height), seed=seed) if asked.height > SAMPLE else asked
    labelled = sample["request_id"].is_in(rows["request_id"].implode()).to_numpy()
    if labelled.all() or not labelled.any():
        return np.ones(rows.height)
    parameters = {**PARAMETERS, "num_threads": threads, "seed": seed}
    data = lgb.Dataset(_with_age(sample, encoding, as_of), labelled.astype(np.float64), params=parameters, categorical_feature=encoding.categories)
    checked = lgb.train(parameters, data, TREES)
    share: Floats = np.asarray(checked.predict(_with_age(rows, encoding, as_of), num_threads=threads))
    weight = np.clip(share.mean() / np.maximum(share, 1e-6), 1.0 / CLIP, CLIP)
    return np.asarray(weight / weight.mean(), dtype=np.float64)


def _with_age(frame: pl.DataFrame, encoding: Encoding, as_of: datetime) -> Floats:
    """The matrix with one more column: how many days ago the request came."""
    age = (pl.lit(as_of) - pl.col("as_of")).dt.total_microseconds() / 86_400_000_000
    return np.column_stack((encoding.matrix(frame), frame.select(age=age)["age"].to_numpy()))
