"""Is a picture like anything the heads were fitted on? A distance in the features' own main directions, and what is left outside them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

FLOOR = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """Mean and spread of each number, the main directions (one a column), their spread, the spread of the rest, and the limit."""

    mean: Floats
    spread: Floats
    directions: Floats
    lengths: Floats
    rest: float
    far_from: float

    def distance(self, rows: Floats) -> Doubles:
        """How unlike the training pictures each row is; about 1 for a common one."""
        scaled = (rows - self.mean) / self.spread
        along = scaled @ self.directions
        outside = np.maximum(0.0, (scaled**2).sum(axis=1) - (along**2).sum(axis=1))
        inside = ((along / self.lengths) ** 2).mean(axis=1)
        return np.asarray(np.sqrt((inside + outside / self.rest) / 2), np.float64)

    def is_far(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """Farther out than nearly all training pictures: no verdict should rest on it."""
        return np.asarray(self.distance(rows) > self.far_from)


def fit_gate(rows: Floats, *, directions: int, share_far: float) -> Gate:
    """The gate that calls `share_far` of its own training rows far."""
    from sklearn.utils.extmath import randomized_svd  # 140 MB that a service which only judges does without

    mean = rows.mean(axis=0)
    spread = rows.std(axis=0) + np.float32(FLOOR)
    scaled = (rows - mean) / spread
    _, sizes, vectors = randomized_svd(scaled, directions, random_state=0)
    basis = np.ascontiguousarray(vectors.T, np.float32)
    lengths = (sizes / np.sqrt(rows.shape[0])).astype(np.float32)
    rest = float(np.mean((scaled**2).sum(axis=1) - ((scaled @ basis) ** 2).sum(axis=1))) + FLOOR
    open_gate = Gate(mean, spread, basis, lengths, rest, float("inf"))
    limit = float(np.quantile(open_gate.distance(rows), 1 - share_far))
    return Gate(mean, spread, basis, lengths, rest, limit)
