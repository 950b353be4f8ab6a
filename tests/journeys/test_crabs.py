"""The story that this project began with, told to the service over its API."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from risk.cli import app
from risk.crabs import crab_claim, crab_orders
from tests.journeys.shop import Shop


@pytest.fixture(scope="module")
def claims(make_shop: Callable[[], Shop]) -> tuple[Shop, dict[str, Any], dict[str, Any]]:
    shop = make_shop()
    shop.wait(hours=1)
    for order in crab_orders(shop.moment):
        shop.post("/v1/orders", order)
    contradiction, twin = crab_claim(shop.moment)
    return shop, shop.score(contradiction), shop.score(twin)


def test_two_videos_that_cannot_both_be_true_are_found_by_their_counts(claims: tuple[Shop, dict[str, Any], dict[str, Any]]) -> None:
    _, crab, _ = claims
    found = {reason["code"]: reason for reason in crab["reasons"]}
    detail = found["EVIDENCE_CONTRADICTS_CLAIM"]["detail"]
    assert found["EVIDENCE_CONTRADICTS_CLAIM"]["family"] == "mismatch"
    assert "3 male" in detail
    assert "4 female" in detail
    assert "7" in detail
    assert "6" in detail


def test_the_contradiction_is_not_approved(claims: tuple[Shop, dict[str, Any], dict[str, Any]]) -> None:
    assert claims[1]["action"] in {"review", "block"}


def test_the_honest_twin_is_approved_at_once(claims: tuple[Shop, dict[str, Any], dict[str, Any]]) -> None:
    _, _, twin = claims
    assert twin["action"] == "approve", twin
    assert "EVIDENCE_CONTRADICTS_CLAIM" not in {reason["code"] for reason in twin["reasons"]}


def test_each_video_alone_fits_the_order(claims: tuple[Shop, dict[str, Any], dict[str, Any]]) -> None:
    shop = claims[0]
    for number in (0, 1):
        alone = crab_claim(shop.moment, f"alone{number}")[0]
        alone["evidence"] = [alone["evidence"][number]]
        codes = {reason["code"] for reason in shop.score(alone)["reasons"]}
        assert "EVIDENCE_CONTRADICTS_CLAIM" not in codes


def test_the_buyer_is_told_in_her_language_and_not_how_it_was_found(claims: tuple[Shop, dict[str, Any], dict[str, Any]]) -> None:
    shop, crab, _ = claims
    chinese = shop.client.get(f"/v1/decisions/{crab['decision_id']}", params={"lang": "zh"}).json()
    for english, told in zip(crab["reasons"], chinese["reasons"], strict=True):
        assert english["code"] == told["code"]
        assert any("一" <= sign <= "鿿" for sign in told["analyst"])


def test_the_ledger_gives_the_same_decisions_again(claims: tuple[Shop, dict[str, Any], dict[str, Any]], market: Path) -> None:
    assert claims[1]["decision_id"] != claims[2]["decision_id"]
    result = CliRunner().invoke(app, ["replay", "--home", str(market / "home"), "--json"])
    replayed = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert replayed["checked"] >= 2
    assert (replayed["skipped"], replayed["different"]) == (0, [])
