"""How good a ranking and its probabilities are, written so that a bootstrap costs one pass: every figure takes a weight a request.

Requests with the same score are one step: no figure depends on the order in which ties happen to stand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.ranker.dataset import Floats

BINS = 15
"""Bins of the reliability curve and of the ECE, with the same number of requests in each."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Outcomes from the highest score down; `ends` are the places where a run of equal scores ends."""

    order: Ints
    abuse: Floats
    ends: Ints


def ranked(abuse: Floats, score: Floats) -> Ranked:
    """Sort once; `abuse` is 1 or 0, a larger score is more suspicious."""
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))  # the last place always ends a run
    return Ranked(order, np.asarray(abuse, dtype=np.float64)[order], ends)


def _steps(order: Ranked, weight: Floats | None) -> tuple[Floats, Floats]:
    """Abuse and all requests at or above each distinct score, by weight."""
    mass = np.ones(len(order.abuse)) if weight is None else weight[order.order]
    return np.cumsum(mass * order.abuse)[order.ends], np.cumsum(mass)[order.ends]


def roc_auc(order: Ranked, weight: Floats | None = None) -> float:
    """Chance that an abusive request scores above an honest one (ties count half); NaN without one of each."""
    caught, seen = _steps(order, weight)
    honest = seen - caught
    if not len(seen) or caught[-1] <= 0 or honest[-1] <= 0:
        return float("nan")
    before = np.concatenate(([0.0], caught[:-1]))
    steps = np.diff(np.concatenate(([0.0], honest)))
    return float(np.sum(steps * (caught + before)) / (2.0 * caught[-1] * honest[-1]))


def average_precision(order: Ranked, weight: Floats | None = None) -> float:
    """Precision averaged over the recall it is reached at; a random order gives the share of abuse. NaN without abuse."""
    caught, seen = _steps(order, weight)
    if not len(seen) or caught[-1] <= 0:
        return float("nan")
    gained = np.diff(np.concatenate(([0.0], caught)))
    with np.errstate(invalid="ignore"):
        return float(np.nansum(gained * caught / seen) / caught[-1])


def recall_at(order: Ranked, share: float, weight: Floats | None = None) -> float:
    """Share of all abuse among the highest-scored `share` of requests; a tie at the edge counts in part. NaN without abuse."""
    caught, seen = _steps(order, weight)
    if not len(seen) or caught[-1] <= 0:
        return float("nan")
    return float(np.interp(share * seen[-1], np.concatenate(([0.0], seen)), np.concatenate(([0.0], caught))) / caught[-1])


def curve(order: Ranked) -> tuple[Floats, Floats]:
    """Recall and precision at each distinct score, from the highest down."""
    caught, seen = _steps(order, None)
    return caught / max(caught[-1], 1.0), caught / seen


def bins_of(probability: Floats) -> Ints:
    """The bin of each request: BINS bins with as near as can be the same number of requests; equal probabilities share a bin."""
    edges = np.unique(np.quantile(probability, np.linspace(0.0, 1.0, BINS + 1)[1:-1])) if len(probability) else np.empty(0)
    return np.searchsorted(edges, probability, side="left").astype(np.int64)


def calibration_error(abuse: Floats, probability: Floats, bins: Ints, weight: Floats | None = None) -> float:
    """Expected calibration error: the gap between what was said and what happened, averaged over the bins by their size; 0 is perfect."""
    mass = np.ones(len(abuse)) if weight is None else weight
    if mass.sum() <= 0:
        return float("nan")
    return float(np.sum(np.abs(np.bincount(bins, mass * (abuse - probability)))) / mass.sum())


def reliability(abuse: Floats, probability: Floats) -> list[dict[str, float]]:
    """The curve behind the ECE: by bin how many requests, what was said on average and what share was abuse."""
    bins = bins_of(probability)
    count = np.bincount(bins).astype(np.float64)
    said, happened = np.bincount(bins, probability), np.bincount(bins, abuse)
    return [{"requests": float(n), "said": float(s / n), "happened": float(h / n)} for n, s, h in zip(count, said, happened, strict=True) if n > 0]


def bootstrap(
    figures: Callable[[Floats], Mapping[str, float]],
    cluster: Ints,
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of every figure when whole clusters (accounts) are drawn with replacement.

    `figures` takes a weight a request. A draw in which a figure has no value is left out of that figure's interval.
    """
    rng = np.random.default_rng(seed)
    clusters = int(cluster.max()) + 1 if len(cluster) else 0
    drawn: dict[str, list[float]] = {}
    for _ in range(draws if clusters else 0):
        times = np.bincount(rng.integers(0, clusters, clusters), minlength=clusters).astype(np.float64)
        for name, value in figures(times[cluster]).items():
            drawn.setdefault(name, []).append(value)
    tail = 50.0 * (1.0 - level)
    return {name: _interval(np.asarray(values), tail) for name, values in drawn.items()}


def _interval(values: Floats, tail: float) -> tuple[float, float]:
    """The middle part of the values that are numbers; NaN when none is."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (tail, 100.0 - tail))
    return float(low), float(high)
