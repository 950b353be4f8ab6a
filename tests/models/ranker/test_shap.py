"""LightGBM itself is the reference, of raw scores and of contributions."""

import lightgbm as lgb
import numpy as np
import pytest

from data_contracts.errors import ModelMismatchError
from models.ranker.boosting import mean_of
from models.ranker.dataset import Floats
from models.ranker.forest import Forest
from models.ranker.shap import POINTS, Shap
from models.ranker.trees import trees_of

WORDS = 70
"""More words than one number of 32 holds."""


def rows(seed: int, count: int, width: int) -> Floats:
    """Numbers of all sizes, whole ones, zeros, nulls; the first column is words, some of them never seen."""
    draw = np.random.default_rng(seed)
    found = draw.normal(size=(count, width)) * np.exp(3 * draw.normal(size=(count, width)))
    found = np.where(draw.random(found.shape) < 0.3, draw.integers(-3, 4, found.shape), found)
    found[:, 0] = draw.integers(0, WORDS, count)
    found[draw.random(found.shape) < 0.2] = np.nan
    return found


def a_booster(seed: int, width: int = 6, trees: int = 12, **settings: object) -> lgb.Booster:
    """Trees over few features, so that paths meet the same ones again."""
    draw = np.random.default_rng(seed + 1)
    seen = rows(seed, 3_000, width)
    known = np.nan_to_num(seen)
    abuse = (np.sin(known[:, 0]) + np.tanh(known[:, 1]) * known[:, 2] ** 2 + np.isnan(seen[:, 3]) + draw.normal(size=len(seen)) > 1).astype(float)
    parameters = {"objective": "binary", "min_data_in_leaf": 5, "min_data_per_group": 5, "cat_smooth": 1.0, "max_cat_to_onehot": 2, "verbose": -1}
    return lgb.train(parameters | {"num_threads": 1, "seed": seed} | settings, lgb.Dataset(seen, abuse, categorical_feature=[0]), trees)


def assert_explained(booster: lgb.Booster, asked: Floats) -> None:
    """The raw score to the bit, every part as LightGBM has it, and all parts the raw score."""
    trees = trees_of(booster.model_to_string())
    shap = Shap(trees, booster.num_feature())
    assert Forest(trees)(asked).tobytes() == np.asarray(booster.predict(asked, raw_score=True)).tobytes()
    parts = shap(asked)
    wanted = np.asarray(booster.predict(asked, pred_contrib=True))
    assert np.abs(parts - wanted[:, :-1]).max() < 1e-9
    assert shap.base_log_odds == pytest.approx(wanted[0, -1], abs=1e-12)
    assert np.abs(parts.sum(axis=1) + shap.base_log_odds - booster.predict(asked, raw_score=True)).max() < 1e-9


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("leaves", "depth"), [(2, -1), (8, -1), (15, 8), (31, 8), (31, 20), (90, 20)])
def test_contributions_are_those_of_lightgbm(seed: int, leaves: int, depth: int) -> None:
    assert_explained(a_booster(seed, num_leaves=leaves, max_depth=depth), rows(seed + 100, 300, 6))


@pytest.mark.parametrize("settings", [{"zero_as_missing": True}, {"use_missing": False}, {"max_cat_to_onehot": WORDS}])
def test_whatever_counts_as_missing(settings: dict[str, object]) -> None:
    assert_explained(a_booster(7, num_leaves=31, **settings), rows(8, 300, 6))


def test_paths_of_more_features_than_one_block_of_points_explains() -> None:
    draw = np.random.default_rng(1)
    seen = draw.random(size=(3_000, 40))
    target = 0.8 ** np.argmax(seen < 0.1, axis=1)  # the first low number tells, so that each split takes a few rows away: the tree is a chain
    parameters = {"min_data_in_leaf": 1, "num_leaves": 200, "min_sum_hessian_in_leaf": 0.0, "verbose": -1, "num_threads": 1}
    booster = lgb.train(parameters, lgb.Dataset(seen, target), 8)
    assert max(node.features for tree in trees_of(booster.model_to_string()) for node in tree.nodes) > 2 * POINTS * 2
    assert_explained(booster, draw.random(size=(300, 40)))


def test_the_mean_of_several_fits_is_explained() -> None:
    text = mean_of([a_booster(seed, num_leaves=8) for seed in range(3)], 10)
    assert_explained(lgb.Booster(model_str=text), rows(9, 300, 6))


def test_one_row_is_explained_like_many_to_the_bit() -> None:
    booster = a_booster(3, num_leaves=31)
    shap, asked = Shap(trees_of(booster.model_to_string()), 6), rows(4, 200, 6)
    assert np.concatenate([shap(row[None]) for row in asked]).tobytes() == shap(asked).tobytes()


def test_a_model_that_never_splits_says_nothing() -> None:
    booster = lgb.train({"verbose": -1}, lgb.Dataset(np.zeros((100, 2)), np.arange(100) % 2), 3)
    shap = Shap(trees_of(booster.model_to_string()), 2)
    assert not shap(np.ones((3, 2))).any()
    assert Forest(trees_of(booster.model_to_string()))(np.ones((1, 2))) == booster.predict(np.ones((1, 2)), raw_score=True)
    assert shap.base_log_odds == pytest.approx(booster.predict(np.ones((1, 2)), raw_score=True)[0])


def test_leaves_that_hold_lines_are_refused() -> None:
    text = a_booster(1, num_leaves=4, linear_tree=True, trees=2).model_to_string()
    with pytest.raises(ModelMismatchError, match="linear trees"):
        trees_of(text)
