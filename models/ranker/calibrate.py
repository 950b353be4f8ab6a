"""From a raw log-odds to a probability that can be believed: a table of points, read with straight lines between them.

Two ways, and held-out log loss picks one. *Centred isotonic* (Oron and Flournoy 2017): pool adjacent violators, then a point at the middle of each
block, so that the map rises strictly and no two scores become one. *Platt*: a logistic line through the log-odds, the only choice with few labels.
Beyond the last points the line runs to 0 and 1 at +-END log-odds: the order of scores is kept everywhere.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from models.ranker.dataset import Floats

END = 40.0
"""Log-odds at which the map reaches 0 and 1; no sum of trees gets there."""

FEW = 100
"""Held-out requests of the rarer class under which isotonic regression is not tried."""

RISE = 1e-9
"""Least step between two points: blocks whose levels differ by rounding alone are one level, and a line between them would be flat."""

PARTS = 5
"""Parts that take turns when the two ways are compared."""

Way: TypeAlias = Literal["isotonic", "platt"]


@dataclass(frozen=True)
class Calibration:
    """Points of the map: `raw` and `probability` both rise strictly."""

    way: Way
    raw: tuple[float, ...]
    probability: tuple[float, ...]

    def __call__(self, raw: Floats) -> Floats:
        """Probabilities of raw log-odds."""
        return np.asarray(np.interp(raw, *self._points), dtype=np.float64)

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        return np.array(self.raw), np.array(self.probability)


def calibrate(raw: Floats, abuse: Floats, weight: Floats) -> Calibration:
    """The map learnt from held-out requests, by the way that did better on parts of them that it had not seen."""
    if min(abuse.sum(), len(abuse) - abuse.sum()) < FEW:
        return platt(raw, abuse, weight)
    part = np.arange(len(raw)) % PARTS
    losses = dict.fromkeys((isotonic, platt), 0.0)
    for number in range(PARTS):
        fit, held = part != number, part == number
        for way in losses:
            probability = np.clip(way(raw[fit], abuse[fit], weight[fit])(raw[held]), 1e-9, 1.0 - 1e-9)
            losses[way] -= float(np.sum(weight[held] * (abuse[held] * np.log(probability) + (1.0 - abuse[held]) * np.log1p(-probability))))
    return min(losses, key=losses.__getitem__)(raw, abuse, weight)


def isotonic(raw: Floats, abuse: Floats, weight: Floats) -> Calibration:
    """Centred isotonic regression; each block carries one more request of the overall rate, so that none claims to be certain."""
    from sklearn.isotonic import IsotonicRegression  # a second that only who fits pays, not who serves

    level = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(raw, abuse, sample_weight=weight)
    _, block = np.unique(level, return_inverse=True)
    mass = np.bincount(block, weight)
    rate = float(np.average(abuse, weights=weight))
    centre = np.bincount(block, weight * raw) / mass
    share = (np.bincount(block, weight * abuse) + rate) / (mass + 1.0)
    return _strict("isotonic", centre, share)


def platt(raw: Floats, abuse: Floats, weight: Floats) -> Calibration:
    """A logistic line `a * raw + b` by weighted log loss with Platt's softened targets; `a` is kept positive."""
    from scipy.optimize import minimize

    positive, negative = float(np.sum(weight * abuse)), float(np.sum(weight * (1.0 - abuse)))
    target = np.where(abuse == 1.0, (positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0))

    def loss(line: Floats) -> float:
        odds = np.exp(line[0]) * raw + line[1]
        return float(np.sum(weight * (np.logaddexp(0.0, odds) - target * odds)) / np.sum(weight))

    log_slope, shift = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10, "maxiter": 2_000}).x
    odds = np.linspace(-12.0, 12.0, 241)
    return _strict("platt", (odds - shift) / np.exp(log_slope), 1.0 / (1.0 + np.exp(-odds)))


def _strict(way: Way, raw: Floats, probability: Floats) -> Calibration:
    """Points with ends at +-END; those that do not rise above their neighbour are left out."""
    raws, levels = [-END], [0.0]
    for at, level in zip(raw, probability, strict=True):
        if raws[-1] < at < END and levels[-1] + RISE <= level <= 1.0 - RISE:
            raws.append(float(at))
            levels.append(float(level))
    return Calibration(way, (*raws, END), (*levels, 1.0))
