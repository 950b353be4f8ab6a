"""The shops: sellers of differing quality, their articles with prices, and which lots went bad."""

from dataclasses import dataclass

import numpy as np

from risk.simulator.arrays import DAY, NONE, Bools, Floats, Ints, Rng, weighted, within
from risk.simulator.rates import BAD_BATCH_ORDERS, CATEGORIES
from risk.simulator.season import Period

ORDERS_PER_SELLER = 700
LOTS_PER_SKU = 4_096
UNTRACKED = 0.15  # articles without lots in categories that have them


@dataclass(frozen=True, slots=True)
class World:
    """Sellers and articles as arrays; an article's index is global, a seller owns `sku_count` of them from `sku_start`.

    `faults` multiplies how often an order gives cause to complain (mean 1 over orders); `losses` does so for the seller's carrier.
    `untracked` articles carry no lot.
    """

    category: Ints
    popularity: Floats
    faults: Floats
    losses: Floats
    opened_us: Ints
    sku_start: Ints
    sku_count: Ints
    sku_seller: Ints
    sku_price: Ints
    sku_listed_us: Ints
    untracked: Bools


def build_world(rng: Rng, orders: int, when: Period) -> World:
    """Sellers with a popularity of Zipf's kind, a log-normal quality and three to a dozen articles each."""
    sellers = int(np.clip(orders // ORDERS_PER_SELLER, 14, 3_000))
    category = weighted(rng, np.array([one.share for one in CATEGORIES]), sellers)
    category[: len(CATEGORIES)] = np.arange(len(CATEGORIES))
    popularity = rng.permutation(1.0 / np.arange(4, sellers + 4) ** 0.8)
    by_category = np.array([one.faults for one in CATEGORIES])[category]
    faults = by_category * rng.lognormal(0.0, 0.75, sellers)
    faults /= np.average(faults, weights=popularity)
    carriers = rng.lognormal(0.0, 0.35, 6)
    losses = carriers[rng.integers(0, 6, sellers)]
    losses /= np.average(losses, weights=popularity)
    opened = when.start_us - (rng.gamma(1.2, 500.0, sellers) * DAY).astype(np.int64) - 30 * DAY
    count = (3 + rng.poisson(4, sellers)).astype(np.int64)
    owner = np.repeat(np.arange(sellers, dtype=np.int64), count)
    median = np.array([one.price_minor for one in CATEGORIES])[category[owner]]
    spread = np.array([one.spread for one in CATEGORIES])[category[owner]]
    level = rng.normal(0.0, 0.5, sellers)[owner]
    price = median * np.exp(spread * (0.5 * level + 0.85 * rng.normal(size=len(owner))))
    listed = (opened[owner] + rng.random(len(owner)) * (when.start_us - opened[owner])).astype(np.int64)
    lotless = np.array([one.lot_days is None for one in CATEGORIES])[category[owner]]
    return World(
        category,
        popularity,
        faults,
        losses,
        opened,
        np.cumsum(count) - count,
        count,
        owner,
        np.maximum(np.round(price / 10) * 10, 100).astype(np.int64),
        listed,
        lotless | (rng.random(len(owner)) < UNTRACKED),
    )


def lots_of(world: World, sku: Ints, moment_us: Ints) -> Ints:
    """The lot that an article bought at a moment came from; NONE where lots are not tracked."""
    days = np.array([one.lot_days or 1 for one in CATEGORIES], dtype=np.int64)[world.category[world.sku_seller[sku]]]
    number = (moment_us // DAY + sku * 7) // days % LOTS_PER_SKU
    return np.where(world.untracked[sku], NONE, sku * LOTS_PER_SKU + number)


def bad_lots(rng: Rng, lots: Ints) -> Bools:
    """Which lines come from a bad lot: big lots as likely as their size, until they make up their share of the lines."""
    names, inverse, sizes = np.unique(lots, return_inverse=True, return_counts=True)
    sizes = np.where(names == NONE, 0, sizes)
    budget = BAD_BATCH_ORDERS * len(lots)
    # a lot larger than the budget would make the whole period a scandal
    order = np.argsort(rng.exponential(size=len(names)) / np.maximum(sizes, 1e-9) ** 1.3, kind="stable")
    fits = (sizes[order] > 0) & (sizes[order] <= max(budget / 3, 3))
    taken = fits & (np.cumsum(np.where(fits, sizes[order], 0)) <= budget)
    bad = np.zeros(len(names), dtype=np.bool_)
    bad[order[taken]] = True
    return np.asarray(bad[inverse], dtype=np.bool_)


def line_runs(start: Ints, count: Ints) -> Ints:
    """Global indices of runs that begin at `start` and are `count` long, one after the other."""
    return np.repeat(start, count) + within(count)
