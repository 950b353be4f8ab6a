from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from data_contracts.contributions import Contributions
from data_contracts.score import Contribution
from risk.jobs.score import SCHEMA, score_frame
from risk.policy import load
from risk.terms import Policy
from tests.risk.builders import contributions_of

POLICY = load(None)


class Told:
    """A scorer that reads the probability off the frame and blames two families."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def probabilities(self, frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
        return frame["p"].to_numpy()

    def contributions(self, frame: pl.DataFrame) -> list[Contributions]:
        self.asked.append(frame.height)
        one, two = Contribution("a", "image", "IMAGE_SHARED", 1.0, 2.0), Contribution("b", "links", "LINKED_REQUESTS", 1.0, 1.0)
        return [contributions_of(one, two)] * frame.height


def frame(*rows: tuple[str, float, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"request_id": pl.String, "p": pl.Float64, "claimed_amount": pl.Float64}, orient="row")


THREE = frame(("low", 0.01, 20_000.0), ("middle", 0.4, 20_000.0), ("high", 0.995, 20_000.0))
ROOMY = replace(POLICY, capacity_share=1.0)


def decided(rows: pl.DataFrame, scorer: Told | None = None, policy: Policy = ROOMY, *, reasons: bool = False) -> dict[str, dict[str, Any]]:
    found = score_frame(rows, scorer or Told(), policy, reasons=reasons)  # type: ignore[arg-type]  # told what to say
    assert found.schema == pl.Schema(SCHEMA)
    return {row["request_id"]: row for row in found.iter_rows(named=True)}


def test_every_request_is_ranked_once_by_what_is_saved() -> None:
    found = decided(THREE)
    assert [found[name]["rank"] for name in ("high", "middle", "low")] == [1, 2, 3]
    assert [found[name]["action"] for name in ("high", "middle", "low")] == ["block", "review", "approve"]


def test_only_possible_blocks_are_explained_unless_reasons_are_asked_for() -> None:
    few, all_ = Told(), Told()
    assert decided(THREE, scorer=few)["middle"]["reasons"] == ["REVIEW_CHEAPEST"]
    assert decided(THREE, scorer=all_, reasons=True)["middle"]["reasons"] == ["REVIEW_CHEAPEST", "IMAGE_SHARED", "LINKED_REQUESTS"]
    assert (few.asked, all_.asked) == ([1], [2])


def test_the_actions_do_not_depend_on_asking_for_reasons() -> None:
    plain, explained = decided(THREE), decided(THREE, reasons=True)
    assert {name: row["action"] for name, row in plain.items()} == {name: row["action"] for name, row in explained.items()}


def test_an_unknown_amount_is_reviewed_and_costs_are_not_known() -> None:
    row = decided(frame(("r", 0.0, None)))["r"]
    assert (row["action"], row["reasons"], row["expected_cost"]) == ("review", ["AMOUNT_UNKNOWN"], None)


def test_a_nan_amount_is_unknown_too() -> None:
    assert decided(frame(("r", 0.0, float("nan"))))["r"]["action"] == "review"


def test_rules_read_the_frame() -> None:
    rows = THREE.with_columns(observed_over_claimed=pl.Series([1.0, None, float("nan")]))
    found = decided(rows)
    assert found["low"]["action"] == "review"
    assert "EVIDENCE_CONTRADICTS_CLAIM" in found["low"]["reasons"]
    assert "EVIDENCE_CONTRADICTS_CLAIM" not in found["middle"]["reasons"]


def test_reviews_keep_to_the_capacity() -> None:
    rows = frame(*((f"r{number}", 0.4, 10_000.0 + number) for number in range(20)))
    waiting = [name for name, row in decided(rows, policy=replace(POLICY, capacity_share=0.25)).items() if "REVIEW_CAPACITY" in row["reasons"]]
    assert sorted(waiting) == sorted(f"r{number}" for number in range(15))


def test_no_requests_give_no_rows() -> None:
    assert score_frame(frame(), Told(), POLICY).height == 0  # type: ignore[arg-type]
