"""What the ranker costs and what it is worth: training end to end beside LightGBM itself on one matrix, one row, and quality on a simulated market.

    python -m benchmarks.ranker [--rows 200000] [--orders 1000000] [--only speed,quality] [--json]

To reach: training 200,000 labelled requests from the feature frame to the saved artifact in less than 2x the time that LightGBM itself takes.
Quality: ranking, calibration, honest buyers, money, each family left out, and every archetype, with 95% intervals that draw whole accounts.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl

from data_contracts.snapshot import Facts
from data_contracts.tables import TIME
from features.catalog import FEATURES, kind_of
from features.declare import Feature
from models.ranker.artifact import load, save
from models.ranker.dataset import Encoding
from models.ranker.scorer import Scorer
from models.ranker.settings import Settings
from models.ranker.train import train
from risk.jobs.build_features import features_of
from risk.jobs.evaluate import assess
from risk.jobs.learning_set import learning_set
from risk.policy import load as load_policy
from risk.simulator.simulate import simulate

START = datetime(2026, 1, 1, tzinfo=UTC)
THREADS = 1
TIMED_ROWS = 1_000
ABUSE, KNOWN = 0.15, 0.67


def main() -> None:
    """Run the parts that were asked for and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--only", default="speed,quality")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    if "speed" in arguments.only:
        found["speed"] = speed(arguments.rows)
    if "quality" in arguments.only:
        found["quality"] = quality(arguments.orders)
    if arguments.json:
        print(json.dumps(found))
        return
    if "speed" in found:
        show_speed(found["speed"])
    if "quality" in found:
        show_quality(found["quality"])


def synthetic(rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A labelled frame of the catalogue's shape: every feature, a third of the values missing, abuse in some of them."""
    rng = np.random.default_rng(1)
    abuse = rng.random(rows) < ABUSE
    as_of = pl.Series("as_of", [START + timedelta(minutes=place) for place in range(rows)], dtype=TIME)
    ids = pl.Series("request_id", [f"r{place:07d}" for place in range(rows)])
    columns = [_column(feature, abuse, rng) for feature in FEATURES]
    labels = pl.DataFrame(
        {"request_id": ids, "value": np.where(abuse, "abuse", "honest"), "source": ["verdict"] * rows, "occurred_at": as_of, "known_at": as_of},
    )
    group = pl.Series("group", [f"g{place}" for place in rng.integers(0, 10 * rows, rows)])
    return pl.DataFrame([ids, as_of, group, *columns]), labels


def _column(feature: Feature, abuse: Any, rng: np.random.Generator) -> pl.Series:  # noqa: ANN401  # a bool array
    rows = len(abuse)
    if kind_of(feature) == "category":
        return pl.Series(feature.name, rng.choice(["one", "two", "three"], rows))
    known = rng.random(rows) < KNOWN
    values = np.round(rng.gamma(1.5, 2.0, rows) + 0.15 * abuse * rng.random(), 2)
    return pl.Series(feature.name, np.where(known, values, np.nan)).fill_nan(None)


def speed(rows: int) -> dict[str, float]:
    """Seconds of our training from frame to artifact, of LightGBM on the same matrix, and microseconds a scored row."""
    frame, labels = synthetic(rows)
    as_of = START + timedelta(minutes=rows + 1)
    settings = Settings.for_rows(rows, threads=THREADS)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        artifact = train(frame, labels, as_of, settings)
        save(artifact, Path(folder))
        ours = time.perf_counter() - begun
        scorer = Scorer(load(Path(folder)))
    theirs = lightgbm_itself(frame, labels, settings)
    facts = [Facts(row, {}) for row in frame.head(TIMED_ROWS).drop("request_id", "as_of", "group").to_dicts()]
    found = {"rows": rows, "features": len(artifact.card.features), "trees": artifact.card.held_out["trees"]}
    found |= {"ours_s": ours, "lightgbm_s": theirs, "times": ours / theirs}
    for name, contributions in (("score", False), ("score_with_reasons", True)):
        taken = np.array([_timed(scorer, each, contributions=contributions) for each in facts])
        found |= {f"{name}_p50_us": float(np.quantile(taken, 0.5)), f"{name}_p99_us": float(np.quantile(taken, 0.99))}
    return found


def lightgbm_itself(frame: pl.DataFrame, labels: pl.DataFrame, settings: Settings) -> float:
    """Seconds of `lgb.Dataset` and `lgb.train` with the same parameters, rows held out and early stopping; the matrix is made beforehand."""
    encoding = Encoding.learn(frame, FEATURES)
    matrix = encoding.matrix(frame)
    abuse = (labels["value"] == "abuse").to_numpy().astype(np.float64)
    first_held = int(len(abuse) * (1.0 - settings.held_out_share))
    signs = {feature.name: feature.sign for feature in FEATURES}
    parameters = settings.lightgbm([0 if name in encoding.vocabulary else signs[name] for name in encoding.names])
    begun = time.perf_counter()
    fit = lgb.Dataset(matrix[:first_held], abuse[:first_held], categorical_feature=encoding.categories, params=parameters)
    held = lgb.Dataset(matrix[first_held:], abuse[first_held:], reference=fit)
    lgb.train(parameters, fit, settings.trees, valid_sets=[held], callbacks=[lgb.early_stopping(settings.patience, verbose=False)])
    return time.perf_counter() - begun


def _timed(scorer: Scorer, facts: Facts, *, contributions: bool) -> float:
    """Microseconds of one score."""
    begun = time.perf_counter()
    scored = scorer.score(facts)
    if contributions:
        scored.contributions().kept()
    return (time.perf_counter() - begun) * 1e6


def quality(orders: int) -> dict[str, Any]:
    """Train on the first three quarters of a simulated year, judge on the rest, by the simulator's truth."""
    tables = simulate(orders, 365, 2, datetime(2026, 11, 1, tzinfo=UTC))
    learning = learning_set(tables, features_of(tables))
    artifact = train(learning.frame, learning.labels, learning.moment(0.75))
    assessed = assess(learning, artifact, load_policy(None), ablation=True)
    return {"figures": assessed.figures, "archetypes": assessed.archetypes, "trained_on": artifact.card.data}


def show_speed(found: dict[str, float]) -> None:
    """One table."""
    print(f"\ntraining {found['rows']:,} labelled requests x {found['features']} features, {found['trees']} trees, {THREADS} thread")
    print(f"  frame to artifact {found['ours_s']:8.1f} s")
    print(f"  LightGBM itself   {found['lightgbm_s']:8.1f} s")
    print(f"  times             {found['times']:8.2f}   (to reach: < 2)")
    for name in ("score", "score_with_reasons"):
        print(f"  one {name:<20}p50 {found[f'{name}_p50_us']:8.0f} us   p99 {found[f'{name}_p99_us']:8.0f} us")


def show_quality(found: dict[str, Any]) -> None:
    """Figures, families, archetypes."""
    figures, data = found["figures"], found["figures"]["data"]
    print(f"\nsimulated market: trained on {found['trained_on']['rows']:,} labels, judged on {data['requests']:,} requests, {data['abuse']:,} abuse")
    print(f"  {'':<18}{'model':<26}plain rules")
    for name in ("auc", "ap", "honest_approved", "honest_blocked", "review_share"):
        print(f"  {name:<18}{leaf(figures[name]):<26}{leaf(figures['rules'][name])}")
    for share, figure in figures["recall_at"].items():
        print(f"  recall@{share:<11}{leaf(figure):<26}{leaf(figures['rules']['recall_at'][share])}")
    print(f"  {'ece':<18}{leaf(figures['ece'])}")
    money = figures["money"]
    print(f"\n  saved, {money['currency']} (whole units)")
    rows = [("approving all", money["saved_against_approve_all"]), ("plain rules", money["saved_against_rules"])]
    rows += [(f"without {family}", figure) for family, figure in money["saved_against_without"].items()]
    for name, figure in rows:
        print(f"  against {name:<20}{leaf(figure, 0.01, ',.0f')}")
    print("\n  without a family: AP, AP lost")
    for family, figure in figures["ablation"].items():
        print(f"  {family:<18}{figure['ap']['value']:.3f}  {leaf(figure['ap_lost'])}")
    print(f"\n  {'archetype':<26}{'requests':>9}{'approved':>10}{'reviewed':>10}{'blocked':>9}{'in top 10%':>12}{'AP':>7}")
    for row in found["archetypes"]:
        shares = f"{row['share_approve']:>10.1%}{row['share_review']:>10.1%}{row['share_block']:>9.1%}{row['in_top_0.10']:>12.1%}"
        print(f"  {row['archetype']:<26}{row['requests']:>9,}{shares}" + (f"{row['ap']:>7.2f}" if "ap" in row else ""))


def leaf(figure: dict[str, Any], scale: float = 1.0, form: str = ".3f") -> str:
    """Value and interval."""
    low, high = figure["ci"]
    return f"{figure['value'] * scale:{form}} ({low * scale:{form}} to {high * scale:{form}})"


if __name__ == "__main__":
    main()
