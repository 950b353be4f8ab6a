import numpy as np
import polars as pl

from models.ranker.dataset import Encoding, training_rows
from models.ranker.selection import CLIP, selection_weights
from tests.models.ranker.market import a_market


def test_when_every_request_was_checked_all_count_alike() -> None:
    market = a_market(400)
    rows = training_rows(market.frame, market.labels, market.middle)
    encoding = Encoding.learn(rows, market.features)
    weight = selection_weights(rows, rows, encoding, market.middle, seed=1, threads=1)
    np.testing.assert_array_equal(weight, np.ones(rows.height))


def test_weights_undo_a_known_selection() -> None:
    market = a_market(6_000)
    asked = market.frame
    positive = (pl.col("number_1").fill_null(-1.0) > 0).alias("positive")
    drawn = np.random.default_rng(5).random(asked.height)
    rows = asked.filter(pl.Series(drawn) < pl.when(pl.col("number_1").fill_null(-1.0) > 0).then(0.8).otherwise(0.2))
    encoding = Encoding.learn(rows, market.features)
    weight = selection_weights(asked, rows, encoding, asked["as_of"][-1], seed=1, threads=1)
    here = asked.select(positive)["positive"].to_numpy().mean()
    plain = rows.select(positive)["positive"].to_numpy()
    assert abs(plain.mean() - here) > 0.2
    assert abs(np.average(plain, weights=weight) - here) < 0.07
    assert weight.mean() == 1.0 or abs(weight.mean() - 1.0) < 1e-12
    assert weight.max() / weight.min() <= CLIP**2
