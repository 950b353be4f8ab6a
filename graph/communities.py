"""Claimants who belong together: ties between them from discounted entities, and the groups that Leiden finds in the ties.

Every entity ties each claimant to the NEAREST ones that used it before, so a popular entity costs in proportion to its users, not to their square.
Two claimants' entities are taken as independent reasons: the tie is one minus the product of what each leaves open. Leiden runs with the constant
Potts model, whose RESOLUTION is a density: members of a group are tied by so much on average, however large the whole graph is.
"""

from random import Random
from typing import NamedTuple

import numpy as np
import polars as pl

from data_contracts.machine_code import compiled
from graph.union_find import Codes, Ints
from graph.uses import ENTITY, Seen

NEAREST = 32
LEAST = 0.05
"""Entities that say less than this tie nobody."""

LEAST_TIE = 0.15
"""Ties weaker than this are left out: they would chain strangers. At .3 pairs are found .003 better; weaker ties are what tells of a ring early."""

RESOLUTION = 0.02
ITERATIONS = 10
SEED = 20260101
"""Leiden visits nodes in a random order; a fixed one gives equal groups for equal data."""


class Ties(NamedTuple):
    """Claimants (sorted names), ties between them as codes and weights, and the uses that made them (with `claimant` codes and weights)."""

    claimants: pl.Series
    pairs: pl.DataFrame
    uses: pl.DataFrame


def ties(seen: Seen, entities: pl.DataFrame) -> Ties:
    """The ties between claimants; `entities` are discounted."""
    claimants = seen.claims["buyer"].unique().sort()
    codes = claimants.to_frame().with_columns(claimant=pl.int_range(pl.len(), dtype=pl.Int32))
    telling = entities.filter(pl.col("weight") >= LEAST).select(*ENTITY, "weight").with_row_index("entity")
    uses = seen.uses.join(telling, on=ENTITY, how="inner").join(codes, on="buyer", how="inner").sort("entity", "first_us", "claimant")
    left, right, place = _pairs(uses["entity"].cast(pl.Int32).to_numpy(), uses["claimant"].to_numpy())
    raw = pl.DataFrame({"a": left, "b": right, "open": np.log1p(-uses["weight"].to_numpy()[place])})
    pairs = raw.group_by("a", "b").agg(shared=pl.len(), weight=1.0 - pl.col("open").sum().exp())
    return Ties(claimants, pairs.filter(pl.col("weight") >= LEAST_TIE).sort("a", "b"), uses)


@compiled
def _pairs(entity: Codes, claimant: Codes) -> tuple[Codes, Codes, Ints]:
    """For uses grouped by entity in the order of time: each pair of near uses as smaller and larger claimant, and the use's place."""
    count = 0
    first = 0
    for place in range(len(entity)):
        if entity[place] != entity[first]:
            first = place
        count += min(place - first, NEAREST)
    left = np.empty(count, dtype=np.int32)
    right = np.empty(count, dtype=np.int32)
    at = np.empty(count, dtype=np.int64)
    count = 0
    first = 0
    for place in range(len(entity)):
        if entity[place] != entity[first]:
            first = place
        for other in range(max(first, place - NEAREST), place):
            left[count] = min(claimant[place], claimant[other])
            right[count] = max(claimant[place], claimant[other])
            at[count] = place
            count += 1
    return left, right, at


def communities(pairs: pl.DataFrame, claimants: int, resolution: float = RESOLUTION) -> Ints:
    """The group of each claimant, numbered from 0 in the order of their first members; one without ties is a group of his own."""
    import igraph

    nodes, ends = np.unique(pairs.select("a", "b").to_numpy(), return_inverse=True)
    graph = igraph.Graph(n=len(nodes), edges=ends.reshape(-1, 2))
    igraph.set_random_number_generator(Random(SEED))  # noqa: S311  # no secret hangs on it
    found = graph.community_leiden(objective_function="CPM", weights=pairs["weight"].to_list(), resolution=resolution, n_iterations=ITERATIONS)
    membership = np.arange(claimants, dtype=np.int64) + len(nodes)
    membership[nodes] = found.membership
    _, first, inverse = np.unique(membership, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)
