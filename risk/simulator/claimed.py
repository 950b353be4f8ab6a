"""What a request asks for: lines, pieces by attribute, and money."""

from dataclasses import dataclass

import numpy as np

from risk.simulator import rates
from risk.simulator.archetypes import ABUSE, REASONS
from risk.simulator.arrays import NONE, Bools, Floats, Ints, Rng, chance
from risk.simulator.claims import BATCH, Bought, Claims
from risk.simulator.world import line_runs

WHOLE_IF_HONEST = {"not_received": 0.95, "changed_mind": 0.5, "wrong_item": 0.4, "not_as_described": 0.35, "missing": 0.22}
WHOLE_ELSE = 0.25


@dataclass(frozen=True, slots=True)
class Claimed:
    """One row a claimed line (`claim` is the request's row); `whole` and `amount` have one row a request, `amount` NONE where not filled in."""

    claim: Ints
    line: Ints
    quantity: Ints
    counts: Ints
    stated: Bools
    whole: Bools
    amount: Ints


def claim_lines(rng: Rng, bought: Bought, claims: Claims) -> Claimed:
    """Honest people mostly claim the piece that is bad; abusers the whole order more often, and so do people whose parcel never came."""
    orders, lines = bought.orders, bought.lines
    whole = chance(rng, _whole(claims), len(claims))
    count = orders.line_count[claims.order]
    chosen = (rng.random(len(claims)) * count).astype(np.int64)
    claim = np.repeat(np.arange(len(claims), dtype=np.int64), count)
    line = line_runs(orders.line_start[claims.order], count)
    kept = whole[claim] | (line == (orders.line_start[claims.order] + chosen)[claim])
    claim, line = claim[kept], line[kept]
    ordered = lines.quantity[line]
    bad = np.where(claims.abusive, rng.beta(2.0, 2.0, len(claims)), rng.beta(1.3, 2.2, len(claims)))[claim]
    bad = np.where((claims.cause == BATCH)[claim], np.maximum(bad, 0.5), bad)
    quantity = np.where(whole[claim], ordered, 1 + rng.binomial(np.maximum(ordered - 1, 0), bad))
    counts = _split(rng, lines.counts[line], quantity)
    over = chance(rng, np.where(claims.abusive, 0.03, 0.009), len(claims))[claim] & ~whole[claim]
    extra = np.where(over, ordered - quantity + rng.integers(1, 3, len(line)), 0)
    has = lines.counts[line].sum(axis=1) > 0
    counts[:, 0] += np.where(has, extra, 0)
    amount = _amounts(rng, bought, claims, whole, (claim, (quantity + extra) * lines.price[line]))
    stated = ~chance(rng, 0.06, len(claims))
    return Claimed(claim, line, quantity + extra, counts, stated, whole, amount)


def _whole(claims: Claims) -> Floats:
    """Chance that the whole order is claimed."""
    by_reason = np.array([WHOLE_IF_HONEST.get(reason.value, WHOLE_ELSE) for reason in REASONS])[claims.reason]
    by_role = np.array([*(one.whole for one in ABUSE), 0.0])[claims.role]
    return np.asarray(np.where(claims.abusive, np.maximum(by_role, 0.9 * by_reason), by_reason), dtype=np.float64)


def _split(rng: Rng, ordered: Ints, quantity: Ints) -> Ints:
    """Which of the ordered pieces are claimed: drawn without replacement, attribute by attribute; zeros where there are no attributes."""
    counts = np.zeros_like(ordered)
    has = ordered.sum(axis=1) > 0
    left = np.where(has, quantity, 0)
    for column in range(rates.WIDTH):
        rest = ordered[:, column + 1 :].sum(axis=1)
        counts[:, column] = rng.hypergeometric(ordered[:, column], rest, left)
        left = left - counts[:, column]
    return counts


def _amounts(rng: Rng, bought: Bought, claims: Claims, whole: Bools, lines: tuple[Ints, Ints]) -> Ints:
    """The value of the claimed pieces; some ask for a part of it, some add the postage or a wrong sum, few leave it empty."""
    size = len(claims)
    value = np.bincount(lines[0], weights=lines[1].astype(np.float64), minlength=size)
    partly = chance(rng, np.where(claims.abusive, 0.1, 0.22), size) & ~whole
    value = np.where(partly, value * np.round(rng.uniform(0.2, 0.8, size), 1), value)
    too_much = chance(rng, np.where(claims.abusive, 0.035, 0.015), size)
    value = np.where(too_much, value * rng.uniform(1.02, 1.5, size), value)
    value = np.where(value <= 0, bought.orders.amount[claims.order], value)
    return np.where(chance(rng, 0.005, size), NONE, np.round(value)).astype(np.int64)
