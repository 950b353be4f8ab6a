"""The last step of every feature, shared by both executors: whole numbers to floats, features to derived features, several entities to one value."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from data_contracts.discount import BUSY, STEPS, Discount, cell, weights_of
from features.declare import Derived, Discounted, Measure, Windowed

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


def derive_one(feature: Derived, a: float | None, b: float | None) -> float | None:
    """The same for one request; None where there is no value."""
    if a is None or b is None:
        return None
    match feature.formula:
        case "ratio":
            return a / b if b >= feature.at_least else None
        case "difference":
            return a - b


def discount(feature: Discounted, values: Mapping[str, Floats], discounts: Sequence[Discount | None], which: Ints) -> Floats:
    """The discounted feature of every request; `which` says which of `discounts` holds for it. NaN where one of its three is NaN."""
    nothing = np.full(which.shape, np.nan)
    of, accounts, requests = (values.get(name, nothing) for name in (feature.of, feature.accounts, feature.requests))
    weights = np.array([weights_of(each, feature.entity) for each in discounts])
    cells = 2 * np.searchsorted(STEPS, accounts, side="right") + (requests >= BUSY * accounts)
    known = ~(np.isnan(of) | np.isnan(accounts) | np.isnan(requests))
    found: Floats = np.where(known, of * weights[which, np.where(known, cells, 0)], np.nan)
    return found


def discount_one(feature: Discounted, values: Mapping[str, float | None], learned: Discount | None) -> float | None:
    """The same for one request; None where there is no value."""
    of, accounts, requests = values[feature.of], values[feature.accounts], values[feature.requests]
    if of is None or accounts is None or requests is None:
        return None
    return of * weights_of(learned, feature.entity)[cell(accounts, requests)]


def smallest_wins(feature: Windowed) -> bool:
    """Whether a request with several entities of the type takes the smallest value, not the largest."""
    return feature.measure is Measure.SINCE_LAST
