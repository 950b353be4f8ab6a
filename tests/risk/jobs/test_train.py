from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.errors import ContractError
from models.ranker.artifact import load
from risk.jobs.train import train
from tests.risk.jobs.labelled_shop import LabelledShop, a_shop

KEYS = {"auc", "ap", "recall_at", "ece", "honest_blocked", "honest_approved", "review_share", "money", "ablation"}


def test_it_saves_a_model_and_says_what_it_is_worth_on_what_it_did_not_see(labelled_shop: LabelledShop, trained: tuple[dict[str, Any], Path]) -> None:
    figures, out = trained
    assert set(figures) >= KEYS
    assert figures["version"] == load(out).version
    later = labelled_shop.table("refund_requests").filter(pl.col("known_at") >= datetime.fromisoformat(figures["as_of"]))
    assert figures["data"]["requests"] == later.height
    assert (
        datetime.fromisoformat(figures["trained_on"]["to"])
        < datetime.fromisoformat(figures["as_of"])
        <= datetime.fromisoformat(figures["data"]["from"])
    )
    assert figures["auc"]["ci"][0] > 0.6
    assert figures["money"]["currency"] == "CNY"


def test_labels_known_later_and_the_truth_do_not_change_the_model(
    trained: tuple[dict[str, Any], Path],
    tmp_path: Path,
) -> None:
    figures, out = trained
    other = a_shop(tmp_path, truth=False)
    path = other.folder / "labels.parquet"
    opposite = pl.when(pl.col("value") == "abuse").then(pl.lit("honest")).otherwise(pl.lit("abuse"))
    labels = pl.read_parquet(path)
    later = pl.col("known_at") >= datetime.fromisoformat(figures["as_of"])
    labels.with_columns(value=pl.when(later).then(opposite).otherwise("value")).write_parquet(path)
    train(other.folder, tmp_path / "model", features=other.features)
    assert load(tmp_path / "model") == load(out)


def test_without_a_test_share_everything_is_learnt_and_nothing_is_judged(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    figures = train(labelled_shop.folder, tmp_path / "model", test_share=0.0, features=labelled_shop.features)
    assert {figures[key] for key in KEYS} == {None}
    known = labelled_shop.table("labels").filter(pl.col("known_at") <= labelled_shop.table("refund_requests")["known_at"].max())
    assert figures["trained_on"]["rows"] == known.height


def test_tuning_keeps_its_settings_on_the_card(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    train(labelled_shop.folder, tmp_path / "model", tune=1, features=labelled_shop.features)
    assert load(tmp_path / "model").card.settings["leaves"] >= 4


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_test_share_out_of_range_is_refused(labelled_shop: LabelledShop, tmp_path: Path, share: float) -> None:
    with pytest.raises(ContractError, match="test share"):
        train(labelled_shop.folder, tmp_path / "model", test_share=share, features=labelled_shop.features)


def test_feature_rows_of_other_requests_are_refused(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    pl.read_parquet(labelled_shop.features).head(10).write_parquet(tmp_path / "few.parquet")
    with pytest.raises(ContractError, match="have no feature row"):
        train(labelled_shop.folder, tmp_path / "model", features=tmp_path / "few.parquet")
