import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.ranker.calibrate import END, Calibration, calibrate, isotonic, platt
from models.ranker.metrics import bins_of, calibration_error


def some_scores(seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    raw = rng.normal(-2.0, 1.5, size)
    return raw, (rng.random(size) < 1.0 / (1.0 + np.exp(-(1.7 * raw + 0.5)))).astype(float)


@pytest.mark.parametrize("way", [isotonic, platt], ids=["isotonic", "platt"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000), size=st.integers(30, 600))
@example(seed=223, size=315)  # two blocks whose levels differ in the last bit
def test_a_higher_raw_score_is_always_a_higher_probability(way: object, seed: int, size: int) -> None:
    raw, abuse = some_scores(seed, size)
    learnt = way(raw, abuse, np.ones(size))  # type: ignore[operator]  # one of the two ways
    asked = np.sort(np.random.default_rng(seed + 1).normal(-2.0, 5.0, 500))
    probability = learnt(asked)
    assert (np.diff(probability[np.diff(asked, prepend=-np.inf) > 1e-9]) > 0).all()
    assert probability.min() > 0.0
    assert probability.max() < 1.0


def test_probabilities_are_right_on_requests_that_were_not_used_to_learn_them() -> None:
    raw, abuse = some_scores(1, 20_000)
    learnt = calibrate(raw[:10_000], abuse[:10_000], np.ones(10_000))
    said = learnt(raw[10_000:])
    plain = 1.0 / (1.0 + np.exp(-raw[10_000:]))
    bins = bins_of(said)
    assert calibration_error(abuse[10_000:], said, bins) < 0.012
    assert calibration_error(abuse[10_000:], plain, bins_of(plain)) > 0.03


def test_a_bend_that_no_logistic_line_has_is_left_to_isotonic_regression() -> None:
    rng = np.random.default_rng(3)
    raw = rng.uniform(-4.0, 4.0, 8_000)
    abuse = (rng.random(8_000) < np.where(raw > 0.0, 0.6, 0.05)).astype(float)
    assert calibrate(raw, abuse, np.ones(8_000)).way == "isotonic"


def test_few_labels_get_a_logistic_line() -> None:
    raw, abuse = some_scores(4, 150)
    assert calibrate(raw, abuse, np.ones(150)).way == "platt"


def test_a_block_without_abuse_does_not_claim_certainty() -> None:
    raw = np.concatenate((np.linspace(-3.0, -1.0, 50), np.linspace(1.0, 3.0, 50)))
    learnt = isotonic(raw, np.repeat([0.0, 1.0], 50), np.ones(100))
    assert 0.0 < learnt(np.array([-2.0]))[0] < 0.05
    assert 0.95 < learnt(np.array([2.0]))[0] < 1.0


def test_weights_count_requests_as_often_as_they_say() -> None:
    raw, abuse = some_scores(5, 400)
    weight = np.random.default_rng(0).integers(1, 4, 400)
    weighted = platt(raw, abuse, weight.astype(float))
    repeated = platt(np.repeat(raw, weight), np.repeat(abuse, weight), np.ones(int(weight.sum())))
    asked = np.linspace(-5.0, 3.0, 20)
    assert weighted(asked) == pytest.approx(repeated(asked), abs=1e-3)


@pytest.mark.parametrize("way", [isotonic, platt], ids=["isotonic", "platt"])
def test_the_map_ends_at_zero_and_one(way: object) -> None:
    learnt = way(*some_scores(6, 400), np.ones(400))  # type: ignore[operator]  # one of the two ways
    assert isinstance(learnt, Calibration)
    assert (learnt.raw[0], learnt.probability[0], learnt.raw[-1], learnt.probability[-1]) == (-END, 0.0, END, 1.0)
