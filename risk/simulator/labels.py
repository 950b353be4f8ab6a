"""How the truth comes to light, when it does: most requests are never looked at, and those who look err now and then."""

from dataclasses import dataclass

import numpy as np

from risk.simulator.archetypes import REASONS
from risk.simulator.arrays import DAY, NONE, Bools, Floats, Ints, Rng, chance, within
from risk.simulator.claims import Claims

VERDICT, RETURN_INSPECTION, CHARGEBACK, APPEAL = range(4)
"""Codes of the source, in the order of LabelSource."""

RANDOM_REVIEW = 0.10
LARGE = 0.93  # quantile of the claimed amount from which the shop looks closer
LARGE_REVIEW = 0.35
OFTEN = 3  # earlier requests of the account from which the shop looks closer
OFTEN_REVIEW = 0.30
COMPLAINT_OF_SELLER = 0.10  # sellers contest some claims, abusive ones more often
FOUND = 0.90  # abuse that a reviewer recognises
FALSELY_ACCUSED = 0.012
INSPECTED = {"changed_mind": 0.6, "wrong_item": 0.3, "not_as_described": 0.3, "quality": 0.25}
INSPECTION_ERROR = 0.02
DOUBLE_DIP = 0.03  # abuse that shows as a chargeback on top of the refund
APPEALED_IF_HONEST, APPEALED_IF_ABUSE = 0.45, 0.06
OVERTURNED_IF_HONEST, OVERTURNED_IF_ABUSE = 0.85, 0.15


@dataclass(frozen=True, slots=True)
class Labels:
    """One row a label: the request's row, 1 for abuse, the source, and when it was said and known."""

    claim: Ints
    abuse: Ints
    source: Ints
    occurred_us: Ints
    known_us: Ints


def reveal(rng: Rng, claims: Claims, amount: Ints, end_us: int) -> Labels:
    """Labels that are known before the period ends, in the order in which they become known."""
    parts = [_verdicts(rng, claims, amount), _inspections(rng, claims), _chargebacks(rng, claims)]
    parts.append(_appeals(rng, claims, parts[0]))
    joined = Labels(*(np.concatenate([getattr(part, name) for part in parts]) for name in Labels.__slots__))
    kept = np.flatnonzero(joined.known_us < end_us)
    kept = kept[np.argsort(joined.known_us[kept], kind="stable")]
    return Labels(*(getattr(joined, name)[kept] for name in Labels.__slots__))


def _label(rng: Rng, claim: Ints, abuse: Bools, source: int, said_us: Ints) -> Labels:
    """Labels of one source; they reach us within the day."""
    known = said_us + (rng.exponential(0.2 * DAY, len(claim))).astype(np.int64)
    return Labels(claim, abuse.astype(np.int64), np.full(len(claim), source, dtype=np.int64), said_us, known)


def _later(rng: Rng, from_us: Ints, least_days: float, mean_days: float) -> Ints:
    """A moment at least so many days later, exponential beyond."""
    return from_us + ((least_days + rng.exponential(mean_days, len(from_us))) * DAY).astype(np.int64)


def reviewed(rng: Rng, claims: Claims, amount: Ints) -> Bools:
    """What the shop used to look at: a random share, large amounts, frequent claimants, and what a seller contested."""
    size = len(claims)
    large = amount >= np.quantile(amount, LARGE) if size else np.zeros(0, dtype=np.bool_)
    often = earlier_requests(claims.account) >= OFTEN
    contested = chance(rng, COMPLAINT_OF_SELLER * np.where(claims.abusive, 1.6, 0.7), size)
    looked = chance(rng, RANDOM_REVIEW, size) | (large & chance(rng, LARGE_REVIEW, size)) | (often & chance(rng, OFTEN_REVIEW, size))
    return looked | contested


def earlier_requests(account: Ints) -> Ints:
    """How many requests of the same account stand before each one."""
    order = np.argsort(account, kind="stable")
    _, lengths = np.unique(account, return_counts=True)
    found = np.empty(len(account), dtype=np.int64)
    found[order] = within(lengths.astype(np.int64))
    return found


def _verdicts(rng: Rng, claims: Claims, amount: Ints) -> Labels:
    """Reviewers' answers after some days."""
    claim = np.flatnonzero(reviewed(rng, claims, amount)).astype(np.int64)
    truth = claims.abusive[claim]
    says: Floats = np.where(truth, FOUND, FALSELY_ACCUSED)
    return _label(rng, claim, chance(rng, says, len(claim)), VERDICT, _later(rng, claims.known_us[claim], 0.3, 4.0))


def _inspections(rng: Rng, claims: Claims) -> Labels:
    """The warehouse opens what was sent back; most of it is as the buyer said."""
    share = np.array([INSPECTED.get(reason.value, 0.02) for reason in REASONS])[claims.reason]
    claim = np.flatnonzero(chance(rng, share, len(claims))).astype(np.int64)
    abuse = claims.abusive[claim] ^ chance(rng, INSPECTION_ERROR, len(claim))
    return _label(rng, claim, abuse, RETURN_INSPECTION, _later(rng, claims.known_us[claim], 6.0, 9.0))


def _chargebacks(rng: Rng, claims: Claims) -> Labels:
    """A refund and a chargeback for the same order."""
    share = np.where(claims.abusive, DOUBLE_DIP, 0.0005)
    claim = np.flatnonzero(chance(rng, share, len(claims))).astype(np.int64)
    return _label(rng, claim, np.ones(len(claim), dtype=np.bool_), CHARGEBACK, _later(rng, claims.known_us[claim], 12.0, 30.0))


def _appeals(rng: Rng, claims: Claims, verdicts: Labels) -> Labels:
    """People who were called abusers ask for a second look; some were right to, and some are believed who should not be."""
    accused = verdicts.abuse == 1
    truth = claims.abusive[verdicts.claim]
    appealed = accused & chance(rng, np.where(truth, APPEALED_IF_ABUSE, APPEALED_IF_HONEST), len(accused))
    row = np.flatnonzero(appealed)
    overturned = chance(rng, np.where(truth[row], OVERTURNED_IF_ABUSE, OVERTURNED_IF_HONEST), len(row))
    return _label(rng, verdicts.claim[row], ~overturned, APPEAL, _later(rng, verdicts.known_us[row], 1.0, 9.0))


def ring_numbers(claims: Claims, is_ring: Bools) -> Ints:
    """The group of each claim whose archetype works in rings, NONE for all others."""
    return np.where(is_ring[claims.role] & claims.abusive, claims.group, NONE)
