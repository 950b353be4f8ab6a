"""What the pieces of evidence show: counts by attribute, as the claim form, the support or a vision model counted them."""

from dataclasses import dataclass

import numpy as np

from risk.simulator import rates
from risk.simulator.archetypes import ABUSE
from risk.simulator.arrays import MINUTE, NONE, Bools, Ints, Rng, by_row, chance
from risk.simulator.claimed import Claimed
from risk.simulator.claims import Bought, Claims
from risk.simulator.evidence import DOCUMENT, Pieces

CLAIM_FORM, AGENT, SELLER, VISION = range(4)
"""Codes of who counted, in the order of Observer."""

MISCOUNT = 0.035
PARTIAL = 0.22
SHOWN_IN_PART, OVERSTATED = 0.75, 0.65  # share of the claimed pieces that such a picture shows
VISION_ERROR = 0.08
TWO_MORE = 0.4  # contradictions by two pieces and not by one


@dataclass(frozen=True, slots=True)
class Observed:
    """One row a count: the piece, who counted (a code of Observer), the attribute's column (NONE: plain pieces) and the number."""

    piece: Ints
    observer: Ints
    attribute: Ints
    count: Ints
    occurred_us: Ints
    known_us: Ints


def observe(rng: Rng, bought: Bought, claims: Claims, claimed: Claimed, pieces: Pieces) -> tuple[Observed, Ints]:
    """Counts in pictures of requests for several pieces, and each request's `same_items` (1, 0 or NONE).

    Honest pictures show all claimed pieces or a part of them, rarely miscounted. Part of the abusers mix pictures of different goods:
    each fits the order alone, together they show more pieces than are claimed. With one picture they show fewer than they claim.
    """
    shown, has = _claimed_counts(claims, claimed)
    counted = np.flatnonzero(has[pieces.claim] & (pieces.kind != DOCUMENT))
    claim, number = pieces.claim[counted], pieces.number[counted]
    counts = shown[claim].copy()
    several = np.bincount(claim, minlength=len(claims)) > 1
    contradiction = np.array([*(one.contradiction for one in ABUSE), 0.0])[claims.role]
    false = chance(rng, contradiction, len(claims))
    lies = (false & several)[claim] & (number > 0)
    partial = chance(rng, PARTIAL, len(claim)) & ~lies
    fewer = np.where((false & ~several)[claim], OVERSTATED, np.where(partial, SHOWN_IN_PART, 1.0))
    counts = rng.binomial(counts, fewer[:, None])
    counts = _moved(rng, counts, lies)
    wrong = chance(rng, MISCOUNT, len(claim))
    counts[:, 0] = np.maximum(counts[:, 0] + np.where(wrong, rng.integers(-1, 2, len(claim)), 0), 0)
    attributes = np.array([len(one.attributes) for one in rates.CATEGORIES])[_categories(bought, claims)][claim]
    says_same = np.where(several, by_row(rng, ((0.08, 0.62, 0.3),), np.zeros(len(claims), dtype=np.int64)), 2)
    same = np.where(says_same == 2, NONE, says_same)  # noqa: PLR2004  # the third answer is none
    return _by_observer(rng, pieces, counted, counts, attributes), same


def _categories(bought: Bought, claims: Claims) -> Ints:
    """The category of each request's shop."""
    return bought.world.category[bought.orders.seller[claims.order]]


def _claimed_counts(claims: Claims, claimed: Claimed) -> tuple[Ints, Bools]:
    """Claimed pieces by attribute (plain pieces in the first column), and whether there are two or more of them."""
    shown = np.zeros((len(claims), rates.WIDTH), dtype=np.int64)
    plain = claimed.counts.sum(axis=1) == 0
    rows = claimed.counts.copy()
    rows[:, 0] = np.where(plain, claimed.quantity, rows[:, 0])
    # an order is one shop's and a shop is of one category, so the attributes of all lines are the same
    np.add.at(shown, claimed.claim, rows)
    return shown, shown.sum(axis=1) > 1


def _moved(rng: Rng, counts: Ints, lies: Bools) -> Ints:
    """Other goods in the picture: pieces of one attribute appear as another; where there is only one, there are more of them."""
    moved = counts.copy()
    row = np.flatnonzero(lies)
    fullest = counts[row].argmax(axis=1)
    other = (fullest + 1) % 2
    step = 1 + (rng.random(len(row)) < TWO_MORE)
    split = (counts[row] > 0).sum(axis=1) > 1
    moved[row, fullest] += np.where(split, -np.minimum(step, counts[row, fullest]), step)
    moved[row, other] += np.where(split, step, 0)
    return moved


def _by_observer(rng: Rng, pieces: Pieces, counted: Ints, counts: Ints, attributes: Ints) -> Observed:
    """One row for each piece, observer and attribute that is there; the form counts at once, agents hours later."""
    parts: list[tuple[Ints, ...]] = []
    for observer, share, wait_minutes in ((CLAIM_FORM, 0.85, 0.0), (VISION, 0.35, 0.0), (AGENT, 0.12, 300.0)):
        seen = np.flatnonzero(chance(rng, share, len(counted)))
        wait = (rng.exponential(1.0, len(seen)) * wait_minutes * MINUTE).astype(np.int64)
        for column in range(rates.WIDTH):
            there = np.flatnonzero(np.where(attributes[seen] == 0, column == 0, column < attributes[seen]))
            rows = seen[there]
            piece = counted[rows]
            named = np.where(attributes[rows] == 0, NONE, column)
            # people count, models guess
            slip = (observer == VISION) * (rng.random(len(rows)) < VISION_ERROR) * rng.integers(-1, 2, len(rows))
            moment = pieces.known_us[piece] + wait[there]
            parts.append(
                (
                    piece,
                    np.full(len(rows), observer),
                    named,
                    np.maximum(counts[rows, column] + slip, 0),
                    pieces.occurred_us[piece] + wait[there],
                    moment,
                )
            )
    return Observed(*(np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)))
