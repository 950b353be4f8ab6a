"""What the shop paid back: most of what was asked for, soon, and not where a person said in time that it was abuse."""

from dataclasses import dataclass

import numpy as np

from risk.simulator.arrays import DAY, NONE, Ints, Rng, chance
from risk.simulator.claims import Claims
from risk.simulator.labels import CHARGEBACK, Labels

PAID_UNSEEN = 0.94  # requests that nobody looked at and that are paid all the same
DAYS_TO_PAY = 2.0
IN_PART = 0.08  # what was agreed upon is less than what was claimed
LEAST_PART, MOST_PART = 0.3, 0.8
HONEST, ABUSE = range(2)


@dataclass(frozen=True, slots=True)
class Refunds:
    """One row a refund: the request's row, the amount (NONE where it was not known), when it was paid and known."""

    claim: Ints
    amount: Ints
    occurred_us: Ints
    known_us: Ints


def pay(rng: Rng, claims: Claims, amount: Ints, labels: Labels, end_us: int) -> Refunds:
    """Refunds that are known before the period ends, one a request at most, in the order in which they become known."""
    count = len(claims)
    due_us = claims.known_us + rng.exponential(DAYS_TO_PAY * DAY, count).astype(np.int64)
    by_a_person = np.flatnonzero(labels.source != CHARGEBACK)
    said, said_us, accused_us = np.full(count, NONE, dtype=np.int64), np.zeros(count, dtype=np.int64), np.full(count, end_us, dtype=np.int64)
    said[labels.claim[by_a_person]] = labels.abuse[by_a_person]  # they stand by time: the last word counts
    said_us[labels.claim[by_a_person]] = labels.known_us[by_a_person]
    accusing = by_a_person[labels.abuse[by_a_person] == ABUSE]
    np.minimum.at(accused_us, labels.claim[accusing], labels.known_us[accusing])
    held = accused_us < due_us
    paid = np.where(held, said == HONEST, (said != NONE) | chance(rng, PAID_UNSEEN, count))
    paid_us = np.where(held, np.maximum(due_us, said_us), due_us)
    part = np.where(chance(rng, IN_PART, count), rng.uniform(LEAST_PART, MOST_PART, count), 1.0)
    known_us = paid_us + rng.exponential(0.1 * DAY, count).astype(np.int64)
    kept = np.flatnonzero(paid & (known_us < end_us))
    kept = kept[np.argsort(known_us[kept], kind="stable")]
    money = np.where(amount == NONE, NONE, np.maximum(1, np.round(amount * part))).astype(np.int64)
    return Refunds(kept, money[kept], paid_us[kept], known_us[kept])
