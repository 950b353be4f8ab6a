from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from models.ranker.evaluate import evaluate

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_trial(requests: int = 600, seed: int = 1) -> pl.DataFrame:
    """A model that knows something, rules that know less, and one family without which the model knows nothing."""
    rng = np.random.default_rng(seed)
    abuse = (rng.random(requests) < 0.2).astype(float)
    score = 1.0 / (1.0 + np.exp(-(2.5 * abuse - 2.0 + rng.normal(size=requests))))
    action = np.where(score > 0.8, "block", np.where(score > 0.4, "review", "approve"))
    cost = {"approve": 100.0 * abuse, "review": np.full(requests, 10.0), "block": 60.0 * (1.0 - abuse)}
    return pl.DataFrame(
        {
            "request_id": [f"r{place}" for place in range(requests)],
            "as_of": [START + timedelta(hours=place) for place in range(requests)],
            "cluster": [f"a{place // 3}" for place in range(requests)],
            "archetype": np.where(abuse == 1.0, "ring", "regular"),
            "abuse": abuse,
            "probability": score,
            "action": action,
            "cost": np.select([action == name for name in cost], list(cost.values())),
            "cost_approve_all": cost["approve"],
            "rules_score": np.round(abuse + rng.normal(size=requests)),
            "rules_action": ["review"] * requests,
            "cost_rules": cost["review"],
            "probability_without_links": rng.random(requests),
            "action_without_links": ["approve"] * requests,
            "cost_without_links": cost["approve"],
            "unseen": rng.random(requests) < 0.5,
        },
    )


def leaf(figures: dict, *path: str) -> dict:
    for step in path:
        figures = figures[step]
    assert set(figures) == {"value", "ci"}
    assert figures["ci"][0] <= figures["value"] <= figures["ci"][1]
    return figures


def test_every_figure_of_the_interface_has_a_value_and_an_interval() -> None:
    figures = evaluate(a_trial(), draws=60).figures
    for name in ("auc", "ap", "ece", "honest_blocked", "honest_approved", "review_share"):
        if name != "ece":
            leaf(figures, name)
        assert set(figures[name]) == {"value", "ci"}
    assert set(figures["recall_at"]) == {"0.01", "0.05", "0.10"}
    for share in figures["recall_at"]:
        leaf(figures, "recall_at", share)
    leaf(figures, "money", "saved_against_approve_all")
    leaf(figures, "money", "saved_against_rules")
    leaf(figures, "money", "saved_against_without", "links")
    leaf(figures, "ablation", "links", "auc")
    leaf(figures, "rules", "honest_blocked")
    assert figures["unseen_rings"]["requests"] > 0


def test_figures_are_what_a_plain_count_gives() -> None:
    trial = a_trial()
    figures = evaluate(trial, draws=5).figures
    abuse, score = trial["abuse"].to_numpy(), trial["probability"].to_numpy()
    honest = trial.filter(pl.col("abuse") == 0)
    assert figures["auc"]["value"] == pytest.approx(roc_auc_score(abuse, score))
    assert figures["ap"]["value"] == pytest.approx(average_precision_score(abuse, score))
    assert figures["honest_blocked"]["value"] == pytest.approx((honest["action"] == "block").mean())
    assert figures["honest_approved"]["value"] == pytest.approx((honest["action"] == "approve").mean())
    assert figures["review_share"]["value"] == pytest.approx((trial["action"] == "review").mean())
    assert figures["money"]["saved_against_approve_all"]["value"] == pytest.approx((trial["cost_approve_all"] - trial["cost"]).sum())
    assert figures["money"]["saved_against_rules"]["value"] == pytest.approx((trial["cost_rules"] - trial["cost"]).sum())
    assert figures["ablation"]["links"]["ap_lost"]["value"] > 0.1


def test_requests_whose_outcome_nobody_knows_count_only_for_the_load() -> None:
    trial = a_trial()
    more = trial.with_columns(abuse=pl.lit(None, dtype=pl.Float64), cost=None, cost_approve_all=None, cost_rules=None, cost_without_links=None)
    more = more.with_columns(action=pl.lit("review"), request_id=pl.lit("u") + pl.col("request_id"))
    alone, both = (evaluate(frame, draws=3).figures for frame in (trial, pl.concat([trial, more], how="vertical_relaxed")))
    for name in ("auc", "ap", "honest_blocked", "ece"):
        assert both[name]["value"] == pytest.approx(alone[name]["value"])
    assert both["money"]["cost"]["value"] == pytest.approx(alone["money"]["cost"]["value"])
    assert both["review_share"]["value"] == pytest.approx((alone["review_share"]["value"] + 1.0) / 2.0)


def test_the_same_seed_gives_the_same_report_and_row_order_does_not_matter_to_the_values() -> None:
    first, again = evaluate(a_trial(), draws=10, seed=3), evaluate(a_trial(), draws=10, seed=3)
    assert first.figures == again.figures
    mixed = evaluate(a_trial().sample(fraction=1.0, shuffle=True, seed=4), draws=3).figures
    assert mixed["auc"]["value"] == pytest.approx(first.figures["auc"]["value"])


def test_archetypes_say_who_was_found_and_who_was_bothered() -> None:
    rows = {row["archetype"]: row for row in evaluate(a_trial(), draws=2).archetypes}
    assert set(rows) == {"ring", "regular"}
    assert rows["ring"]["in_top_0.10"] > rows["regular"]["in_top_0.10"]
    assert "ap" in rows["ring"]
    assert "ap" not in rows["regular"]
    assert sum(rows["ring"][f"share_{action}"] for action in ("approve", "review", "block")) == pytest.approx(1.0)


def test_a_trial_without_abuse_has_nulls_and_no_zeros() -> None:
    honest = a_trial().filter(pl.col("abuse") == 0)
    figures = evaluate(honest, draws=3).figures
    assert figures["auc"] == {"value": None, "ci": [None, None]}
    assert figures["honest_approved"]["value"] is not None
