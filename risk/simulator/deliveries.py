"""What became of the parcels, and what the carrier's scans say of it, which is not the same."""

from dataclasses import dataclass

import numpy as np

from risk.simulator import rates
from risk.simulator.arrays import DAY, HOUR, MINUTE, NONE, Bools, Ints, Rng, chance
from risk.simulator.orders import Orders
from risk.simulator.season import is_gift_season
from risk.simulator.world import World

DELIVERED, LOST, RETURNED = range(3)
"""Codes of the scan, in the order of DeliveryStatus."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """One row an order: what happened (`arrived_us`, `lost`, ...) and what was scanned (`status` NONE: nothing was)."""

    expected_us: Ints
    arrived_us: Ints
    lost: Bools
    stolen: Bools
    late: Bools
    damaged: Bools
    status: Ints
    scanned_us: Ints
    known_us: Ints


def deliver(rng: Rng, world: World, orders: Orders) -> Deliveries:
    """Ship every order. Orders that an abuser will claim arrive: a lost one would make the claim honest."""
    size = len(orders)
    busy = np.where(is_gift_season(orders.occurred_us), rates.GIFT_CLAIM_FACTOR, 1.0)
    bad_carrier = world.losses[orders.seller] * busy
    lost = chance(rng, rates.LOST * bad_carrier, size) & ~orders.planned
    stolen = chance(rng, rates.STOLEN * busy, size) & ~lost & ~orders.planned
    damaged = chance(rng, rates.DAMAGED * bad_carrier, size) & ~lost & ~stolen & ~orders.planned
    late = chance(rng, rates.LATE * busy, size) & ~lost
    transit = np.array([one.transit_days for one in rates.CATEGORIES])[world.category[orders.seller]]
    usual = orders.occurred_us + (transit * DAY * rng.lognormal(0.0, 0.3, size)).astype(np.int64) + 3 * HOUR
    arrived = np.where(late, usual + (3 * DAY + rng.exponential(4 * DAY, size)).astype(np.int64), usual)
    expected = orders.occurred_us + (transit * 1.5 * DAY).astype(np.int64)
    status, scanned, known = _scan(rng, lost, arrived)
    return Deliveries(expected, arrived, lost, stolen, late, damaged, status, scanned, known)


def _scan(rng: Rng, lost: Bools, arrived: Ints) -> tuple[Ints, Ints, Ints]:
    """Status, time and time known. Couriers scan at once, at the end of the shift or never; some scans reach us days later."""
    size = len(lost)
    status = np.where(chance(rng, rates.SCAN_MISSING, size), NONE, DELIVERED)
    given_up = np.where(chance(rng, rates.LOST_SCANNED, size), LOST, NONE)
    status = np.where(lost, np.where(chance(rng, 0.1, size), RETURNED, given_up), status)
    lag = rng.exponential(8 * MINUTE, size)
    lag = np.where(chance(rng, rates.SCAN_END_OF_SHIFT, size), rng.random(size) * 9 * HOUR, lag)
    lag = np.where(lost, 6 * DAY + rng.exponential(8 * DAY, size), lag)
    scanned = arrived + lag.astype(np.int64)
    sync = rng.exponential(4 * MINUTE, size)
    sync = np.where(chance(rng, rates.SCAN_KNOWN_LATE, size), rng.exponential(30 * HOUR, size), sync)
    return status, scanned, scanned + sync.astype(np.int64)
