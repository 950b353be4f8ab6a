"""What the graph is worth on simulated markets: rings against the truth, how soon they are listed, honest people behind hubs, AP without links.

    python -m benchmarks.graph_quality [--orders 300000] [--learn-orders 200000] [--markets 1,2,3,4,5] [--only rings,listing,people]

No constant of the ring finder was chosen on the markets of SEEDS (those were 11 to 20). Ceilings are F1 of an oracle that knows every ring.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.ring_truth import LISTS, until_shown, world
from models.ranker.metrics import average_precision, bootstrap, ranked
from models.ranker.train import train
from risk.jobs.build_features import features_of
from risk.jobs.learning_set import learning_set
from risk.jobs.trial import Period, judge, without_families
from risk.policy import load as load_policy
from risk.simulator.simulate import simulate

END = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 365
SEEDS = (1, 2, 3, 4, 5)
LEARNT_FROM = 0.75
BEHIND_HUBS = ("honest_dormitory", "honest_office", "honest_courier_point", "honest_public_device")
OTHERS = ("honest", "honest_household")
"""Those who live without a hub; heavy returners, bad lots and resold devices are told on their own: they differ for other reasons."""

DRAWS = 300
FIRST_DAY_H = 24.0


def rings(orders: int, seeds: Sequence[int]) -> dict[str, Any]:
    """Listed rings at the end of the period; a pair is two claimants in one ring of three or more."""
    found: dict[str, Any] = {"orders a market": orders}
    worlds, recalls, people = [], [], []
    for seed in seeds:
        figures, by_archetype, everybody = world(simulate(orders, DAYS, seed, END), END)
        found[f"market {seed}"] = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        worlds.append(figures)
        recalls.append(by_archetype)
        people.append(everybody)
    for name in worlds[0]:
        found[f"{name}, mean" + (" (to reach >= .85)" if name == "F1" else "")] = float(np.mean([each[name] for each in worlds]))
    for archetype in sorted({name for each in recalls for name in each}):
        found[f"pairs found, {archetype}"] = float(np.mean([each[archetype] for each in recalls if archetype in each]))
    honest = pl.concat(people).filter(~pl.col("abuse"))
    behind, others = (honest.filter(pl.col("archetype").is_in(names))["shown"].mean() for names in (BEHIND_HUBS, OTHERS))
    return found | {"honest claimants behind hubs in listed rings": behind, "other honest claimants in listed rings": others}


def listing(orders: int, seeds: Sequence[int]) -> dict[str, Any]:
    """How soon a ring is shown by a job that runs every hour, how many of those shown are rings, and how many a day an analyst gets.

    Other limits than the shipped one are shown as by a job that runs once a day. About two minutes a market.
    """
    worlds = [until_shown(simulate(orders, DAYS, seed, END), END, DAYS) for seed in seeds]
    found: dict[str, Any] = {"orders a market": orders, "markets": len(worlds)}
    for name in LISTS:
        hours = np.array([each for shown in worlds for each in shown.hours[name]])
        true = [each for shown in worlds for each in shown.rings[name].values()]
        medians = ", ".join(f"{np.median(shown.hours[name]):.0f}" for shown in worlds)
        found[name] = (
            f"median {np.median(hours):.0f} h from the third claim (to reach < 24; by market {medians}), "
            f"{(hours < FIRST_DAY_H).mean():.0%} within a day, "
            f"{np.isinf(hours).sum()} of {len(hours)} rings never; {np.mean(true):.0%} of {len(true)} shown are rings, "
            f"{len(true) / DAYS / len(worlds):.2f} new ones a day"
        )
    return found


def people(orders: int, seeds: Sequence[int]) -> dict[str, Any]:
    """On each market a model learns from three quarters of a year and decides the rest under the default policy; then the same without any link.

    The judged requests of all markets are pooled. About three minutes a market of 200,000 orders.
    """
    trials, labels = [], 0
    for seed in seeds:
        tables = simulate(orders, DAYS, seed, END)
        learning = learning_set(tables, features_of(tables))
        artifact = train(learning.frame, learning.labels, learning.moment(LEARNT_FROM))
        period = Period(datetime.fromisoformat(artifact.card.as_of), learning.moment(1.0))
        policy = load_policy(None)
        trial = judge(learning, artifact, period, policy)
        trial = trial.join(without_families(learning, artifact, period, policy, ("links",)), on="request_id", how="left")
        trials.append(trial.with_columns(cluster=pl.format("{} {}", pl.lit(seed), "cluster")))
        labels += learning.labels.height
    trial = pl.concat(trials)
    found: dict[str, Any] = {"orders a market": orders, "markets": len(trials), "labels known": labels}
    found |= {"requests judged": trial.height, "abuse among them": int(trial["abuse"].sum())}
    return found | _fairness(trial) | _gains(trial)


def _fairness(trial: pl.DataFrame) -> dict[str, Any]:
    """How often honest requests are not approved at once, by where people live."""
    honest = trial.filter(pl.col("abuse") == 0).with_columns(stopped=(pl.col("action") != "approve").cast(pl.Float64))
    shares = dict(honest.group_by("archetype").agg(pl.col("stopped").mean()).sort("archetype").iter_rows())
    cluster = honest["cluster"].rank("dense").to_numpy().astype(np.int64) - 1
    stopped = honest["stopped"].to_numpy()
    behind, others = (honest["archetype"].is_in(names).to_numpy().astype(np.float64) for names in (BEHIND_HUBS, OTHERS))

    def ratio(weight: np.ndarray[Any, np.dtype[np.float64]]) -> Mapping[str, float]:
        near, far = weight * behind, weight * others
        return {"ratio": float((near @ stopped / near.sum()) / max(far @ stopped / far.sum(), 1e-12))}

    value = ratio(np.ones(honest.height))["ratio"]
    low, high = bootstrap(ratio, cluster, draws=DRAWS, seed=1)["ratio"]
    found: dict[str, Any] = {f"honest requests reviewed or blocked, {name}": share for name, share in shares.items()}
    return found | {"behind hubs against others (to reach <= 1.5)": f"{value:.2f} ({low:.2f} to {high:.2f})"}


def _gains(trial: pl.DataFrame) -> dict[str, Any]:
    """Average precision with links less that without, over everything and by archetype of abuse against all honest requests."""
    abuse = trial.filter(pl.col("abuse") == 1)
    honest = trial.filter(pl.col("abuse") == 0)
    parts = {"all abuse": trial} | {str(name): pl.concat([part, honest]) for (name,), part in abuse.sort("archetype").group_by(["archetype"])}
    found: dict[str, Any] = {}
    for name, part in sorted(parts.items()):
        outcome = part["abuse"].to_numpy().astype(np.float64)
        with_links, without = (ranked(outcome, part[column].to_numpy()) for column in ("probability", "probability_without_links"))
        cluster = part["cluster"].rank("dense").to_numpy().astype(np.int64) - 1

        def gain(weight: Any, orders: tuple[Any, Any] = (with_links, without)) -> Mapping[str, float]:  # noqa: ANN401  # arrays
            return {"gain": average_precision(orders[0], weight) - average_precision(orders[1], weight)}

        low, high = bootstrap(gain, cluster, draws=DRAWS, seed=1)["gain"]
        both = f"{average_precision(with_links):.3f} with, {average_precision(without):.3f} without"
        found[f"AP, {name} ({int(outcome.sum())})"] = f"{both}, gain {gain(None)['gain']:+.3f} ({low:+.3f} to {high:+.3f})"
    return found


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=300_000)
    parser.add_argument("--learn-orders", type=int, default=200_000)
    parser.add_argument("--markets", default=",".join(map(str, SEEDS)))
    parser.add_argument("--only", default="rings,listing,people")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    seeds = [int(seed) for seed in asked.markets.split(",")]
    parts = {
        "rings": lambda: rings(asked.orders, seeds),
        "listing": lambda: listing(asked.orders, seeds),
        "people": lambda: people(asked.learn_orders, seeds),
    }
    found: dict[str, Any] = {}
    for name in asked.only.split(","):
        begun = time.perf_counter()
        found[name] = parts[name]()
        print(f"{name} ({time.perf_counter() - begun:.0f} s)")
        for line, value in found[name].items():
            print(f"  {line}: {value:.3f}" if isinstance(value, float) else f"  {line}: {value}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
