"""Scores of many pictures as one table: quantiles, the share without a score, the share between the limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of pictures of one kind, NaN where the signal had no answer; `weight` makes sources count by the root of their size."""

    values: Floats
    weight: Floats
    unsure: float | None = None

    def table(self) -> dict[str, Any]:
        """Quantiles at SHARES, the share without an answer, the share between the limits, and how many pictures."""
        there = np.isfinite(self.values)
        total = self.weight.sum()
        found = weighted_quantiles(self.values[there], self.weight[there], SHARES) if there.any() else np.zeros(len(SHARES))
        return {
            "pictures": len(self.values),
            "null": round(float(self.weight[~there].sum() / total), 4),
            "unsure": None if self.unsure is None else round(self.unsure, 4),
            "scores": [round(float(value), 4) for value in found],
        }


def weighted_quantiles(values: Floats, weight: Floats, shares: Iterable[float]) -> Floats:
    """The values below which those shares of the weight lie; the ends are the smallest and the largest."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weight[order]) - weight[order] / 2
    return np.asarray(np.interp(np.asarray(tuple(shares)) * weight.sum(), mass, values[order]))


def rooted(sources: Sequence[str]) -> Floats:
    """A weight for each picture: a source counts by the root of its size."""
    names, place, counts = np.unique(np.asarray(sources), return_inverse=True, return_counts=True)
    assert len(names)  # noqa: S101  # there are pictures
    return np.asarray(counts[place].astype(np.float64) ** -0.5)
