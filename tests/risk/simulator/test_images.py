"""Scores of simulated pictures."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from risk.simulator import images
from risk.simulator.images import SIGNALS, STATES, drawn, score_tables


def test_the_file_says_that_it_is_a_stand_in() -> None:
    raw = json.loads((Path(images.__file__).parent / "image_scores.json").read_text(encoding="utf-8"))
    assert raw["stand_in"] is True
    assert raw["reason"]
    assert raw["replace_with"]


def test_every_table_rises_from_0_to_1() -> None:
    assert {signal for signal, _ in score_tables()} == set(SIGNALS)
    for shares, scores in score_tables().values():
        assert (np.diff(shares) > 0).all()
        assert (np.diff(scores) >= 0).all()
        assert 0 <= scores[0] <= scores[-1] <= 1


def test_generated_pictures_overlap_widely_with_authentic_ones() -> None:
    rng = np.random.default_rng(1)
    authentic, edited, generated = (drawn("generated", state, rng.random(2_000)) for state in STATES)
    assert 0.71 < (generated[:, None] > authentic).mean() < 0.80
    assert 0.5 < (edited[:, None] > authentic).mean() < 0.71


def test_the_same_file_has_the_same_score(market: Mapping[str, pl.DataFrame]) -> None:
    stable = market["measurements"].filter((pl.col("signal") != "reuse") & pl.col("value").is_not_null())
    assert stable.group_by("sha256", "signal").agg(pl.col("value").n_unique())["value"].max() == 1


def test_a_measurement_has_a_value_or_a_reason(market: Mapping[str, pl.DataFrame]) -> None:
    found = market["measurements"]
    assert (found["value"].is_null() == found["unavailable"].is_not_null()).all()
    assert 0.05 < found["unavailable"].is_not_null().mean() < 0.4


def test_a_picture_scores_as_reused_only_once_it_was_seen(market: Mapping[str, pl.DataFrame]) -> None:
    reuse = market["measurements"].filter(pl.col("signal") == "reuse").drop_nulls("value").select("evidence_id", "value")
    pieces = market["evidence"].join(reuse, on="evidence_id").sort("known_at")
    repeated = pieces.filter(~pl.col("sha256").is_first_distinct())
    assert len(repeated) > 5
    assert repeated["value"].median() > 0.6 > pieces["value"].median()
