from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from data_contracts.errors import ContractError
from models.ranker.artifact import Artifact
from models.ranker.scorer import Scorer
from models.ranker.settings import Settings
from models.ranker.train import train
from tests.models.ranker.market import QUICK, Market, a_market


def test_it_learns_what_there_is_to_learn(market: Market, artifact: Artifact) -> None:
    test = market.frame.filter(pl.col("as_of") >= market.middle).join(market.labels, on="request_id")
    abuse = (test["value"] == "abuse").to_numpy()
    assert roc_auc_score(abuse, Scorer(artifact).probabilities(test)) > 0.75


@pytest.mark.parametrize("folds", [1, 3])
def test_the_same_data_and_seed_give_the_same_bytes_and_another_seed_others(market: Market, folds: int) -> None:
    settings = replace(QUICK, folds=folds, seeds=2 if folds > 1 else 1)
    first, again, other = (train(market.frame, market.labels, market.middle, replace(settings, seed=seed), market.features) for seed in (1, 1, 2))
    assert first == again
    assert first.version == again.version
    assert first.booster_text != other.booster_text


def test_the_order_of_rows_does_not_matter(market: Market, artifact: Artifact) -> None:
    shuffled = train(market.frame.reverse(), market.labels.reverse(), market.middle, QUICK, market.features)
    assert shuffled == artifact


def test_labels_that_are_not_known_yet_change_nothing(market: Market, artifact: Artifact) -> None:
    opposite = pl.when(pl.col("value") == "abuse").then(pl.lit("honest")).otherwise(pl.lit("abuse"))
    later = pl.col("known_at") >= market.middle
    turned = market.labels.with_columns(value=pl.when(later).then(opposite).otherwise("value"))
    overruled = market.labels.filter(~later).with_columns(value=opposite, known_at=pl.lit(market.middle))
    assert not turned.equals(market.labels)
    assert train(market.frame, turned, market.middle, QUICK, market.features) == artifact
    assert train(market.frame, pl.concat([market.labels, overruled]), market.middle, QUICK, market.features) == artifact


def test_a_label_known_one_microsecond_earlier_does_change_the_model(market: Market, artifact: Artifact) -> None:
    opposite = pl.when(pl.col("value") == "abuse").then(pl.lit("honest")).otherwise(pl.lit("abuse"))
    overruled = market.labels.filter(pl.col("known_at") < market.middle).with_columns(
        value=opposite,
        known_at=pl.lit(market.middle - timedelta(microseconds=1)),
    )
    assert train(market.frame, pl.concat([market.labels, overruled]), market.middle, QUICK, market.features) != artifact


def test_requests_that_come_later_change_nothing(market: Market, artifact: Artifact) -> None:
    later = pl.col("as_of") >= market.middle
    changed = market.frame.with_columns(number_0=pl.when(later).then(-pl.col("number_0")).otherwise("number_0"))
    assert train(changed, market.labels, market.middle, QUICK, market.features) == artifact


@pytest.mark.parametrize("folds", [1, 3])
def test_a_feature_with_a_known_sign_only_ever_raises_the_score(market: Market, folds: int) -> None:
    settings = replace(QUICK, folds=folds, seeds=2 if folds > 1 else 1)
    scorer = Scorer(train(market.frame, market.labels, market.middle, settings, market.features))
    rows = market.frame.head(40).with_columns(number_0=pl.col("number_0").fill_null(0.0))
    before = scorer.probabilities(rows)
    for step in (0.3, 1.0, 5.0):
        after = scorer.probabilities(rows.with_columns(number_0=pl.col("number_0") + step))
        assert (after >= before).all()
        before = after


def test_a_family_that_is_left_out_is_not_in_the_model(market: Market) -> None:
    made = train(market.frame, market.labels, market.middle, replace(QUICK, leave_out=("behaviour",)), market.features)
    assert {feature.family for feature in made.card.features} == {"mismatch", "image", "links", "context"}


def test_too_few_labels_are_refused_with_their_number(market: Market) -> None:
    with pytest.raises(ContractError, match="at least 20 of each class"):
        train(market.frame, market.labels, market.frame["as_of"][0] + timedelta(days=3), None, market.features)


def test_few_labels_get_small_trees_and_folds_and_many_get_one_split() -> None:
    assert Settings.for_rows(1_000).folds > 1
    assert Settings.for_rows(1_000).leaves < Settings.for_rows(100_000).leaves
    assert Settings.for_rows(100_000).folds == 1


def test_settings_survive_the_card(artifact: Artifact) -> None:
    assert Settings.from_json(artifact.card.settings) == QUICK


def test_requests_that_are_rarely_checked_count_more() -> None:
    rare = a_market(1_500, checked=1.0)
    often = pl.col("number_1") > 0
    kept = rare.frame.with_row_index().filter(often | (pl.col("index") % 8 == 0))["request_id"]
    labels = rare.labels.filter(pl.col("request_id").is_in(kept.implode()))
    plain, weighted = (
        Scorer(train(rare.frame, labels, rare.middle, replace(QUICK, correct_selection=correct), rare.features)) for correct in (False, True)
    )
    assert not np.array_equal(plain.probabilities(rare.frame), weighted.probabilities(rare.frame))
