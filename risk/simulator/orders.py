"""Orders and their lines: who buys what, when, how many and from which lot."""

from dataclasses import dataclass

import numpy as np

from risk.simulator import rates
from risk.simulator.abusers import Planned
from risk.simulator.archetypes import ABUSE
from risk.simulator.arrays import HOUR, NONE, SECOND, Bools, Floats, Ints, Rng, chance, weighted
from risk.simulator.people import People
from risk.simulator.season import Period
from risk.simulator.world import World, bad_lots, line_runs, lots_of

LINES = (0.74, 0.18, 0.06, 0.02)
"""Shares of orders with one, two, three and four different articles."""

LOOKS = 3
"""Articles among which a choosy abuser takes the dearest."""


@dataclass(frozen=True, slots=True)
class Orders:
    """One row an order, by time; its lines are `line_count` rows of Lines from `line_start` on. `planned`: an abusive claim will follow."""

    account: Ints
    guest: Bools
    seller: Ints
    occurred_us: Ints
    known_us: Ints
    amount: Ints
    planned: Bools
    line_start: Ints
    line_count: Ints

    def __len__(self) -> int:
        return len(self.account)


@dataclass(frozen=True, slots=True)
class Lines:
    """One row an order line; `counts` splits `quantity` by the attributes of its category (zeros where it has none)."""

    order: Ints
    sku: Ints
    lot: Ints
    bad: Bools
    quantity: Ints
    price: Ints
    counts: Ints


def place_orders(rng: Rng, world: World, people: People, planned: Planned, orders: int, when: Period) -> tuple[Orders, Lines]:
    """Exactly `orders` orders: the planned ones, and the rest spread over all accounts by how often they buy."""
    account, moment, abusive = _who_and_when(rng, people, planned, orders, when)
    sequence = np.argsort(moment, kind="stable")
    account, moment, abusive = account[sequence], moment[sequence], abusive[sequence]
    seller, first = _articles(rng, world, people.role[account], abusive)
    count = np.minimum(1 + weighted(rng, np.asarray(LINES), orders), world.sku_count[seller])
    start = np.cumsum(count) - count
    lines = _lines(rng, world, moment, seller, first, count)
    amount = np.add.reduceat(lines.quantity * lines.price, start).astype(np.int64)
    offline = chance(rng, rates.ORDER_OFFLINE, orders)
    delay = np.where(offline, rng.exponential(9 * HOUR, orders), rng.random(orders) * 3 * SECOND).astype(np.int64)
    guest = chance(rng, rates.GUEST_ORDERS, orders) & (people.role[account] == NONE)
    known = np.minimum(moment + delay, when.end_us - 1)
    return Orders(account, guest, seller, moment, known, amount, abusive, start, count), lines


def _who_and_when(rng: Rng, people: People, planned: Planned, orders: int, when: Period) -> tuple[Ints, Ints, Bools]:
    """Account, moment and whether it is a planned abuse, in no order."""
    kept = rng.permutation(len(planned.account))[: orders // 2]
    rest = orders - len(kept)
    account = weighted(rng, people.weight * _time_open(people, when), rest)
    opened = np.maximum(people.opened_us[account], when.start_us)
    moment = when.at(rng.random(rest), opened, when.end_us)
    return (
        np.concatenate([planned.account[kept], account]),
        np.concatenate([planned.moment_us[kept], moment]),
        np.concatenate([planned.abusive[kept] == 1, np.zeros(rest, dtype=np.bool_)]),
    )


def _time_open(people: People, when: Period) -> Floats:
    """Share of the period that the account exists."""
    return np.clip(1.0 - when.share_at(np.maximum(people.opened_us, when.start_us)), 0.02, 1.0)


def _articles(rng: Rng, world: World, role: Ints, abusive: Bools) -> tuple[Ints, Ints]:
    """The seller and the first article; abusers look at several and more often take the dearest one."""
    size = len(role)
    seller = weighted(rng, world.popularity, size)
    number = _popular(rng, world.sku_count[seller])
    picky = np.flatnonzero(abusive & chance(rng, np.array([*(one.pricier for one in ABUSE), 0.0])[role], size))
    for _ in range(LOOKS - 1):
        other = weighted(rng, world.popularity, len(picky))
        other_number = _popular(rng, world.sku_count[other])
        held = world.sku_price[world.sku_start[seller[picky]] + number[picky]]
        dearer = world.sku_price[world.sku_start[other] + other_number] > held
        seller[picky] = np.where(dearer, other, seller[picky])
        number[picky] = np.where(dearer, other_number, number[picky])
    return seller, number


def _popular(rng: Rng, count: Ints) -> Ints:
    """An article's number in its shop: the first ones sell best."""
    return np.asarray((rng.random(len(count)) ** 1.8 * count).astype(np.int64), dtype=np.int64)


def _lines(rng: Rng, world: World, moment: Ints, seller: Ints, first: Ints, count: Ints) -> Lines:
    """Every line of every order: neighbouring articles of one shop, so that no article stands twice in an order."""
    order = np.repeat(np.arange(len(seller), dtype=np.int64), count)
    step = line_runs(np.zeros(len(seller), dtype=np.int64), count)
    sku = world.sku_start[seller[order]] + (first[order] + step) % world.sku_count[seller[order]]
    category = world.category[seller[order]]
    quantity = _quantities(rng, category)
    price = np.round(world.sku_price[sku] * (0.86 + 0.14 * np.sqrt(rng.random(len(sku))))).astype(np.int64)
    lot = lots_of(world, sku, moment[order])
    return Lines(order, sku, lot, bad_lots(rng, lot), quantity, price, _counts(rng, category, quantity))


def _quantities(rng: Rng, category: Ints) -> Ints:
    """Few are common, many are rare, between the category's bounds."""
    low = np.array([one.quantity[0] for one in rates.CATEGORIES], dtype=np.int64)[category]
    high = np.array([one.quantity[1] for one in rates.CATEGORIES], dtype=np.int64)[category]
    return low + (rng.random(len(category)) ** 2.2 * (high - low + 1)).astype(np.int64)


def _counts(rng: Rng, category: Ints, quantity: Ints) -> Ints:
    """The quantity split by attribute: half and half by sex, nearly always one size of clothing."""
    counts = np.zeros((len(category), rates.WIDTH), dtype=np.int64)
    attributes = np.array([len(one.attributes) for one in rates.CATEGORIES])[category]
    sexed = np.flatnonzero(attributes == 2)  # noqa: PLR2004  # male and female
    counts[sexed, 0] = rng.binomial(quantity[sexed], 0.5)
    counts[sexed, 1] = quantity[sexed] - counts[sexed, 0]
    sized = np.flatnonzero(attributes > 2)  # noqa: PLR2004  # sizes
    size = rng.integers(0, rates.WIDTH, len(sized))
    one_more = (quantity[sized] > 1) & chance(rng, 0.35, len(sized))
    counts[sized, size] = quantity[sized] - one_more
    counts[sized, (size + 1) % rates.WIDTH] += one_more
    return counts
