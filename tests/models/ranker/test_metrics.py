import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.ranker.metrics import average_precision, bins_of, bootstrap, calibration_error, ranked, recall_at, reliability, roc_auc


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(4, 200), levels=st.integers(1, 30), weighted=st.booleans())
def test_ranking_figures_are_those_of_sklearn_ties_and_weights_included(seed: int, size: int, levels: int, weighted: bool) -> None:  # noqa: FBT001  # hypothesis passes it
    rng = np.random.default_rng(seed)
    abuse = (rng.random(size) < 0.3).astype(float)
    abuse[:2] = (0.0, 1.0)
    score = rng.integers(0, levels, size) / levels
    weight = rng.integers(1, 4, size).astype(float) if weighted else np.ones(size)
    order = ranked(abuse, score)
    assert roc_auc(order, weight) == pytest.approx(roc_auc_score(abuse, score, sample_weight=weight), abs=1e-12)
    assert average_precision(order, weight) == pytest.approx(average_precision_score(abuse, score, sample_weight=weight), abs=1e-12)


def test_recall_counts_the_abuse_among_the_highest_scores() -> None:
    abuse = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    score = np.linspace(1.0, 0.1, 10)
    assert recall_at(ranked(abuse, score), 0.1) == pytest.approx(1 / 3)
    assert recall_at(ranked(abuse, score), 0.3) == pytest.approx(2 / 3)
    assert recall_at(ranked(abuse, score), 1.0) == 1.0


def test_a_tie_at_the_edge_of_the_reviewed_counts_in_part_whatever_its_order() -> None:
    score = np.array([0.5, 0.5, 0.5, 0.5])
    for place in range(4):
        abuse = np.eye(4)[place]
        assert recall_at(ranked(abuse, score), 0.25) == pytest.approx(0.25)


def test_without_abuse_there_is_no_figure_rather_than_a_zero() -> None:
    order = ranked(np.zeros(5), np.arange(5.0))
    assert np.isnan([roc_auc(order), average_precision(order), recall_at(order, 0.1)]).all()


def test_the_calibration_error_is_zero_when_what_is_said_happens_and_the_gap_when_not() -> None:
    probability = np.repeat([0.2, 0.5], 1_000)
    abuse = np.concatenate((np.arange(1_000) % 5 == 0, np.arange(1_000) % 2 == 0)).astype(float)
    bins = bins_of(probability)
    assert calibration_error(abuse, probability, bins) == pytest.approx(0.0, abs=1e-12)
    assert calibration_error(abuse, probability + 0.1, bins) == pytest.approx(0.1)


def test_the_reliability_curve_holds_every_request_once() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(997)
    points = reliability((rng.random(997) < probability).astype(float), probability)
    assert sum(point["requests"] for point in points) == 997
    assert [point["said"] for point in points] == sorted(point["said"] for point in points)


def test_bootstrap_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for trial in range(100):
        cluster = np.repeat(np.arange(60), 4)
        value = (rng.normal(size=60)[cluster] + 0.3 * rng.normal(size=240)) + 1.0

        def figures(weight: np.ndarray, value: np.ndarray = value) -> dict[str, float]:
            return {"mean": float(np.average(value, weights=weight))}

        low, high = bootstrap(figures, cluster, draws=120, seed=trial)["mean"]
        covered += low <= 1.0 <= high
    assert 86 <= covered <= 100


def test_whole_clusters_are_drawn_so_repeated_requests_of_one_account_widen_the_interval() -> None:
    value = np.repeat(np.random.default_rng(1).normal(size=50), 10)

    def figures(weight: np.ndarray) -> dict[str, float]:
        return {"mean": float(np.average(value, weights=weight))}

    alone = bootstrap(figures, np.arange(500), draws=200, seed=1)["mean"]
    whole = bootstrap(figures, np.repeat(np.arange(50), 10), draws=200, seed=1)["mean"]
    assert (whole[1] - whole[0]) > 2.0 * (alone[1] - alone[0])


def test_the_same_seed_gives_the_same_interval() -> None:
    value = np.random.default_rng(2).normal(size=80)

    def figures(weight: np.ndarray) -> dict[str, float]:
        return {"mean": float(np.average(value, weights=weight))}

    assert bootstrap(figures, np.arange(80), draws=50, seed=9) == bootstrap(figures, np.arange(80), draws=50, seed=9)
