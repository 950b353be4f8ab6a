"""The pieces of evidence of each request: how many, what they are, which pictures were used before, and what they show."""

from dataclasses import dataclass

import numpy as np

from risk.simulator import rates
from risk.simulator.abusers import PHOTOS_A_GROUP
from risk.simulator.archetypes import ABUSE, REASONS
from risk.simulator.arrays import HOUR, NONE, Bools, Ints, Rng, by_row, chance, within
from risk.simulator.claims import Bought, Claims
from risk.simulator.images import AUTHENTIC, EDITED, GENERATED

SENDS = {"not_received": 0.12, "changed_mind": 0.15, "missing": 0.6, "other": 0.4}
SENDS_ELSE = 0.86
KINDS = ((0.86, 0.09, 0.05), (0.5, 0.48, 0.02), (0.3, 0.02, 0.68))
"""Photo, video, document: usually, at the fishmonger's, for parcels that did not come."""

FURTHER = (0.40, 0.38, 0.16, 0.06)
"""No piece beyond the first, one, two, three."""

SENDERS = (0.945, 0.02, 0.02, 0.015)
"""Buyer, seller, agent, carrier."""

HONEST_EDITED, HONEST_GENERATED = 0.03, 0.006
HONEST_TWICE = 0.03  # the same photo twice in one request
LISTING = 0.025  # the picture from the shop's own page, or a screenshot of it
KNOWN_ORIGIN = 0.55  # groups whose pictures were taken from the web and are recognised at once
LATER = 0.1  # second and further pieces that come after the support has asked
SAME_FILE = 0.5  # reused pictures that are the same file to the bit

_SHARED, _GROUPS, _FILES = 1 << 40, 1 << 41, 1 << 42
PHOTO, VIDEO, DOCUMENT = range(3)


@dataclass(frozen=True, slots=True)
class Pieces:
    """One row a piece: its request's row, `number` inside it, kind, sender, `picture` (what it depicts) and `file` (its bytes)."""

    claim: Ints
    number: Ints
    kind: Ints
    sender: Ints
    state: Ints
    picture: Ints
    file: Ints
    reused: Bools
    occurred_us: Ints
    known_us: Ints

    def __len__(self) -> int:
        return len(self.claim)


def collect(rng: Rng, bought: Bought, claims: Claims) -> Pieces:
    """Every piece of every request."""
    count = _how_many(rng, claims)
    claim = np.repeat(np.arange(len(claims), dtype=np.int64), count)
    number = within(count)
    reason = claims.reason[claim]
    fish = bought.world.category[bought.orders.seller[claims.order[claim]]] == rates.SEAFOOD
    row = np.where(reason == _code("not_received"), 2, np.where(fish, 1, 0))
    kind = by_row(rng, KINDS, row)
    sender = by_row(rng, (SENDERS,), np.zeros(len(claim), dtype=np.int64))
    state = _states(rng, claims, claim)
    picture, known_before = _pictures(rng, bought, claims, claim, number)
    later = (number > 0) & chance(rng, LATER, len(claim))
    wait = np.where(later, HOUR + rng.exponential(20 * HOUR, len(claim)), 0.0).astype(np.int64)
    occurred, known = claims.occurred_us[claim] + wait, claims.known_us[claim] + wait
    reused = _seen_before(claims.account[claim], picture, known) | known_before
    own_copy = reused & chance(rng, 1 - SAME_FILE, len(claim))
    file = np.where(own_copy, _FILES + np.arange(len(claim)), picture)
    kept = np.flatnonzero(known < bought.when.end_us)
    pieces = Pieces(claim, number, kind, sender, state, picture, file, reused, occurred, known)
    return Pieces(**{name: getattr(pieces, name)[kept] for name in Pieces.__slots__})


def _code(name: str) -> int:
    """The code of a claim type."""
    return next(code for code, reason in enumerate(REASONS) if reason == name)


def _how_many(rng: Rng, claims: Claims) -> Ints:
    """None, or one to four."""
    sends = np.array([SENDS.get(reason.value, SENDS_ELSE) for reason in REASONS])[claims.reason]
    factor = np.array([*(one.evidence for one in ABUSE), 1.0])[claims.role]
    some = chance(rng, np.minimum(sends * factor, 0.97), len(claims))
    return np.where(some, 1 + by_row(rng, (FURTHER,), np.zeros(len(claims), dtype=np.int64)), 0)


def _states(rng: Rng, claims: Claims, claim: Ints) -> Ints:
    """What each picture is; honest people filter and annotate theirs too."""
    role = claims.role[claim]
    generated = np.array([*(one.generated for one in ABUSE), HONEST_GENERATED])[role]
    edited = np.array([*(one.edited for one in ABUSE), HONEST_EDITED])[role]
    draws = rng.random(len(claim))
    return np.where(draws < generated, GENERATED, np.where(draws < generated + edited, EDITED, AUTHENTIC)).astype(np.int64)


def _pictures(rng: Rng, bought: Bought, claims: Claims, claim: Ints, number: Ints) -> tuple[Ints, Bools]:
    """Which picture a piece shows, and whether it is known from elsewhere.

    A request sent again shows the same pictures half the time; abusers take some from their group's few; and everybody may send the
    picture from the shop's page.
    """
    size = len(claim)
    again = claims.again[claim] & chance(rng, 0.5, len(claims))[claim]
    picture = claims.order[claim] * 16 + number + np.where(claims.again[claim] & ~again, 8, 0)
    twice = (number > 0) & chance(rng, HONEST_TWICE, size)
    picture = np.where(twice, picture - number, picture)
    group = claims.group[claim]
    pooled = chance(rng, np.array([*(one.reused for one in ABUSE), 0.0])[claims.role[claim]], size)
    picture = np.where(pooled, _GROUPS + group * PHOTOS_A_GROUP + (number + rng.integers(0, PHOTOS_A_GROUP, size)) % PHOTOS_A_GROUP, picture)
    from_web = chance(rng, KNOWN_ORIGIN, int(group.max(initial=0)) + 2)[group]
    listing = chance(rng, LISTING, size)
    picture = np.where(listing, _SHARED + bought.orders.seller[claims.order[claim]], picture)
    return picture, (pooled & from_web & (group != NONE)) | listing


def _seen_before(account: Ints, picture: Ints, known: Ints) -> Bools:
    """Whether the same picture was sent earlier, in this request or another."""
    order = np.lexsort((np.arange(len(picture)), known, picture))
    first = np.ones(len(picture), dtype=np.bool_)
    first[1:] = picture[order][1:] != picture[order][:-1]
    seen = np.zeros(len(picture), dtype=np.bool_)
    seen[order] = ~first
    return seen & (account >= 0)
