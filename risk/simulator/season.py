"""When people buy: months and hours have weights, and moments are drawn through their cumulated sum."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from risk.simulator.arrays import DAY, HOUR, Floats, Ints

MONTHS = (0.92, 0.80, 0.90, 0.92, 0.96, 1.00, 0.92, 0.92, 0.96, 1.02, 1.70, 1.75)
"""Orders by month, January first: November and December carry about a quarter of a year's orders (and, with more claims, a third of claims)."""

HOURS = (8, 9, 10, 11, 11, 10, 9, 9, 10, 10, 11, 12, 13, 13, 12, 9, 6, 3, 2, 1, 1, 2, 4, 6)
"""Orders by hour of the day in UTC; the shop's people live at UTC+8."""


@dataclass(frozen=True, slots=True)
class Period:
    """The simulated time in microseconds since 1970 UTC, with the cumulated weight of orders at each hour's edge."""

    start_us: int
    end_us: int
    days: int
    edges_us: Ints
    cumulated: Floats

    def at(self, share: Floats | float, low_us: Ints | int, high_us: Ints | int) -> Ints:
        """The moments that lie that share (0..1) of the way from low to high, counted in orders and not in hours."""
        low = np.interp(low_us, self.edges_us, self.cumulated)
        high = np.interp(high_us, self.edges_us, self.cumulated)
        found = np.interp(low + share * (high - low), self.cumulated, self.edges_us)
        return np.clip(found.astype(np.int64), self.start_us, self.end_us - 1)

    def share_at(self, moment_us: Ints) -> Floats:
        """How far into the period a moment lies, 0 to 1."""
        return np.asarray((moment_us - self.start_us) / (self.end_us - self.start_us), dtype=np.float64)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def period(days: int, end: datetime) -> Period:
    """The `days` days before `end`."""
    end_us = microseconds(end)
    start_us = end_us - days * DAY
    edges = start_us + np.arange(days * 24 + 1, dtype=np.int64) * HOUR
    middles = edges[:-1].astype("datetime64[us]")
    month = middles.astype("datetime64[M]").astype(np.int64) % 12
    hour = edges[:-1] // HOUR % 24
    weights = np.asarray(MONTHS)[month] * np.asarray(HOURS, dtype=np.float64)[hour]
    return Period(start_us, end_us, days, edges, np.concatenate([[0.0], np.cumsum(weights)]))


def gift_day(moment_us: Ints) -> Ints:
    """Christmas of the year of each moment, in microseconds: gifts bought before are opened, and complained about, after it."""
    year = moment_us.astype("datetime64[us]").astype("datetime64[Y]")
    return np.asarray((year + np.timedelta64(1, "Y")).astype("datetime64[us]").astype(np.int64) - 7 * DAY, dtype=np.int64)


def is_gift_season(moment_us: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether the moment lies in November or December."""
    month = moment_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
    return np.asarray(month >= 10, dtype=np.bool_)  # noqa: PLR2004  # months count from 0
