"""What pictures are worth to the ranker: average precision with and without the image family, in all and against each way to abuse.

    python -m benchmarks.image_gain [--orders 200000] [--seed 2] [--json]

The market's image scores are those that were measured on held-out pictures (`risk/simulator/image_scores.json`, which names the models). Both models
are trained at the same moment with the same settings on the first three quarters of a year and judged on the rest by the simulator's truth; intervals
draw whole accounts. An archetype's figure ranks its requests among all honest ones. The figure is reported as it is.
"""

import argparse
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from models.ranker.dataset import Floats
from models.ranker.evaluate import WITHOUT
from models.ranker.metrics import Ranked, average_precision, bootstrap, ranked
from models.ranker.train import train
from risk.jobs.build_features import features_of
from risk.jobs.learning_set import LearningSet, learning_set
from risk.jobs.trial import Period, judge, without_families
from risk.policy import load as load_policy
from risk.simulator.images import SCORES
from risk.simulator.simulate import simulate

END = datetime(2026, 11, 1, tzinfo=UTC)
DRAWS = 300
ALL = "all abuse"


def main() -> None:
    """Simulate, train twice, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = gain(arguments.orders, arguments.seed)
    if arguments.json:
        print(json.dumps(found))
    else:
        show(found)


def gain(orders: int, seed: int) -> dict[str, Any]:
    """AP with, without, and their difference, with intervals, for all abuse and for each archetype."""
    tables = simulate(orders, 365, seed, END)
    learning = learning_set(tables, features_of(tables))
    trial = tried(learning)
    cluster = trial["cluster"].rank("dense").to_numpy().astype(np.int64) - 1
    parts = parts_of(trial)

    def figures(weight: Floats) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, (rows, with_images, without) in parts.items():
            mass = weight[rows]
            more, less = average_precision(with_images, mass), average_precision(without, mass)
            found |= {f"{name}|with": more, f"{name}|without": less, f"{name}|gain": more - less}
        return found

    point = figures(np.ones(trial.height))
    intervals = bootstrap(figures, cluster, draws=DRAWS, seed=1)
    rows = {
        name: {
            "requests": len(part[0]),
            "abuse": int(part[1].abuse.sum()),
            **{key: {"value": point[f"{name}|{key}"], "ci": list(intervals[f"{name}|{key}"])} for key in ("with", "without", "gain")},
        }
        for name, part in parts.items()
    }
    card = json.loads(SCORES.read_text(encoding="utf-8"))["card"]
    return {"orders": orders, "seed": seed, "judged": trial.height, "scores": card, "rows": rows}


def tried(learning: LearningSet) -> pl.DataFrame:
    """Requests of the last quarter with the probabilities of both models, those whose truth is known."""
    artifact = train(learning.frame, learning.labels, learning.moment(0.75))
    period = Period(learning.moment(0.75), learning.moment(1.0))
    policy = load_policy(None)
    both = judge(learning, artifact, period, policy).join(
        without_families(learning, artifact, period, policy, ("image",)), on="request_id", how="left"
    )
    return both.filter(pl.col("abuse").is_not_null())


def parts_of(trial: pl.DataFrame) -> dict[str, tuple[np.ndarray[Any, Any], Ranked, Ranked]]:
    """For all abuse and each archetype: the rows that are ranked (its own and all honest ones), and both rankings."""
    abuse = trial["abuse"].to_numpy() == 1
    archetype = trial["archetype"].to_numpy()
    chosen = {ALL: np.ones(trial.height, dtype=np.bool_)}
    chosen |= {str(name): ~abuse | (archetype == name) for name in sorted(set(archetype[abuse]))}
    found = {}
    for name, mask in chosen.items():
        rows = np.flatnonzero(mask)
        truth = abuse[rows].astype(np.float64)
        rankings = [ranked(truth, trial[f"probability{suffix}"].to_numpy()[rows]) for suffix in ("", f"{WITHOUT}image")]
        found[name] = (rows, rankings[0], rankings[1])
    return found


def show(found: dict[str, Any]) -> None:
    """One table."""
    print(
        f"\n{found['orders']:,} orders, seed {found['seed']}: {found['judged']:,} requests judged; scores of {found['scores']['generated']['model']}"
    )
    print(f"  {'':<26}{'with images':>24}{'without':>24}{'gain':>26}")
    for name, row in found["rows"].items():
        cells = [f"{row[key]['value']:.3f} ({row[key]['ci'][0]:.3f} to {row[key]['ci'][1]:.3f})" for key in ("with", "without", "gain")]
        print(f"  {name:<26}{cells[0]:>24}{cells[1]:>24}{cells[2]:>26}")


if __name__ == "__main__":
    main()
