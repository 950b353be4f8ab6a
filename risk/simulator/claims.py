"""Who asks for a refund, when, why and how: honest causes first, then the planned abuse, both written down alike."""

from dataclasses import dataclass

import numpy as np

from risk.simulator import rates
from risk.simulator.archetypes import ABUSE, REASONS
from risk.simulator.arrays import DAY, HOUR, MINUTE, NONE, SECOND, Bools, Ints, Rng, by_row, chance
from risk.simulator.deliveries import Deliveries
from risk.simulator.orders import Lines, Orders
from risk.simulator.people import People
from risk.simulator.season import Period, gift_day, is_gift_season
from risk.simulator.world import World

_INR = REASONS.index(next(one for one in REASONS if one == "not_received"))
_DEAD = REASONS.index(next(one for one in REASONS if one == "dead_on_arrival"))
_SPOILT = tuple(REASONS.index(one) for one in REASONS if one in ("damaged", "quality"))
LOST, STOLEN, LATE, DAMAGED, BATCH, HABIT, ERROR, MIND = range(len(rates.CAUSES))


@dataclass(frozen=True, slots=True)
class Claims:
    """One row a refund request, by time. `cause` is an honest reason's code, NONE for abuse; `role` the archetype's, NONE for honest ones."""

    order: Ints
    account: Ints
    role: Ints
    group: Ints
    cause: Ints
    reason: Ints
    occurred_us: Ints
    known_us: Ints
    again: Bools

    def __len__(self) -> int:
        return len(self.order)

    @property
    def abusive(self) -> Bools:
        """Whether the claim is abuse."""
        return np.asarray(self.role != NONE, dtype=np.bool_)

    def rows(self, index: Ints) -> "Claims":
        """These rows, in this order."""
        return Claims(**{name: getattr(self, name)[index] for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Bought:
    """Everything that a claim is about."""

    world: World
    people: People
    orders: Orders
    lines: Lines
    deliveries: Deliveries
    when: Period


def raise_claims(rng: Rng, bought: Bought) -> Claims:
    """All requests that are sent before the period ends, some of them sent twice."""
    cause = honest_causes(rng, bought)
    order = np.flatnonzero((cause != NONE) | bought.orders.planned).astype(np.int64)
    account = bought.orders.account[order]
    abusive = bought.orders.planned[order]
    role = np.where(abusive, bought.people.role[account], NONE)
    group = np.where(abusive, bought.people.group[account], NONE)
    cause = np.where(abusive, NONE, cause[order])
    reason = _reasons(rng, bought, order, role, cause)
    occurred = _moments(rng, bought, order, cause, reason)
    by_phone = chance(rng, rates.ORDER_OFFLINE, len(order))
    delay = np.where(by_phone, rng.exponential(5 * HOUR, len(order)), rng.random(len(order)) * 4 * SECOND).astype(np.int64)
    claims = Claims(order, account, role, group, cause, reason, occurred, occurred + delay, np.zeros(len(order), dtype=np.bool_))
    return _sent_twice(rng, claims, bought.when)


def honest_causes(rng: Rng, bought: Bought) -> Ints:
    """The reason for which each order is honestly claimed, NONE for most; the first that applies."""
    orders, deliveries, people = bought.orders, bought.deliveries, bought.people
    size = len(orders)
    value = (orders.amount / np.median(orders.amount)) ** rates.VALUE_EXPONENT
    value /= value.mean()
    value = np.where(is_gift_season(orders.occurred_us), value * rates.GIFT_CLAIM_FACTOR, value)
    complaint = people.complaint[orders.account]
    relative = complaint / complaint.mean()
    bad = np.zeros(size, dtype=np.bool_)
    bad[bought.lines.order[bought.lines.bad]] = True
    faults = bought.world.faults[orders.seller]
    likely = (
        deliveries.lost * rates.CLAIM_IF_LOST,
        deliveries.stolen * rates.CLAIM_IF_STOLEN,
        deliveries.late * rates.CLAIM_IF_LATE * np.minimum(relative, 3.0),
        deliveries.damaged * rates.CLAIM_IF_DAMAGED,
        bad * rates.CLAIM_BAD_BATCH,
        people.heavy[orders.account] * rates.CLAIM_HABIT * value,
        rates.CLAIM_SELLER_ERROR * faults * relative * value,
        rates.CLAIM_CHANGED_MIND * relative * value,
    )
    found = np.full(size, NONE, dtype=np.int64)
    for code, probability in enumerate(likely):
        happens = chance(rng, np.asarray(probability, dtype=np.float64), size) & (found == NONE) & ~orders.planned
        found[happens] = code
    return found


def _reasons(rng: Rng, bought: Bought, order: Ints, role: Ints, cause: Ints) -> Ints:
    """The claim type; what goes bad at a fishmonger's is dead on arrival."""
    mixes = [[mix.get(reason, 0.0) for reason in REASONS] for mix in (*rates.CAUSE_REASONS, *(one.reasons for one in ABUSE))]
    reason = by_row(rng, mixes, np.where(role != NONE, len(rates.CAUSES) + role, cause))
    fish = bought.world.category[bought.orders.seller[order]] == rates.SEAFOOD
    spoilt = np.isin(reason, _SPOILT) & fish & chance(rng, 0.75, len(order))
    return np.where(spoilt, _DEAD, reason)


def _moments(rng: Rng, bought: Bought, order: Ints, cause: Ints, reason: Ints) -> Ints:
    """When the claim is sent: counted from the parcel's arrival, or from the day it should have come."""
    size = len(order)
    deliveries = bought.deliveries
    arrived, expected = deliveries.arrived_us[order], deliveries.expected_us[order]
    hours = np.array([one.claim_hours for one in rates.CATEGORIES])[bought.world.category[bought.orders.seller[order]]]
    abusive = cause == NONE
    wait = hours * HOUR * rng.lognormal(0.0, 1.1, size) * np.where(abusive, 0.8, 1.0)
    moment = arrived + wait.astype(np.int64) + 10 * MINUTE
    missing = expected + (np.array(2.0 * DAY) + rng.gamma(1.6, 3.2 * DAY, size)).astype(np.int64)
    moment = np.where(np.isin(cause, (LOST,)), np.maximum(missing, expected + DAY), moment)
    soon = arrived + (rng.gamma(1.5, 1.6 * DAY, size)).astype(np.int64) + HOUR
    moment = np.where((cause == STOLEN) | (abusive & (reason == _INR)), soon, moment)
    early = expected + (rng.random(size) * np.maximum(arrived - expected, HOUR)).astype(np.int64)
    moment = np.where(cause == LATE, early, moment)
    # an abuser who claims "not received" while the parcel is on its way, as impatient people do
    hasty = abusive & (reason == _INR) & chance(rng, 0.12, size)
    moment = np.where(hasty, bought.orders.occurred_us[order] + ((arrived - bought.orders.occurred_us[order]) * 0.9).astype(np.int64), moment)
    return _after_christmas(rng, bought, order, moment)


def _after_christmas(rng: Rng, bought: Bought, order: Ints, moment: Ints) -> Ints:
    """Gifts are opened late: part of the claims on November's and December's orders come in January. Fish does not wait."""
    placed = bought.orders.occurred_us[order]
    fish = bought.world.category[bought.orders.seller[order]] == rates.SEAFOOD
    gift = is_gift_season(placed) & ~fish & chance(rng, rates.GIFT_DELAYED, len(order))
    opened = gift_day(placed) + (6 * DAY + rng.gamma(1.6, 6.0 * DAY, len(order))).astype(np.int64)
    return np.where(gift, np.maximum(moment, opened), moment)


def _sent_twice(rng: Rng, claims: Claims, when: Period) -> Claims:
    """Impatient people, and greedy ones, ask again for the same order."""
    greedy = np.where(claims.abusive, 2.0, 1.0) * rates.REPEATED
    first = np.flatnonzero(chance(rng, greedy, len(claims)))
    index = np.concatenate([np.arange(len(claims), dtype=np.int64), first])
    later = np.concatenate([np.zeros(len(claims)), DAY + rng.exponential(4 * DAY, len(first))]).astype(np.int64)
    both = claims.rows(index)
    shifted = Claims(
        both.order,
        both.account,
        both.role,
        both.group,
        both.cause,
        both.reason,
        both.occurred_us + later,
        both.known_us + later,
        later > 0,
    )
    kept = np.flatnonzero(shifted.known_us < when.end_us)
    return shifted.rows(kept[np.argsort(shifted.known_us[kept], kind="stable")])
