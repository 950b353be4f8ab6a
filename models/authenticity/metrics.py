"""How well scores part generated from real pictures: AUC, recall at a bought share of false alarms, and intervals by bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number, its 95% bootstrap interval, and how many real and generated pictures it comes from."""

    value: float
    low: float
    high: float
    real: int
    generated: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.2f} {self.high:.2f}]"


def auc(generated: Bools, score: Doubles) -> float:
    """Chance that a generated picture scores above a real one, ties half; NaN when a class is absent."""
    many = int(generated.sum())
    few = generated.size - many
    if many == 0 or few == 0:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[generated].sum() - many * (many + 1) / 2) / (many * few))


def recall_at(generated: Bools, score: Doubles, false_alarms: float) -> float:
    """Share of generated pictures above the score that `false_alarms` of the real ones exceed; NaN when a class is absent."""
    if not generated.any() or generated.all():
        return float("nan")
    real = np.sort(score[~generated])[::-1]
    allowed = int(np.floor(false_alarms * real.size))
    return float((score[generated] > real[allowed]).mean())


def with_interval(measure: Callable[[Bools, Doubles], float], generated: Bools, score: Doubles, *, draws: int = 1000, seed: int = 7) -> Figure:
    """The measure and its interval; each class is drawn again by itself."""
    rng = np.random.default_rng(seed)
    fakes, reals = np.flatnonzero(generated), np.flatnonzero(~generated)
    drawn = []
    for _ in range(draws if fakes.size and reals.size else 0):
        pick = np.concatenate([rng.choice(fakes, fakes.size), rng.choice(reals, reals.size)])
        drawn.append(measure(generated[pick], score[pick]))
    tail = (1 - LEVEL) / 2
    low, high = (float(q) for q in np.quantile(drawn, (tail, 1 - tail))) if drawn else (float("nan"), float("nan"))
    return Figure(measure(generated, score), low, high, reals.size, fakes.size)


def upper_bound(alarms: int, pictures: int) -> float:
    """The share of false alarms that is still plausible (95%, one-sided, Clopper and Pearson) after `alarms` of `pictures`."""
    from scipy.stats import beta

    if pictures == 0 or alarms >= pictures:
        return 1.0
    return float(beta.ppf(LEVEL, alarms + 1, pictures - alarms))
