"""Drift: nothing moved is near zero, what moved is told by how far, and the card carries where scores lay."""

import numpy as np
import pytest

from models.ranker.artifact import Artifact
from models.ranker.drift import PARTS, Spread, spread_of

DICE = np.random.default_rng(7)
THEN = DICE.beta(1, 8, 20_000)


def index(spread: Spread, scores: np.ndarray) -> float:
    counts = [0] * len(spread.shares)
    for score in scores:
        counts[spread.part(float(score))] += 1
    return spread.stability(counts)


def test_a_part_is_a_tenth() -> None:
    spread = spread_of(THEN)
    assert len(spread.shares) == PARTS == len(spread.edges) + 1
    assert spread.shares == pytest.approx([0.1] * PARTS, abs=0.001)
    assert sum(spread.shares) == pytest.approx(1)


def test_the_same_scores_have_not_moved_and_others_have_as_far_as_they_are() -> None:
    spread = spread_of(THEN)
    assert index(spread, THEN) == pytest.approx(0, abs=1e-9)
    same = [index(spread, DICE.beta(1, 8, 1_000)) for _ in range(50)]
    assert np.mean(same) == pytest.approx((PARTS - 1) / 1_000, rel=0.5)
    assert max(same) < 0.05
    moved = [index(spread, DICE.beta(1, 8 - step, 1_000)) for step in (1, 3, 5)]
    assert same[0] < moved[0] < moved[1] < moved[2]
    assert moved[2] > 0.25
    assert index(spread, np.full(1_000, 0.999)) > 1


def test_equal_scores_stay_in_one_part_and_an_empty_part_is_no_infinity() -> None:
    spread = spread_of(np.concatenate([np.zeros(700), np.linspace(0.1, 0.9, 300)]))
    assert spread.shares[0] == 0.7
    assert len(spread.shares) < PARTS
    assert np.isfinite(index(spread, np.ones(10)))
    assert spread_of(np.zeros(5)).shares == (1.0, 0.0)
    assert spread.stability([0] * len(spread.shares)) < 10


def test_the_card_says_where_scores_lay_that_no_tree_had_learnt_from(artifact: Artifact) -> None:
    scores = artifact.card.scores
    assert scores is not None
    assert scores.rows >= 100
    assert list(scores.edges) == sorted(set(scores.edges))
    assert 0 < scores.edges[0] < scores.edges[-1] < 1
