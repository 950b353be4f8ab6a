"""What is measured of each group of claimants: how it is held together, when it claimed, how much, and what was judged of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.link import EntityType
from graph.communities import LEAST, Ties
from graph.uses import DAY_US, ENTITY, Seen

BUSY_US = 30 * DAY_US
"""The length of the busiest time that claims are counted in."""

CLOSE_US = DAY_US
"""Claims of two members no further apart than this were sent together."""

MOST_NAMED = 40
"""Entities named in a ring, the telling ones first; the others count, but are not listed."""

HUBS_NAMED = 5
STRANGERS = 3
"""An entity that says nothing is told as a meeting place when it has so many users for each member."""


class Held(NamedTuple):
    """One entity that members share: how many of them used it, of how many users in all, and the probability that it is a tool of theirs.

    judged and abusers count claimants among all users.
    """

    entity_type: EntityType
    entity_id: str
    members: int
    users: int
    judged: int
    abusers: int
    weight: float


class Measures(NamedTuple):
    """The measures of one group; `rings.Ring` says what they mean. `judged` and `abusers` count members, `confirmed` and `cleared` requests."""

    members: tuple[str, ...]
    entities: tuple[Held, ...]
    hubs: tuple[Held, ...]
    belonging: float
    judged: int
    abusers: int
    claims: int
    busy_claims: int
    close_claims: int
    span_days: float
    amount_minor: int | None
    confirmed: int
    cleared: int
    first_us: int
    first_claim_us: int
    last_claim_us: int


def measures(seen: Seen, entities: pl.DataFrame, found: Ties, members: pl.DataFrame) -> list[Measures]:
    """One for each group of `members` (group, buyer), in the order of the groups; `entities` are discounted."""
    belonging = _belonging(found, members)
    claims = _claims(seen, members)
    shared = _shared(seen, entities, members)
    held = _by_group(shared.filter(pl.col("weight") >= LEAST), MOST_NAMED)
    strangers = (pl.col("weight") < LEAST) & (pl.col("users") >= STRANGERS * pl.col("members"))
    hubs = _by_group(shared.filter(strangers).sort(["users", *ENTITY], descending=[True, False, False]), HUBS_NAMED)
    first = dict(shared.filter(pl.col("weight") >= LEAST).group_by("group").agg(pl.col("first_us").min()).iter_rows())
    names: dict[int, list[str]] = {}
    for group, buyer in members.select("group", "buyer").iter_rows():
        names.setdefault(group, []).append(buyer)
    return [
        Measures(
            members=tuple(names[group]),
            entities=held.get(group, ()),
            hubs=hubs.get(group, ()),
            belonging=belonging.get(group, 0.0),
            first_us=first.get(group, claims[group]["first_claim_us"]),
            **claims[group],
        )
        for group in sorted(names)
    ]


def _belonging(found: Ties, members: pl.DataFrame) -> dict[int, float]:
    """The mean probability that a member has a real tie into the group."""
    codes = found.claimants.to_frame("buyer").with_columns(code=pl.int_range(pl.len(), dtype=pl.Int32))
    group = members.join(codes, on="buyer", how="left").select("code", "group")
    sides = found.pairs.join(group, left_on="a", right_on="code").join(group, left_on="b", right_on="code", suffix="_b")
    inside = sides.filter(pl.col("group") == pl.col("group_b")).with_columns(open=(-pl.col("weight")).log1p())
    each = pl.concat([inside.select("group", "open", code="a"), inside.select("group", "open", code="b")])
    tied = each.group_by("group", "code").agg(tie=1.0 - pl.col("open").sum().exp())
    return dict(tied.group_by("group").agg(pl.col("tie").mean()).iter_rows())


def _claims(seen: Seen, members: pl.DataFrame) -> dict[int, dict[str, Any]]:
    """Counts, times, money and judgements of the members' claims."""
    claims = members.join(seen.claims, on="buyer", how="inner").sort("group", "known_us")
    counted = claims.group_by("group").agg(
        claims=pl.len(),
        amount_minor=pl.when(pl.col("amount_minor").count() > 0).then(pl.col("amount_minor").sum()),
        confirmed=pl.col("abuse").sum(),
        cleared=(~pl.col("abuse")).sum(),
        first_claim_us=pl.col("known_us").min(),
        last_claim_us=pl.col("known_us").max(),
        times="known_us",
        senders="buyer",
    )
    people = claims.group_by("group", "buyer").agg(pl.col("abuse").max()).group_by("group")
    judged = people.agg(judged=pl.col("abuse").count(), abusers=pl.col("abuse").sum())
    found = {}
    for row in counted.join(judged, on="group").iter_rows(named=True):
        times = np.asarray(row.pop("times"), dtype=np.int64)
        row["close_claims"] = _close(times, row.pop("senders"))
        row["busy_claims"] = int((np.searchsorted(times, times + BUSY_US, side="right") - np.arange(len(times))).max())
        row["span_days"] = float(times[-1] - times[0]) / DAY_US
        found[row.pop("group")] = row
    return found


def _close(times: npt.NDArray[np.int64], senders: list[str]) -> int:
    """How many of these claims, in the order of time, lie close to one of another sender.

    The nearest earlier one of another sender is the last of a run of the same sender, so neighbours and ends of runs are all that is looked at.
    """
    close = np.zeros(len(times), dtype=np.bool_)
    other = -1
    for place in range(1, len(times)):
        if senders[place] != senders[place - 1]:
            other = place - 1
        if other >= 0 and times[place] - times[other] <= CLOSE_US:
            close[place] = True
    other = len(times)
    for place in range(len(times) - 2, -1, -1):
        if senders[place] != senders[place + 1]:
            other = place + 1
        if other < len(times) and times[other] - times[place] <= CLOSE_US:
            close[place] = True
    return int(close.sum())


def _shared(seen: Seen, entities: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The entities that two or more members of a group used, the telling ones first; first_us is when the second of them came."""
    mine = seen.uses.join(members, on="buyer", how="inner")
    grouped = mine.group_by("group", *ENTITY).agg(members=pl.len(), first_us=pl.col("first_us").bottom_k(2).max()).filter(pl.col("members") > 1)
    told = entities.select(*ENTITY, "users", "judged", "abusers", "weight")
    return grouped.join(told, on=ENTITY, how="inner").sort(["weight", "members", *ENTITY], descending=[True, True, False, False])


def _by_group(shared: pl.DataFrame, most: int) -> Mapping[int, tuple[Held, ...]]:
    found: dict[int, list[Held]] = {}
    for row in shared.select("group", *Held._fields).iter_rows(named=True):
        listed = found.setdefault(row.pop("group"), [])
        if len(listed) < most:
            listed.append(Held(**row | {"entity_type": EntityType(row["entity_type"])}))
    return {group: tuple(listed) for group, listed in found.items()}
