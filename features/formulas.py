"""The last step of every feature, shared by both executors: whole numbers to floats, features to derived features, several entities to one value."""

import math

import numpy as np
import numpy.typing as npt

from features.declare import Derived, Measure, Windowed

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def quotient(top: Ints, bottom: Ints, at_least: Ints | int) -> Floats:
    """Top / bottom, NaN where bottom is below `at_least` (which is at least 1)."""
    found: Floats = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom >= at_least)
    return found


def derive(feature: Derived, a: Floats, b: Floats) -> Floats:
    """The derived feature from its two; NaN where one is NaN or the formula has no value."""
    match feature.formula:
        case "ratio":
            found: Floats = np.divide(a, b, out=np.full(a.shape, np.nan), where=b >= feature.at_least)
            return found
        case "difference":
            return a - b
        case "discounted":
            return a / np.sqrt(np.maximum(b, 1.0))


def derive_one(feature: Derived, a: float | None, b: float | None) -> float | None:
    """The same for one request; None where there is no value."""
    if a is None or b is None:
        return None
    match feature.formula:
        case "ratio":
            return a / b if b >= feature.at_least else None
        case "difference":
            return a - b
        case "discounted":
            return a / math.sqrt(max(b, 1.0))


def smallest_wins(feature: Windowed) -> bool:
    """Whether a request with several entities of the type takes the smallest value, not the largest."""
    return feature.measure is Measure.SINCE_LAST
