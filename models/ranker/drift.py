"""How far scores have moved from those that a model gave when it was trained: the population stability index over tenths of them.

The index is sum((now - then) * ln(now / then)) over the parts. By chance alone it is about (parts - 1) / n for n scores; the usual reading is
that below 0.1 nothing moved, and above 0.25 the model sees something else than it learnt from. It says that scores moved, not why or whether wrongly.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ranker.dataset import Floats

PARTS = 10
HALF = 0.5
"""What is added to every count, so that an empty part is rare and not impossible."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Where scores lay: the edges between parts, rising, and the share of scores in each (one more than edges); `rows`: of how many scores."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    rows: int

    def part(self, score: float) -> int:
        """In which part a score lies."""
        return bisect_left(self.edges, score)

    def stability(self, counts: Sequence[int]) -> float:
        """The index of scores that were counted by part; 0 when they lie as they did."""
        now = [(count + HALF) / (sum(counts) + HALF * len(counts)) for count in counts]
        then = [(share * self.rows + HALF) / (self.rows + HALF * len(counts)) for share in self.shares]
        return sum((here - there) * math.log(here / there) for here, there in zip(now, then, strict=True))


def spread_of(scores: Floats) -> Spread:
    """Tenths of these scores; equal scores stay in one part, so there may be fewer."""
    edges = np.unique(np.quantile(scores, np.arange(1, PARTS) / PARTS, method="lower"))
    counts = np.bincount(np.searchsorted(edges, scores, side="left"), minlength=len(edges) + 1)
    return Spread(tuple(map(float, edges)), tuple(map(float, counts / len(scores))), len(scores))
