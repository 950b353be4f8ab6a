from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.errors import ContractError, ModelMismatchError
from risk.jobs.evaluate import evaluate
from risk.jobs.train import train
from tests.risk.jobs.labelled_shop import LabelledShop, a_shop


@pytest.fixture(scope="module")
def model(labelled_shop: LabelledShop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("evaluated") / "model"
    train(labelled_shop.folder, out, features=labelled_shop.features)
    return out


@pytest.fixture(scope="module")
def figures(labelled_shop: LabelledShop, model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return evaluate(labelled_shop.folder, model, report=tmp_path_factory.mktemp("report"), features=labelled_shop.features)


def test_every_family_is_left_out_once_and_costs_what_the_table_says(figures: dict[str, Any]) -> None:
    assert set(figures["ablation"]) == {"image", "behaviour", "mismatch", "links"}
    for family, leaf in figures["ablation"].items():
        assert leaf["saved"] == figures["money"]["saved_against_without"][family]
        assert leaf["ap"]["value"] == pytest.approx(figures["ap"]["value"] - leaf["ap_lost"]["value"])


def test_the_report_is_a_page_with_its_pictures(figures: dict[str, Any]) -> None:
    page = Path(figures["report"])
    assert page.read_text(encoding="utf-8").count("data:image/png") == 5
    assert len(list(page.parent.glob("*.png"))) == 5


def test_approving_all_costs_the_amounts_of_all_abuse(labelled_shop: LabelledShop, figures: dict[str, Any]) -> None:
    later = (
        labelled_shop.table("refund_requests").join(labelled_shop.table("truth"), on="request_id").sort("known_at").tail(figures["data"]["requests"])
    )
    lost = later.filter(pl.col("abuse"))["amount_minor"].sum()
    money = figures["money"]
    assert money["cost"]["value"] + money["saved_against_approve_all"]["value"] == pytest.approx(lost)


def test_without_the_truth_only_labelled_requests_are_judged(model: Path, tmp_path: Path) -> None:
    real = a_shop(tmp_path, truth=False)
    found = evaluate(real.folder, model, ablation=False, features=real.features)
    assert found["data"]["known"] < found["data"]["requests"]
    assert "label" in found["data"]["outcomes"]


def test_a_model_is_not_judged_on_what_it_learnt_from(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    train(labelled_shop.folder, tmp_path / "model", test_share=0.0, features=labelled_shop.features)
    with pytest.raises(ContractError, match="no request came at or after"):
        evaluate(labelled_shop.folder, tmp_path / "model", features=labelled_shop.features)


def test_a_spoilt_model_is_refused(labelled_shop: LabelledShop, model: Path, tmp_path: Path) -> None:
    for path in model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "booster.txt").write_bytes(b"tree")
    with pytest.raises(ModelMismatchError):
        evaluate(labelled_shop.folder, tmp_path, features=labelled_shop.features)
