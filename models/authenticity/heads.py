"""A linear head: numbers of one view to log-odds of "generated", fitted by ridge-penalised logistic regression.

With two thousand pictures and twelve thousand numbers a line is what the data can carry; every curved head tried was no better (README).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The main directions of many rows: fitting in them costs a fifteenth and is as good (README)."""

    mean: Floats
    spread: Floats
    directions: Floats

    def __call__(self, rows: Floats) -> Floats:
        """Each row along the directions."""
        scaled = np.clip((rows - self.mean) / self.spread, -CLIP, CLIP)
        return np.asarray(scaled @ self.directions, np.float32)

    def lifted(self, head: Head) -> Head:
        """A head fitted along the directions as one on whole rows; `head` must not standardise."""
        return Head(self.mean, self.spread, np.asarray(self.directions @ head.weight, np.float32), head.bias)


def fit_basis(rows: Floats, most: int) -> Basis:
    """At most `most` directions, those in which the standardised rows differ most, a step along them as long as in the rows by column count."""
    from sklearn.utils.extmath import randomized_svd  # a second that only who fits pays, not who serves

    mean, spread = rows.mean(axis=0), rows.std(axis=0) + np.float32(FLOOR)
    scaled = np.clip((rows - mean) / spread, -CLIP, CLIP)
    vectors = randomized_svd(scaled, min(most, *rows.shape), random_state=0, n_iter=2)[2]
    return Basis(mean, spread, np.ascontiguousarray(vectors.T / np.sqrt(rows.shape[1]), np.float32))


def fit(rows: Floats, generated: Doubles, weights: Doubles, ridge: float) -> Head:
    """The head that minimises weighted mean log-loss + ridge/2 times the squared length of its weights, per number of columns.

    rows: one a picture and view. generated: 1 or 0. weights: any positive scale. The answer is unique: the problem is convex.
    """
    share = weights / weights.sum()
    mean = (share @ rows).astype(np.float32)
    spread = np.sqrt(share @ (rows - mean) ** 2).astype(np.float32) + np.float32(FLOOR)
    scale = np.float32(1 / np.sqrt(rows.shape[1]))
    slope, bias = _minimised(np.clip((rows - mean) / spread, -CLIP, CLIP) * scale, generated, share, ridge)
    return Head(mean, spread, slope * scale, bias)


def fit_along(rows: Floats, generated: Doubles, weights: Doubles, ridge: float) -> Head:
    """As `fit`, for rows that a Basis gave: nothing is standardised again."""
    slope, bias = _minimised(rows, generated, weights / weights.sum(), ridge)
    columns = rows.shape[1]
    return Head(np.zeros(columns, np.float32), np.ones(columns, np.float32), slope, bias)


def _minimised(scaled: Floats, generated: Doubles, share: Doubles, ridge: float) -> tuple[Floats, float]:
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(theta: Doubles) -> tuple[float, Doubles]:
        slope = theta[:-1].astype(np.float32)
        raw = np.asarray(scaled @ slope, np.float64) + theta[-1]
        value = share @ (np.logaddexp(0, raw) - generated * raw) + ridge / 2 * (theta[:-1] @ theta[:-1])
        push = share * (expit(raw) - generated)
        grown = np.asarray(push.astype(np.float32) @ scaled, np.float64) + ridge * theta[:-1]
        return float(value), np.append(grown, push.sum())

    found = minimize(loss, np.zeros(scaled.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 400, "ftol": 1e-9, "gtol": 1e-6})
    return found.x[:-1].astype(np.float32), float(found.x[-1])
