"""What a person at a terminal and a script get: one JSON object on standard output, the agreed keys, the agreed exit codes."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from risk.cli import app

DONE, CHECK_FAILED, CALLERS_MISTAKE = 0, 1, 2
QUALITY = {"auc", "ap", "recall_at", "ece", "honest_blocked", "honest_approved", "review_share", "money", "ablation"}


def run(*words: object, code: int = DONE) -> Any:  # noqa: ANN401  # parsed JSON
    """The JSON that a command prints."""
    result = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert result.exit_code == code, result.output
    lines = result.stdout.strip().splitlines()
    assert len(lines) == 1, result.stdout
    return json.loads(lines[0])


@pytest.fixture
def data(market: Path) -> Path:
    return market / "market"


def test_simulate_says_what_it_made(tmp_path: Path) -> None:
    made = run("simulate", "--orders", 2_000, "--days", 60, "--seed", 3, "--out", tmp_path / "market")
    assert made["tables"]["orders"] == 2_000
    assert made["seconds"] > 0
    checked = run("validate", tmp_path / "market")
    assert checked["ok"] is True
    assert checked["tables"]["orders"] == {"rows": 2_000, "accepted": 2_000, "rejected": 0, "failed_expectations": []}


def test_validate_fails_on_a_bad_row_and_keeps_it(tmp_path: Path) -> None:
    run("simulate", "--orders", 2_000, "--days", 60, "--seed", 3, "--out", tmp_path / "market")
    orders = pl.read_parquet(tmp_path / "market" / "orders.parquet")
    bad = orders.with_columns(pl.when(pl.int_range(pl.len()) == 7).then(-5).otherwise("amount_minor").alias("amount_minor"))
    bad.write_parquet(tmp_path / "market" / "orders.parquet")
    checked = run("validate", tmp_path / "market", code=CHECK_FAILED)
    assert checked["tables"]["orders"]["rejected"] == 1


def test_features_without_a_folder_are_the_catalogue() -> None:
    rows = run("features")["features"]
    assert len(rows) > 150
    assert all(row["meaning"] and row["missing"] and row["reason"] for row in rows)


def test_evaluate_and_backtest_share_their_keys(market: Path, data: Path, tmp_path: Path) -> None:
    features = market / "features.parquet"
    trained = run("train", data, "--out", tmp_path / "model", "--features", features)
    judged = run("evaluate", data, "--model", tmp_path / "model", "--no-ablation", "--features", features)
    rolled = run("backtest", data, "--folds", 2, "--no-ablation", "--features", features)
    for found in (trained, judged, rolled):
        assert set(found) >= QUALITY
        assert set(found["recall_at"]) == {"0.01", "0.05", "0.10"}
        low, high = found["auc"]["ci"]
        assert low < found["auc"]["value"] < high
    assert judged["auc"]["value"] > 0.75, "a year of labels should rank far better than chance"


def test_score_ranks_every_request_with_reasons(market: Path, data: Path, tmp_path: Path) -> None:
    counted = run("score", data, "--model", market / "home" / "model", "--out", tmp_path / "decisions.parquet")
    decisions = pl.read_parquet(tmp_path / "decisions.parquet")
    assert decisions.columns == ["request_id", "rank", "score", "action", "reasons", "expected_cost"]
    assert counted["requests"] == decisions.height == sum(counted["by_action"].values())
    assert decisions["rank"].to_list() == list(range(1, decisions.height + 1))
    assert decisions["reasons"].list.len().min() > 0  # type: ignore[operator]  # a list column has lengths


def test_rings_are_found_told_and_drawn(data: Path, tmp_path: Path) -> None:
    found = run("rings", data)
    assert found["listed"] > 0
    first = found["rings"][0]
    told = run("ring", data, first["ring_id"], "--png", tmp_path / "ring.png")
    assert set(told["members"]) == set(first["members"])
    assert (tmp_path / "ring.png").read_bytes().startswith(b"\x89PNG")
    assert run("ring", data, "nobody", code=CALLERS_MISTAKE)["error"]["code"] == "NOT_FOUND"


def test_a_replay_of_nothing_is_no_success(tmp_path: Path) -> None:
    assert run("replay", "--home", tmp_path / "nobody", code=CALLERS_MISTAKE)["error"]["code"] == "NOT_FOUND"
    assert not (tmp_path / "nobody").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("cut.parquet", b"PAR1\x00\x00", "cut.parquet"), ("empty.csv", b"", "empty.csv"), ("wrong.csv", b"a;b\n1;2\n", "transaction_id")],
)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    mapping = Path(__file__).resolve().parents[2] / "data_contracts" / "import_maps" / "cloudwalk.toml"
    found = run("import", "--mapping", mapping, source, "--out", tmp_path / "out", code=CALLERS_MISTAKE)
    assert says in found["error"]["message"]


def test_the_same_is_shown_to_people(data: Path) -> None:
    for words, says in ((("features",), "account_requests_30d"), (("rings", data), "accounts")):
        result = CliRunner().invoke(app, [*map(str, words)])
        assert result.exit_code == DONE
        assert says in result.output
