"""Fits the weights of the rings' score on simulated markets that no figure is told of, and prints them.

    python -m benchmarks.ring_score [--markets 11,12] [--orders 300000]

About five minutes. A group counts as a ring when two of its people or more are of one true ring and make up at least half of it. The weights are
judged with each market left out in turn.
"""

import argparse
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.graph_quality import DAYS, END
from benchmarks.ring_truth import claimants, of_one_ring, shared_only
from graph.judgements import InForce
from graph.lineage import name_groups
from graph.ring_score import signs
from graph.rings import groups_of
from risk.simulator.simulate import simulate

EVERY = timedelta(days=2)
HELD = 0.3
"""How loosely the weights are held to zero, as scikit-learn counts (`C`)."""


def examples(seed: int, orders: int) -> pl.DataFrame:
    """One row a group and build: its signs, `market`, `name` and whether it is a true `ring`."""
    tables = simulate(orders, DAYS, seed, END)
    ring_of = dict(claimants(tables).drop_nulls("ring_id").select("buyer", "ring_id").iter_rows())
    known = shared_only(tables)
    earlier: dict[str, Sequence[str]] = {}
    rows = []
    moment = END - timedelta(days=DAYS)
    while moment < END:
        moment += EVERY
        found = groups_of(known, moment, InForce())
        names = name_groups([each.members for each in found], earlier, moment).ring_ids
        earlier |= {name: each.members for name, each in zip(names, found, strict=True)}
        about = zip(names, found, strict=True)
        rows += [{"market": seed, "name": name, "ring": bool(of_one_ring(each.members, ring_of)), **signs(each)} for name, each in about]
    return pl.DataFrame(rows)


def fitted(found: pl.DataFrame, names: Sequence[str]) -> dict[str, float]:
    """The weight of each sign, `always` first."""
    weight = found.select(1.0 / pl.len().over("market", "name").sqrt()).to_series().to_numpy()
    line = make_pipeline(StandardScaler(), LogisticRegression(C=HELD, max_iter=600))
    line.fit(found.select(names).to_numpy(), found["ring"].to_numpy(), logisticregression__sample_weight=weight)
    slope = line[1].coef_[0] / line[0].scale_
    return {"always": float(line[1].intercept_[0] - slope @ line[0].mean_), **dict(zip(names, map(float, slope), strict=True))}


def odds(found: pl.DataFrame, weights: dict[str, float]) -> npt.NDArray[np.float64]:
    """The log-odds of every row."""
    return np.asarray(found.select(list(weights)).to_numpy() @ np.array(list(weights.values())))


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", default="11,12")
    parser.add_argument("--orders", type=int, default=300_000)
    asked = parser.parse_args()
    found = pl.concat([examples(int(seed), asked.orders) for seed in asked.markets.split(",")])
    names = [name for name in found.columns if name not in ("market", "name", "ring", "always")]
    for (seed,), part in found.sort("market").group_by(["market"], maintain_order=True):
        precision = average_precision_score(part["ring"], odds(part, fitted(found.filter(pl.col("market") != seed), names)))
        print(f"market {seed}, left out: average precision {precision:.3f} over {part.height} groups, {part['ring'].mean():.2f} of them rings")
    print({name: round(weight, 2) for name, weight in fitted(found, names).items()})


if __name__ == "__main__":
    main()
