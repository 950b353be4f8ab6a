"""Hubs do not make rings: how far does it go to show that two claimants belong together, that they used the same entity?

An entity shared by claimants is either a tool of one group or something that strangers meet at: a dormitory, a courier point, a carrier's NAT, a
phrase that everybody writes, the shop's own picture. Which one is a mixture of two kinds of entity, fitted by a few rounds of expectation and
maximisation. What an entity looks like (`SIGNS`) says how likely it is a tool, through weights that begin at the guesses of GUESS and are learned
from what became known before: of entities that look like this, did the judged users turn out alike? Each user judged honest then speaks against the
one entity at hand, and each confirmed abuser for it.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.link import EntityType
from graph.sentences import PREFIX
from graph.uses import DAY_US, ENTITY, Seen, buyers_judged

PRIOR: Mapping[EntityType, float] = {
    EntityType.DEVICE: 0.5,
    EntityType.CARD: 0.5,
    EntityType.IMAGE: 0.4,
    EntityType.TEXT: 0.4,
    EntityType.PHONE: 0.2,
    EntityType.ADDRESS: 0.2,
    EntityType.IP: 0.2,
    EntityType.AGENT: 0.02,
}
"""How likely an entity of two or three users is a tool where nothing else is known of it; a guess, for views that look at one link at a time."""

SENTENCE = "sentence"
"""Sentences are texts, and are told apart from whole texts when they are judged."""


def kind_of(entity_type: str, entity_id: str) -> str:
    """Its type; SENTENCE for a sentence."""
    return SENTENCE if entity_type == EntityType.TEXT and entity_id.startswith(PREFIX) else entity_type


SIGNS = ("always", "claimants", "share", "one_seller", "length")
"""always: one. claimants: doublings beyond two. share: log-odds of a user being a claimant, 0 when all are. one_seller: of an
image, one when all claims that show it are with one seller, whose page it may be from. length: of a text, in e-foldings beyond 30 bytes."""

GUESS: Mapping[str, tuple[float, float, float, float, float]] = {
    EntityType.DEVICE: (-1.3, 4.4, 2.2, 0.0, 0.0),
    EntityType.CARD: (-1.8, 4.0, 1.5, 0.0, 0.0),
    EntityType.IMAGE: (1.9, 1.4, 0.0, -7.0, 0.0),
    EntityType.TEXT: (-1.5, 0.0, 0.0, 0.0, 2.0),
    SENTENCE: (-3.7, 3.4, 0.0, 0.0, 0.5),
    EntityType.ADDRESS: (-2.1, 3.6, 3.1, 0.0, 0.0),
    EntityType.IP: (-0.6, 2.6, 3.9, 0.0, 0.0),
    EntityType.PHONE: (-4.0, 1.0, 1.0, 0.0, 0.0),
}
"""Weights of SIGNS before anything was judged: rounded from simulated markets 11 to 20 at four moments of a year, never from 1 to 5, which are
reported. Support agents and other types tie nobody. From weights of (-2, 1, 1, 0, 0) for all, learning alone comes within .02 of their F1."""

FIRM = 30.0
"""How firmly the guesses are held, in units of the curvature that so many undecided entities give."""

CROWD_FROM = 5.0
CROWD = -2.0
"""Every doubling of users beyond 2 ** CROWD_FROM takes as much off the log-odds: not learned, so that no phrase or place of thousands ever ties."""

ALL_CLAIM = 1.2
"""Slightly over one, so that the share of claimants has finite odds where all users claim."""

TIME_TO_CLAIM_US = 7 * DAY_US
ROUNDS = 6
STEPS = 12
SMALL_STEP = 1e-6
CERTAIN = 0.98
"""No single entity makes it surer than that."""

TOOL_SHARE, USUAL_SHARE = 0.65, 0.35
"""Of a tool's judged users so many are abusers, of a meeting place's so many: closer together than they are, because one person's judgement is
seen through every entity that the person used, and would be counted several times."""

MOST_SAID = 4.0
"""Judgements add at most so much to the log-odds: that many abusers wrote the same phrase does not make them one group."""

Floats = npt.NDArray[np.float64]


class Looks(NamedTuple):
    """What is known of entities of one kind without asking who was judged: SIGNS and the crowd's part of the log-odds, and what judgements add."""

    signs: Floats
    crowd: Floats
    judged: Floats


def entities_of(seen: Seen) -> pl.DataFrame:
    """One row an entity with two or more claimants: users (who had time to claim), claimants, judged, abusers among them, and its traits."""
    users = seen.uses.join(_had_time(seen), on="buyer", how="semi").group_by(*ENTITY).agg(users=pl.len())
    claiming = seen.uses.join(buyers_judged(seen.claims), on="buyer", how="inner")
    found = claiming.group_by(*ENTITY).agg(claimants=pl.len(), judged=pl.col("abuse").count(), abusers=pl.col("abuse").sum())
    joined = found.filter(pl.col("claimants") > 1).join(users, on=ENTITY, how="left")
    return joined.join(seen.traits, on=ENTITY, how="left", maintain_order="left").sort(*ENTITY)


def _had_time(seen: Seen) -> pl.DataFrame:
    """The buyers who count as users: those who claimed, and those who ordered long enough ago to have claimed; all of them where no order is told.

    An account opened last week that has nothing to complain of yet does not speak for the things it uses.
    """
    claimed, bought = seen.claims.select("buyer").unique(), seen.uses.drop_nulls("ordered_us")
    if bought.is_empty():
        return seen.uses.select("buyer").unique()
    return pl.concat([claimed, bought.filter(pl.col("ordered_us") < seen.as_of_us - TIME_TO_CLAIM_US).select("buyer")]).unique()


def discounted(entities: pl.DataFrame) -> pl.DataFrame:
    """The entities with `kind`, among which looks are compared, and `weight`, the probability that two claimants who used one belong together."""
    sentence = (pl.col("entity_type") == EntityType.TEXT) & pl.col("entity_id").str.starts_with(PREFIX)
    kinds = entities.with_columns(kind=pl.when(sentence).then(pl.lit(SENTENCE)).otherwise("entity_type"))
    names = kinds["kind"].to_numpy()
    weight = np.zeros(kinds.height)
    for kind, guess in GUESS.items():
        rows = np.flatnonzero(names == kind)
        if len(rows):
            weight[rows] = fit(looks(kinds[rows]), np.array(guess))
    return kinds.with_columns(weight=pl.Series(weight, dtype=pl.Float64))


def looks(entities: pl.DataFrame) -> Looks:
    """The entities, all of one kind, as numbers."""
    users, claimants, judged, abusers = (
        entities[name].fill_null(0).cast(pl.Float64).to_numpy() for name in ("users", "claimants", "judged", "abusers")
    )
    share = claimants / users
    signs = np.column_stack(
        [
            np.ones(len(users)),
            np.log2(claimants) - 1.0,
            np.log(share / (ALL_CLAIM - share)) - np.log(1.0 / (ALL_CLAIM - 1.0)),
            (entities["sellers"] == 1).fill_null(value=False).cast(pl.Float64).to_numpy(),
            np.log(entities["length"].fill_null(30).cast(pl.Float64).to_numpy().clip(1.0) / 30.0),
        ]
    )
    crowd = CROWD * np.maximum(np.log2(users) - CROWD_FROM, 0.0)
    says = abusers * np.log(TOOL_SHARE / USUAL_SHARE) + (judged - abusers) * np.log((1 - TOOL_SHARE) / (1 - USUAL_SHARE))
    return Looks(signs, crowd, np.minimum(says, MOST_SAID))


def fit(seen: Looks, guess: Floats) -> Floats:
    """For each entity of one kind the probability that it is a tool; the weights of the signs go from the guess to what the judgements say."""
    weights = guess.copy()
    for _ in range(ROUNDS):
        found = _sure(seen.signs @ weights + seen.crowd + seen.judged)
        weights = _relearned(seen, found, weights, guess)
    return np.minimum(_sure(seen.signs @ weights + seen.crowd + seen.judged), CERTAIN)


def _relearned(seen: Looks, found: Floats, weights: Floats, guess: Floats) -> Floats:
    """Weights by which the signs alone foretell `found` best, held to the guess: logistic regression by Newton's method."""
    hold = np.full(len(guess), FIRM)
    hold[0] = FIRM / 4.0
    for _ in range(STEPS):
        alone = _sure(seen.signs @ weights + seen.crowd)
        slope = seen.signs.T @ (found - alone) - hold * (weights - guess)
        curve = (seen.signs.T * (alone * (1.0 - alone))) @ seen.signs + np.diag(hold)
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if np.abs(step).max() < SMALL_STEP:
            break
    return weights


def _sure(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0))))
