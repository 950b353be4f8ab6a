"""A linear head: numbers of one view to log-odds of "generated", fitted by ridge-penalised logistic regression.

With two thousand pictures and twelve thousand numbers a line is what the data can carry; every curved head tried was no better (README).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

CLIP = 5.0  # spreads; a number farther out than this says that it is strange, not how generated it is
FLOOR = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Standardise, cut off at CLIP spreads, weigh, add up."""

    mean: Floats
    spread: Floats
    weight: Floats
    bias: float

    def __call__(self, rows: Floats) -> Doubles:
        """Log-odds of each row."""
        scaled = np.clip((rows - self.mean) / self.spread, -CLIP, CLIP)
        return np.asarray(scaled @ self.weight + self.bias, np.float64)

    def contributions(self, rows: Floats) -> Floats:
        """What each number adds to the log-odds of its row."""
        return np.asarray(np.clip((rows - self.mean) / self.spread, -CLIP, CLIP) * self.weight, np.float32)


def fit(rows: Floats, generated: Doubles, weights: Doubles, ridge: float) -> Head:
    """The head that minimises weighted mean log-loss + ridge/2 times the squared length of its weights, per number of columns.

    rows: one a picture and view. generated: 1 or 0. weights: any positive scale. The answer is unique: the problem is convex.
    """
    share = weights / weights.sum()
    mean = (share @ rows).astype(np.float32)
    spread = np.sqrt(share @ (rows - mean) ** 2).astype(np.float32) + np.float32(FLOOR)
    scale = np.float32(1 / np.sqrt(rows.shape[1]))
    scaled = np.clip((rows - mean) / spread, -CLIP, CLIP) * scale

    def loss(theta: Doubles) -> tuple[float, Doubles]:
        slope = theta[:-1].astype(np.float32)
        raw = np.asarray(scaled @ slope, np.float64) + theta[-1]
        value = share @ (np.logaddexp(0, raw) - generated * raw) + ridge / 2 * (theta[:-1] @ theta[:-1])
        push = share * (expit(raw) - generated)
        grown = np.asarray(push.astype(np.float32) @ scaled, np.float64) + ridge * theta[:-1]
        return float(value), np.append(grown, push.sum())

    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 400, "ftol": 1e-9, "gtol": 1e-6})
    return Head(mean, spread, (found.x[:-1] * scale).astype(np.float32), float(found.x[-1]))
