"""Scores of simulated pictures."""

import json
from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest

from risk.simulator.images import AS_IS, DELIVERED, REUSE, SCORES, SIGNALS, STATES, drawn, score_tables
from risk.simulator.score_quantiles import Scored, rooted, weighted_quantiles


def test_the_file_says_what_it_was_measured_on() -> None:
    raw = json.loads(SCORES.read_text(encoding="utf-8"))
    assert {"data", "generated", "edited", "reuse", "delivered"} <= raw["card"].keys()
    for signal in SIGNALS:
        assert raw["card"][signal]["model"]
        for deliveries in raw["scores"][signal].values():
            for table in deliveries.values():
                assert table["null"] == 1.0 if signal == "edited" else table["pictures"] >= 20


def test_every_table_rises_from_0_to_1() -> None:
    kinds = {(signal, kind) for signal in ("generated", "edited") for kind in STATES} | {("reuse", kind) for kind in REUSE}
    assert set(score_tables()) == {(*key, delivery) for key in kinds for delivery in (AS_IS, DELIVERED)}
    for table in score_tables().values():
        assert (np.diff(table.shares) > 0).all()
        assert (np.diff(table.scores) >= 0).all()
        assert 0 <= table.scores[0] <= table.scores[-1] <= 1
        assert 0 <= table.null < 0.5 or table.null == 1.0


@pytest.mark.parametrize("delivery", [AS_IS, DELIVERED])
def test_generated_pictures_score_higher_than_authentic_ones_and_overlap_with_them(delivery: str) -> None:
    rng = np.random.default_rng(1)
    authentic, generated = (drawn("generated", state, delivery, rng.random(2_000)) for state in ("authentic", "generated"))
    assert 0.6 < (generated[:, None] > authentic).mean() < 0.999


def test_quantiles_count_each_picture_by_its_weight() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0])
    assert weighted_quantiles(values, np.ones(4), (0.0, 0.5, 1.0)).tolist() == [0.0, 1.5, 3.0]
    assert weighted_quantiles(values, np.array([1.0, 1.0, 1.0, 97.0]), (0.5,))[0] > 2.9


def test_a_source_counts_by_the_root_of_its_size() -> None:
    weight = rooted(["big"] * 100 + ["small"] * 4)
    assert weight[:100].sum() == pytest.approx(10)
    assert weight[100:].sum() == pytest.approx(2)


def test_pictures_without_an_answer_are_a_share_and_not_a_score() -> None:
    table = Scored(np.array([0.2, 0.4, np.nan, np.nan]), np.ones(4), 0.25).table()
    assert (table["null"], table["unsure"], table["pictures"]) == (0.5, 0.25, 4)
    assert (table["scores"][0], table["scores"][-1]) == (0.2, 0.4)


def test_the_same_file_has_the_same_score(market: Mapping[str, pl.DataFrame]) -> None:
    stable = market["measurements"].filter((pl.col("signal") != "reuse") & pl.col("value").is_not_null())
    assert stable.group_by("sha256", "signal").agg(pl.col("value").n_unique())["value"].max() == 1


def test_a_measurement_has_a_value_or_a_reason(market: Mapping[str, pl.DataFrame]) -> None:
    found = market["measurements"]
    assert (found["value"].is_null() == found["unavailable"].is_not_null()).all()
    judged = found.filter(pl.col("signal") != "edited")
    assert 0.05 < judged["unavailable"].is_not_null().mean() < 0.4
    assert found.filter(pl.col("signal") == "edited")["value"].is_null().all()  # no model that ships judges edits


def test_a_picture_scores_as_reused_only_once_it_was_seen(market: Mapping[str, pl.DataFrame]) -> None:
    reuse = market["measurements"].filter(pl.col("signal") == "reuse").drop_nulls("value").select("evidence_id", "value")
    pieces = market["evidence"].join(reuse, on="evidence_id").sort("known_at")
    repeated = pieces.filter(~pl.col("sha256").is_first_distinct())
    assert len(repeated) > 5
    assert repeated["value"].median() > 0.6 > pieces["value"].median()
