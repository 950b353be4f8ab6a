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
"""How likely an entity is a tool when two or three people use it, before any judgement; a guess. It falls as the users grow."""

PRIOR_WEIGHT = 4.0
"""The prior counts as much as so many entities of the same kind."""

MOST_CLAIM = 2 / 3
"""Share of claimants among the users from which an entity is one that mostly claimants use."""

STRANGERS = 8
"""Users from which an address is looked at burst by burst, too; fewer are a household, and the address as a whole says it."""

ROUNDS = 25
CERTAIN = 0.98
"""No single entity makes it surer than that."""

Floats = npt.NDArray[np.float64]


TOOL_SHARE = 0.85
TOOL_SHARE_WEIGHT = 10.0
"""Before history says otherwise, so many of a tool's judged users are abusers; it counts as much as so many users."""

USUAL_ABUSERS, USUAL_JUDGED = 1.0, 8.0
"""The same for meeting places, where judgements fall on the suspicious first."""


class Learned(NamedTuple):
    """What history taught: shares of abusers among the judged users of tools and of meeting places."""

    tool: float
    usual: float


def entities_of(seen: Seen) -> pl.DataFrame:
    """One row an entity, or burst, with two or more claimants: users (of a burst: the address's), claimants, judged, and abusers among them."""
    whole = pl.col("burst") == 0
    users = seen.uses.filter(whole).group_by("entity_type", "entity_id").agg(users=pl.len())
    claiming = seen.uses.join(buyers_judged(seen.claims), on="buyer", how="inner")
    found = claiming.group_by(*ENTITY).agg(claimants=pl.len(), judged=pl.col("abuse").count(), abusers=pl.col("abuse").sum())
    joined = found.filter(pl.col("claimants") > 1).join(users, on=["entity_type", "entity_id"], how="left")
    return joined.filter(whole | (pl.col("users") >= STRANGERS)).sort(*ENTITY)


def discounted(entities: pl.DataFrame) -> pl.DataFrame:
    """The entities with `weight`, the probability that two claimants who used it belong together by it, and `kind`, what it was compared with."""
    doublings = pl.col("users").log(2).floor().cast(pl.Int32)
    kinds = entities.with_columns(
        size=doublings,
        mostly=pl.col("claimants") >= MOST_CLAIM * pl.col("users"),
        busy=pl.when(pl.col("burst") > 0).then((2 * pl.col("claimants").log(2)).floor()).otherwise(0).cast(pl.Int32),
    )
    kinds = kinds.with_columns(kind=pl.struct("entity_type", "size", "mostly", "busy").rank("dense").cast(pl.Int64) - 1)
    base = pl.col("entity_type").replace_strict({str(kind): share for kind, share in PRIOR.items()}, return_dtype=pl.Float64)
    prior = kinds.select(base * 2.0 ** (1 - pl.col("size"))).to_series()
    judged, abusers = (kinds[name].cast(pl.Float64).to_numpy() for name in ("judged", "abusers"))
    weight, _ = fit(kinds["kind"].to_numpy(), prior.to_numpy(), judged, abusers)
    return kinds.with_columns(weight=pl.Series(weight, dtype=pl.Float64))


def fit(kind: npt.NDArray[np.int64], prior: Floats, judged: Floats, abusers: Floats) -> tuple[Floats, Learned]:
    """For each entity the probability that it is a tool, and the shares of abusers learned for tools and others."""
    learned = Learned(TOOL_SHARE, float((abusers.sum() + USUAL_ABUSERS) / (judged.sum() + USUAL_JUDGED)))
    kinds = int(kind.max(initial=-1)) + 1
    many = np.bincount(kind, minlength=kinds)
    start = np.bincount(kind, prior, kinds) / np.maximum(many, 1)
    share, found = start, prior
    for _ in range(ROUNDS):
        odds = np.log(share[kind]) - np.log1p(-share[kind])
        odds += abusers * np.log(learned.tool / learned.usual) + (judged - abusers) * np.log((1 - learned.tool) / (1 - learned.usual))
        found = 1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0)))
        share = np.clip((np.bincount(kind, found, kinds) + PRIOR_WEIGHT * start) / (many + PRIOR_WEIGHT), 1e-9, CERTAIN)
        learned = _relearned(found, judged, abusers)
    return np.minimum(found, CERTAIN), learned


def _relearned(found: Floats, judged: Floats, abusers: Floats) -> Learned:
    """Shares of abusers among users of tools and of the rest, given how likely each entity is a tool."""
    tools, caught = float(found @ judged), float(found @ abusers)
    tool = (caught + TOOL_SHARE * TOOL_SHARE_WEIGHT) / (tools + TOOL_SHARE_WEIGHT)
    usual = (float(abusers.sum()) - caught + USUAL_ABUSERS) / (float(judged.sum()) - tools + USUAL_JUDGED)
    return Learned(float(np.clip(tool, 0.6, 0.97)), float(np.clip(usual, 0.01, 0.5)))
