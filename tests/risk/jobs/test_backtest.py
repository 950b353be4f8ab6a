from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.errors import ContractError
from risk.jobs.backtest import Roll, backtest, rolled
from risk.jobs.learning_set import LearningSet, read_learning_set
from risk.policy import load
from risk.policy_file import default_text
from tests.risk.jobs.labelled_shop import LabelledShop


@pytest.fixture(scope="module")
def learning(labelled_shop: LabelledShop) -> LearningSet:
    return read_learning_set(labelled_shop.folder, labelled_shop.features)


@pytest.fixture(scope="module")
def roll() -> Roll:
    return Roll(folds=2, train_share=0.5, test_share=0.25, seed=1, ablation=False, live=load(None), other=None)


@pytest.fixture(scope="module")
def trial(learning: LearningSet, roll: Roll) -> pl.DataFrame:
    return rolled(learning, roll)


def test_the_folds_follow_each_other_and_test_every_request_once(learning: LearningSet, trial: pl.DataFrame) -> None:
    assert trial["request_id"].n_unique() == trial.height == learning.frame.height // 2
    assert trial["as_of"].is_sorted()


def test_a_label_known_when_a_fold_begins_or_later_changes_nothing_in_it(learning: LearningSet, roll: Roll, trial: pl.DataFrame) -> None:
    start = learning.moment(0.75)
    opposite = pl.when(pl.col("value") == "abuse").then(pl.lit("honest")).otherwise(pl.lit("abuse"))
    turned = learning.labels.with_columns(value=pl.when(pl.col("known_at") >= start).then(opposite).otherwise("value"))
    again = rolled(replace(learning, labels=turned), roll)
    assert again.select("request_id", "probability", "action").equals(trial.select("request_id", "probability", "action"))


def test_a_label_known_just_before_does(learning: LearningSet, roll: Roll, trial: pl.DataFrame) -> None:
    start = learning.moment(0.5)
    opposite = pl.when(pl.col("value") == "abuse").then(pl.lit("honest")).otherwise(pl.lit("abuse"))
    told = learning.labels.filter(pl.col("known_at") < start)
    overruled = told.with_columns(value=opposite, known_at=pl.lit(start - timedelta(microseconds=1)).cast(told.schema["known_at"]))
    again = rolled(replace(learning, labels=pl.concat([learning.labels, overruled])), roll)
    assert not again["probability"].equals(trial["probability"])


def test_another_policy_is_shown_with_what_it_would_change(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    strict = tmp_path / "other.toml"
    strict.write_text(default_text().replace("hourly_minor = 6000", "hourly_minor = 600000"), encoding="utf-8")
    found: dict[str, Any] = backtest(
        labelled_shop.folder, folds=2, train_share=0.5, test_share=0.25, policy=strict, report=tmp_path, features=labelled_shop.features
    )
    change = found["policy_change"]
    assert change["changed"] > 0
    assert sum(count for row in change["moved"].values() for count in row.values()) == found["data"]["requests"]
    assert change["by_action"]["other"]["review"] < change["by_action"]["live"]["review"]
    assert change["same_prices"] is False
    assert change["saved"]["ci"][0] <= change["saved"]["value"] <= change["saved"]["ci"][1]
    assert (tmp_path / "report.html").is_file()


def test_the_same_policy_changes_nothing(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    same = tmp_path / "same.toml"
    same.write_text(default_text(), encoding="utf-8")
    found: dict[str, Any] = backtest(labelled_shop.folder, folds=1, train_share=0.7, test_share=0.2, policy=same, features=labelled_shop.features)
    assert found["policy_change"]["changed"] == 0
    assert found["policy_change"]["saved"]["value"] == 0.0


def test_folds_that_do_not_fit_are_refused(labelled_shop: LabelledShop) -> None:
    with pytest.raises(ContractError, match=r"need 1\.15 of the requests"):
        backtest(labelled_shop.folder, folds=5, train_share=0.4, test_share=0.15, features=labelled_shop.features)
