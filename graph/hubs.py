"""Hubs do not make rings: how far does it go to show that two claimants belong together, that they used the same entity?

An entity shared by claimants is either a tool of one group or something that strangers meet at: a dormitory, a courier point, a carrier's NAT, a
phrase that everybody writes. Which one is learned from what became known before: of entities of this type with about so many users, how often did
the judged users turn out alike? Each user judged honest then speaks against the one entity at hand, and each confirmed abuser for it. That is a
mixture of two kinds of entity, fitted by a few rounds of expectation and maximisation; PRIOR holds what counts before anything was judged.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.link import EntityType
from graph.uses import ENTITY, Seen, buyers_judged

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
"""How likely an entity is a tool when two or three people use it, before any judgement; a guess. It falls with the square of the users."""

PRIOR_WEIGHT = 4.0
"""The prior counts as much as so many entities of the same kind."""

MOST_CLAIM = 2 / 3
"""Share of claimants among the users from which an entity is one that mostly claimants use."""

ROUNDS = 25
CERTAIN = 0.98
"""No single entity makes it surer than that."""

Floats = npt.NDArray[np.float64]


class Learned(NamedTuple):
    """What history taught: shares of abusers among the judged users of tools and of meeting places."""

    tool: float
    usual: float


def entities_of(seen: Seen) -> pl.DataFrame:
    """One row an entity with two or more claimants: its users, claimants, sellers claimed against, judged claimants and abusers among them."""
    judged = buyers_judged(seen.claims)
    users = seen.uses.group_by(*ENTITY).agg(users=pl.len())
    claiming = seen.uses.join(judged, on="buyer", how="inner")
    found = claiming.group_by(*ENTITY).agg(
        claimants=pl.len(),
        judged=pl.col("abuse").count(),
        abusers=pl.col("abuse").sum(),
    )
    return found.filter(pl.col("claimants") > 1).join(users, on=ENTITY, how="left").sort(*ENTITY)


def discounted(entities: pl.DataFrame) -> pl.DataFrame:
    """The entities with `weight`, the probability that two claimants who used it belong together by it, and `kind`, what it was compared with."""
    kinds = entities.with_columns(
        size=pl.col("users").log(2).floor().cast(pl.Int32),
        mostly=pl.col("claimants") >= MOST_CLAIM * pl.col("users"),
    )
    kinds = kinds.with_columns(kind=pl.struct("entity_type", "size", "mostly").rank("dense").cast(pl.Int64) - 1)
    prior = kinds.select(
        pl.col("entity_type").replace_strict({str(kind): share for kind, share in PRIOR.items()}, return_dtype=pl.Float64)
        * (2.0 ** pl.col("size") / 2.0) ** -2
    ).to_series()
    weight, _ = fit(
        kinds["kind"].to_numpy(),
        prior.to_numpy(),
        kinds["judged"].cast(pl.Float64).to_numpy(),
        kinds["abusers"].cast(pl.Float64).to_numpy(),
    )
    return kinds.with_columns(weight=pl.Series(weight, dtype=pl.Float64))


def fit(kind: npt.NDArray[np.int64], prior: Floats, judged: Floats, abusers: Floats) -> tuple[Floats, Learned]:
    """For each entity the probability that it is a tool, and the shares of abusers learned for tools and others."""
    total = judged.sum()
    usual = float((abusers.sum() + 1.0) / (total + 8.0))
    tool = 0.85
    size = int(kind.max(initial=-1)) + 1
    many = np.bincount(kind, minlength=size)
    start = np.bincount(kind, prior, size) / np.maximum(many, 1)
    rate = start
    found = prior
    for _ in range(ROUNDS):
        odds = np.log(rate[kind]) - np.log1p(-rate[kind])
        odds = odds + abusers * np.log(tool / usual) + (judged - abusers) * np.log((1 - tool) / (1 - usual))
        found = 1.0 / (1.0 + np.exp(-np.clip(odds, -50, 50)))
        rate = np.clip((np.bincount(kind, found, size) + PRIOR_WEIGHT * start) / (many + PRIOR_WEIGHT), 1e-6, CERTAIN)
        told = found * judged
        tool = float(np.clip((found @ abusers + 0.85 * 10) / (told.sum() + 10), 0.6, 0.97))
        rest = total - told.sum()
        usual = float(np.clip((abusers.sum() - found @ abusers + 1.0) / (rest + 8.0), 0.01, 0.5))
    return np.minimum(found, CERTAIN), Learned(tool, usual)
