"""Figures: AUC with ties, recall at bought false alarms, intervals that hold the value."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.authenticity.metrics import auc, recall_at, upper_bound, with_interval

scores = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


@settings(max_examples=60)
@given(scores)
def test_auc_is_that_of_the_reference(drawn: list[tuple[bool, int]]) -> None:
    generated, score = np.array([g for g, _ in drawn]), np.array([float(s) for _, s in drawn])
    if generated.all() or not generated.any():
        assert math.isnan(auc(generated, score))
    else:
        assert math.isclose(auc(generated, score), roc_auc_score(generated, score), abs_tol=1e-12)


@settings(max_examples=60)
@given(scores, st.sampled_from([0.0, 0.02, 0.1, 0.5]))
def test_recall_never_buys_more_false_alarms_than_allowed(drawn: list[tuple[bool, int]], share: float) -> None:
    generated, score = np.array([g for g, _ in drawn]), np.array([float(s) for _, s in drawn])
    if generated.all() or not generated.any():
        assert math.isnan(recall_at(generated, score, share))
        return
    recall = recall_at(generated, score, share)
    real = np.sort(score[~generated])[::-1]
    threshold = real[int(share * real.size)]
    assert (score[~generated] > threshold).mean() <= share
    assert recall == (score[generated] > threshold).mean()


def test_an_interval_holds_its_value() -> None:
    rng = np.random.default_rng(0)
    generated = rng.random(80) < 0.5
    figure = with_interval(auc, generated, rng.normal(size=80) + generated, draws=200)
    assert figure.low <= figure.value <= figure.high
    assert (figure.real, figure.generated) == (int((~generated).sum()), int(generated.sum()))


def test_no_alarm_in_three_hundred_still_leaves_one_percent_plausible() -> None:
    assert math.isclose(upper_bound(0, 300), 1 - 0.05 ** (1 / 300), rel_tol=1e-9)
    assert upper_bound(0, 0) == 1.0
