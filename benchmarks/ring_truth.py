"""Rings as the ring finder lists them beside the simulator's truth: pairs of claimants, the ceiling for anybody, and when a ring was first listed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from graph.rings import Build, Ring, build_rings
from graph.uses import ENTITY, GUEST, Seen, seen_before

LEAST_MEMBERS = 3
SEEN_FROM = 2
HOUR = timedelta(hours=1)
MOSTLY = 0.3
"""Share of an entity's claimants that are of one ring, from which it counts as that ring's in the strict ceiling."""


def claimants(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """buyer, ring_id, abuse, archetype: what every claimant really is; a ring_id only where three or more claimants share it."""
    buyer = pl.coalesce("account_id", pl.lit(GUEST) + pl.col("request_id"))
    truth = tables["truth"].join(tables["refund_requests"].select("request_id", buyer=buyer), on="request_id")
    people = truth.group_by("buyer").agg(pl.col("ring_id").drop_nulls().first(), pl.col("abuse").any(), pl.col("archetype").sort_by("abuse").last())
    whole = pl.len().over("ring_id") >= LEAST_MEMBERS
    return people.with_columns(ring_id=pl.when(whole).then("ring_id")).sort("buyer")


def listed_members(build: Build) -> pl.DataFrame:
    """found, buyer: the members of the rings that an analyst is shown."""
    rows = [(ring.ring_id, member) for ring in build.rings if ring.listed for member in ring.members]
    return pl.DataFrame(rows, schema={"found": pl.String, "buyer": pl.String}, orient="row")


def pair_counts(people: pl.DataFrame, found: pl.DataFrame) -> dict[str, float]:
    """Precision, recall and F1 over pairs of claimants: in one found group, in one true ring."""
    true = people.drop_nulls("ring_id")
    both = _pairs(found.join(true, on="buyer").group_by("found", "ring_id").len()["len"])
    claimed, real = _pairs(found.group_by("found").len()["len"]), _pairs(true.group_by("ring_id").len()["len"])
    return {"precision": both / max(claimed, 1.0), "recall": both / max(real, 1.0), "F1": 2 * both / max(claimed + real, 1.0)}


def recall_by_archetype(people: pl.DataFrame, found: pl.DataFrame) -> dict[str, float]:
    """Share of the pairs in true rings that are in one found group, by archetype."""
    true = people.drop_nulls("ring_id")
    both = found.join(true, on="buyer").group_by("archetype", "found", "ring_id").len()
    real = true.group_by("archetype", "ring_id").len()
    caught = {name: _pairs(part["len"]) for (name,), part in both.group_by(["archetype"])}
    return {str(name): caught.get(name, 0.0) / max(_pairs(part["len"]), 1.0) for (name,), part in real.sort("archetype").group_by(["archetype"])}


def _pairs(sizes: pl.Series) -> float:
    return float((sizes * (sizes - 1) / 2).sum())


def ceilings(people: pl.DataFrame, seen: Seen) -> dict[str, float]:
    """F1 of an oracle that knows every ring, but may put two of a ring together only when shared entities connect them within the ring.

    anything: over everything that both used, carriers' networks and busy support agents too. own: over entities whose claimants are the
    ring's to a good part (MOSTLY), which is about what can be told from strangers.
    """
    counted = seen.uses.join(people.select("buyer", "ring_id"), on="buyer").with_columns(users=pl.len().over(ENTITY))
    mine = counted.drop_nulls("ring_id").with_columns(members=pl.len().over(*ENTITY, "ring_id"))
    own = mine.filter(pl.col("members") >= MOSTLY * pl.col("users"))
    return {"anything": pair_counts(people, _connected(people, mine))["F1"], "own": pair_counts(people, _connected(people, own))["F1"]}


def _connected(people: pl.DataFrame, uses: pl.DataFrame) -> pl.DataFrame:
    """found, buyer: components of the members of each true ring over these uses."""
    nodes = people.drop_nulls("ring_id").select("buyer").with_row_index("node")
    edges = uses.join(nodes, on="buyer").with_columns(thing=pl.struct(*ENTITY, "ring_id").rank("dense").cast(pl.Int64) - 1 + nodes.height)
    size = nodes.height + edges["thing"].n_unique()
    ones = np.ones(edges.height, dtype=np.int8)
    matrix = coo_matrix((ones, (edges["node"].to_numpy(), edges["thing"].to_numpy())), shape=(size, size))
    group = connected_components(matrix, directed=False)[1][: nodes.height]
    found = nodes.select("buyer", found=pl.Series(group).cast(pl.String))
    return found.filter(pl.len().over("found") >= LEAST_MEMBERS)


class Shown(NamedTuple):
    """What analysts would have seen of one market, by LISTS: hours of each true ring, and of each ring they were shown whether it was a true one.

    hours: from the third claim of each true ring (of three or more) to the first hourly build that shows it; inf for never. A ring is shown when
    two of its people or more make up at least half of a ring on the list.
    """

    hours: dict[str, list[float]]
    rings: dict[str, dict[str, bool]]


SHIPPED = "listed"
LISTS: Mapping[str, Callable[[Ring], bool]] = {SHIPPED: lambda ring: ring.listed} | {
    f"score >= {least:.2f}": partial(lambda ring, least: ring.score >= least, least=least) for least in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
}
"""Ways to say which rings an analyst is shown: as shipped, and by other limits, for the curve."""


def until_shown(tables: Mapping[str, pl.DataFrame], end: datetime, days: int) -> Shown:
    """How soon and how rightly rings are shown by an hourly job as shipped, and by a daily one under other limits.

    Builds are made daily and then hourly inside the day in which a ring appeared: what hourly builds would give, as long as a ring does not vanish
    within the day.
    """
    people = claimants(tables)
    ring_of = dict(people.drop_nulls("ring_id").select("buyer", "ring_id").iter_rows())
    known = shared_only(tables)
    made: dict[datetime, dict[str, set[str]]] = {}

    def shown(moment: datetime, name: str) -> set[str]:
        if moment not in made:
            rings = build_rings(known, moment).rings
            made[moment] = {
                each: {found for ring in filter(wanted, rings) for found in of_one_ring(ring.members, ring_of)} for each, wanted in LISTS.items()
            }
        return made[moment][name]

    first: dict[str, dict[str, datetime]] = {name: {} for name in LISTS}
    told: dict[str, dict[str, bool]] = {name: {} for name in LISTS}
    build, before = None, end - timedelta(days=days)
    while before < end:
        day = min(before + timedelta(days=1), end)
        build = build_rings(known, day, before=build)
        made[day] = {
            name: {found for ring in filter(wanted, build.rings) for found in of_one_ring(ring.members, ring_of)} for name, wanted in LISTS.items()
        }
        for name, wanted in LISTS.items():
            told[name] = {ring.ring_id: bool(of_one_ring(ring.members, ring_of)) for ring in filter(wanted, build.rings)} | told[name]
            for ring_id in made[day][name] - set(first[name]):
                first[name][ring_id] = _hour(partial(shown, name=name), ring_id, before, day) if name == SHIPPED else day
        before = day
    return Shown({name: _waits(tables, ring_of, found) for name, found in first.items()}, told)


def _hour(shown: Callable[[datetime], set[str]], ring_id: str, low: datetime, high: datetime) -> datetime:
    """The first hourly build of the day that shows the ring."""
    while high - low > HOUR:
        middle = low + HOUR * (((high - low) // HOUR) // 2)
        low, high = (low, middle) if ring_id in shown(middle) else (middle, high)
    return high


def of_one_ring(members: Sequence[str], ring_of: Mapping[str, str]) -> set[str]:
    """The true rings of which two people or more make up at least half of these."""
    names = [ring_of[member] for member in members if member in ring_of]
    return {name for name in set(names) if names.count(name) >= max(SEEN_FROM, len(members) / 2)}


def _waits(tables: Mapping[str, pl.DataFrame], ring_of: Mapping[str, str], first: Mapping[str, datetime]) -> list[float]:
    rings = tables["truth"].drop_nulls("ring_id").join(tables["refund_requests"].select("request_id", "known_at"), on="request_id")
    rings = rings.filter(pl.col("ring_id").is_in(set(ring_of.values()))).sort("known_at")
    thirds = {str(ring_id): part["known_at"][2] for (ring_id,), part in rings.group_by(["ring_id"], maintain_order=True)}
    return [(first[ring_id] - third) / HOUR if ring_id in first else float("inf") for ring_id, third in thirds.items()]


def shared_only(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """What was known, with only those links that matter to a ring, so that a build of a year takes a tenth of a second and finds the same.

    Of an entity and an account the first link and the first order are enough, and entities that two claimants never shared tie nobody.
    """
    links = tables["links"].filter(pl.col("entity_type") != "agent").sort("known_at", maintain_order=True)
    told_whole = pl.col("account_id").is_null() | pl.col("entity_type").is_in(["image", "text"])
    ordered = pl.col("order_id").is_not_null() & pl.col("request_id").is_null()
    used = (*ENTITY, "account_id")
    firsts = [part.unique(used, keep="first", maintain_order=True) for part in (links.filter(~told_whole), links.filter(~told_whole & ordered))]
    links = pl.concat([*firsts, links.filter(told_whole)]).unique(maintain_order=True)
    asking = tables["refund_requests"].select("account_id").drop_nulls().unique()
    claiming = pl.concat([links.join(asking, on="account_id", how="semi"), links.filter(pl.col("account_id").is_null())])
    shared = claiming.group_by(*ENTITY).agg(users=pl.coalesce("account_id", "request_id", "order_id").n_unique()).filter(pl.col("users") > 1)
    first_order = links.filter(ordered & pl.col("account_id").is_not_null()).unique("account_id", keep="first", maintain_order=True)
    kept = pl.concat([links.join(shared, on=ENTITY, how="semi"), first_order]).unique(maintain_order=True)
    return {name: frame for name, frame in tables.items() if name != "truth"} | {"links": kept}


def world(tables: Mapping[str, pl.DataFrame], end: datetime) -> tuple[dict[str, float], dict[str, float], pl.DataFrame]:
    """Figures of one world at the end of its period, recall by archetype, and its claimants with `shown`, whether a listed ring holds them."""
    people = claimants(tables)
    known = {name: frame for name, frame in tables.items() if name != "truth"}
    found = listed_members(build_rings(known, end))
    top = ceilings(people, seen_before(known, end))
    figures = pair_counts(people, found) | {f"ceiling, {name}": value for name, value in top.items()}
    return figures, recall_by_archetype(people, found), people.with_columns(shown=pl.col("buyer").is_in(found["buyer"].implode()))
