"""What a ranker is worth on requests that it never saw: ranking, calibration, what happens to honest buyers, and money, each with an interval.

It reads a *trial*: one row a request, decided by a model that knew nothing from then on. Columns:
  request_id, as_of, cluster (who is drawn together by the bootstrap: the account), abuse (1, 0, or null: nobody knows), probability, action,
  cost, cost_approve_all, cost_rules (minor units, what each action cost given the outcome; null: amount or outcome not known), rules_score,
  rules_action, and optionally unseen (no request of its ring was learnt from), archetype (simulated data), and for each family F left out:
  probability_without_F, action_without_F, cost_without_F.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from data_contracts.decision import Action
from data_contracts.score import Family
from models.ranker.dataset import Floats
from models.ranker.metrics import (
    Ranked,
    average_precision,
    bins_of,
    bootstrap,
    calibration_error,
    curve,
    ranked,
    recall_at,
    reliability,
    roc_auc,
)

FAMILIES: tuple[Family, ...] = ("image", "behaviour", "mismatch", "links")
"""The families of evidence that a report leaves out one by one; `context` excuses, it is no evidence."""

SHARES = (0.01, 0.05, 0.10)
"""Shares of all requests that a team might review."""

TOP_SHARES = (0.05, 0.10)
"""Shares of all requests in which an archetype is looked for."""

WITHOUT = "_without_"

DRAWS = 300

CURVE_POINTS = 400
"""Points of the precision-recall curve that a report draws, at most."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`figures` is the JSON of the commands: {"value", "ci"} leaves by name. The rest is for tables and pictures."""

    figures: dict[str, object]
    reliability: list[dict[str, float]]
    curves: dict[str, tuple[Floats, Floats]]
    archetypes: list[dict[str, float | str]]


@dataclass(frozen=True, slots=True)
class Columns:
    """A trial as arrays, sorted once, so that one bootstrap draw is a few cumulative sums."""

    abuse: Floats  # of the requests whose outcome is known
    known: np.ndarray[tuple[int], np.dtype[np.bool_]]
    probability: Floats
    bins: np.ndarray[tuple[int], np.dtype[np.int64]]
    orders: Mapping[str, Ranked]
    actions: Mapping[str, np.ndarray[tuple[int], np.dtype[np.str_]]]
    costs: Mapping[str, Floats]

    @classmethod
    def of(cls, trial: pl.DataFrame) -> "Columns":
        """Read a trial; whose names end in `_without_F` is a model that lacks a family."""
        known = trial["abuse"].is_not_null().to_numpy()
        abuse = trial["abuse"].drop_nulls().to_numpy().astype(np.float64)
        suffixes = ["", *(name.removeprefix("probability") for name in trial.columns if name.startswith(f"probability{WITHOUT}"))]
        orders = {suffix: ranked(abuse, trial[f"probability{suffix}"].to_numpy()[known]) for suffix in suffixes}
        orders["rules"] = ranked(abuse, trial["rules_score"].to_numpy().astype(np.float64)[known])
        actions = {suffix: trial[f"action{suffix}"].to_numpy().astype(str) for suffix in suffixes} | {
            "rules": trial["rules_action"].to_numpy().astype(str)
        }
        costs = {name: trial[name].cast(pl.Float64).fill_null(0.0).to_numpy() for name in trial.columns if name.startswith("cost")}
        probability = trial["probability"].to_numpy()[known]
        return cls(abuse, known, probability, bins_of(probability), orders, actions, costs)

    def ranking(self, which: str, weight: Floats) -> dict[str, float]:
        """AUC, AP and recalls of one of the rankings."""
        order, mass = self.orders[which], weight[self.known]
        found = {"auc": roc_auc(order, mass), "ap": average_precision(order, mass)}
        return found | {f"recall_at.{share:.2f}": recall_at(order, share, mass) for share in SHARES}

    def handling(self, which: str, weight: Floats) -> dict[str, float]:
        """What happens to honest buyers and to the team under one of the decisions; shares, NaN without an honest request."""
        honest = weight[self.known] * (1.0 - self.abuse)
        action = self.actions[which]
        held = action[self.known]
        total = honest.sum() or np.nan
        return {
            "honest_blocked": float(honest[held == Action.BLOCK].sum() / total),
            "honest_approved": float(honest[held == Action.APPROVE].sum() / total),
            "review_share": float(weight[action == Action.REVIEW].sum() / (weight.sum() or np.nan)),
        }

    def saved(self, against: str, weight: Floats) -> float:
        """Minor units that these decisions cost less than others on the same requests."""
        return float(np.sum(weight * (self.costs[against] - self.costs["cost"])))

    def figures(self, weight: Floats) -> dict[str, float]:
        """Every figure by its dotted name, when each request counts `weight` times."""
        found = self.ranking("", weight) | self.handling("", weight)
        found["ece"] = calibration_error(self.abuse, self.probability, self.bins, weight[self.known])
        found["money.cost"] = float(np.sum(weight * self.costs["cost"]))
        found["money.saved_against_approve_all"] = self.saved("cost_approve_all", weight)
        found["money.saved_against_rules"] = self.saved("cost_rules", weight)
        found |= {f"rules.{name}": value for name, value in (self.ranking("rules", weight) | self.handling("rules", weight)).items()}
        for suffix in self.orders:
            if suffix.startswith(WITHOUT):
                family = suffix.removeprefix(WITHOUT)
                saved = self.saved(f"cost{suffix}", weight)
                lesser = self.ranking(suffix, weight)
                found[f"money.saved_against_without.{family}"] = saved
                found[f"ablation.{family}.auc"] = lesser["auc"]
                found[f"ablation.{family}.ap"] = lesser["ap"]
                found[f"ablation.{family}.ap_lost"] = found["ap"] - lesser["ap"]
                found[f"ablation.{family}.saved"] = saved
        return found


def evaluate(trial: pl.DataFrame, *, seed: int = 1, draws: int = DRAWS) -> Evaluation:
    """Every figure of a trial, with percentile intervals from drawing whole clusters."""
    columns = Columns.of(trial)
    cluster = trial["cluster"].rank("dense").to_numpy().astype(np.int64) - 1
    point = columns.figures(np.ones(trial.height))
    intervals = bootstrap(columns.figures, cluster, draws=draws, seed=seed)
    figures = _nested({name: {"value": _plain(value), "ci": [_plain(end) for end in intervals[name]]} for name, value in point.items()})
    figures.setdefault("ablation", {})
    if "unseen" in trial.columns:
        figures["unseen_rings"] = _unseen(trial, seed, draws)
    curves = {name or "model": _thinned(*curve(columns.orders[name])) for name in ("", "rules")}
    return Evaluation(figures, reliability(columns.abuse, columns.probability), curves, by_archetype(trial))


def by_archetype(trial: pl.DataFrame) -> list[dict[str, float | str]]:
    """For simulated data: by archetype how many requests, what was done, the recall at 5% and 10% review, and the AP against all honest requests."""
    if "archetype" not in trial.columns:
        return []
    known = trial.filter(pl.col("abuse").is_not_null())
    scores = known["probability"].to_numpy()
    cuts = {share: float(np.quantile(scores, 1.0 - share, method="higher")) for share in TOP_SHARES}
    honest = known.filter(pl.col("abuse") == 0)
    rows: list[dict[str, float | str]] = []
    for (name,), part in known.sort("archetype").group_by("archetype", maintain_order=True):
        row: dict[str, float | str] = {"archetype": str(name), "requests": part.height, "abuse": float(part["abuse"].sum())}
        row |= {f"share_{action}": float(np.mean(part["action"].to_numpy() == action.value)) for action in Action}
        row |= {f"in_top_{share:.2f}": float(np.mean(part["probability"].to_numpy() >= cut)) for share, cut in cuts.items()}
        if part["abuse"].to_numpy().all():
            mixed = pl.concat([part, honest])
            row["ap"] = average_precision(ranked(mixed["abuse"].to_numpy().astype(np.float64), mixed["probability"].to_numpy()))
        rows.append(row)
    return rows


def _unseen(trial: pl.DataFrame, seed: int, draws: int) -> dict[str, object]:
    """Ranking on the requests of rings that no learnt-from request belongs to: whole rings on one side of the split."""
    part = trial.filter(pl.col("unseen") & pl.col("abuse").is_not_null())
    order = ranked(part["abuse"].to_numpy().astype(np.float64), part["probability"].to_numpy())

    def figures(weight: Floats) -> dict[str, float]:
        return {"auc": roc_auc(order, weight), "ap": average_precision(order, weight)}

    cluster = part["cluster"].rank("dense").to_numpy().astype(np.int64) - 1
    intervals = bootstrap(figures, cluster, draws=draws, seed=seed)
    point = figures(np.ones(part.height))
    nothing = (float("nan"), float("nan"))
    leaves = {name: {"value": _plain(value), "ci": [_plain(end) for end in intervals.get(name, nothing)]} for name, value in point.items()}
    return {"requests": part.height, "abuse": int(part["abuse"].sum()), **leaves}


def _nested(flat: Mapping[str, object]) -> dict[str, object]:
    """`a.b: x` becomes `a: {b: x}`; the shares of `recall_at` keep their point."""
    nested: dict[str, object] = {}
    for name, leaf in flat.items():
        head, _, last = name.partition(".0.") if ".0." in name else name.rpartition(".")
        place: dict[str, object] = nested
        for step in filter(None, head.split(".")):
            place = place.setdefault(step, {})  # type: ignore[assignment]  # inner nodes are dicts by construction
        place[f"0.{last}" if ".0." in name else last] = leaf
    return nested


def _plain(value: float) -> float | None:
    """A number for JSON: null where there is none."""
    return float(value) if np.isfinite(value) else None


def _thinned(across: Floats, up: Floats) -> tuple[Floats, Floats]:
    """At most CURVE_POINTS of a curve, the ends among them."""
    keep = np.unique(np.linspace(0, len(across) - 1, min(CURVE_POINTS, len(across))).astype(np.int64))
    return across[keep], up[keep]
