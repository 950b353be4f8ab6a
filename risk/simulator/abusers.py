"""The abusers: which accounts take part, in which group, from when to when, and what their group shares."""

from dataclasses import dataclass

import numpy as np

from risk.simulator.archetypes import ABUSE, ROLE, Archetype
from risk.simulator.arrays import DAY, NONE, Floats, Ints, Rng, chance, run_lengths, weighted
from risk.simulator.people import Network, People, Pools
from risk.simulator.season import Period

LATE_FROM = 0.6
"""Late campaigns start after this share of the period."""

RUNNING = 0.2
"""Other groups start at any time from so much of a period before it, so some run already when it begins."""

IPS_A_GROUP = 5
VPN_IPS = 0.4  # share of them that are exits of VPNs which honest people use too
PHOTOS_A_GROUP = 3
CLEAN = 0.3  # complaint below which a record stays clean


@dataclass(frozen=True, slots=True)
class Groups:
    """One row a group (people who act alone are groups of one): its archetype, its days and its shared traces.

    `ips` has IPS_A_GROUP columns, some of them VPN exits that honest people use too. `agent` says whether a bribed agent serves it.
    """

    role: Ints
    start_us: Ints
    end_us: Ints
    device: Ints
    ips: Ints
    agent: Ints


@dataclass(frozen=True, slots=True)
class Planned:
    """Orders that exist because of a role: `abusive` of them, one row each, end in an abusive claim."""

    account: Ints
    moment_us: Ints
    abusive: Ints


def recruit(rng: Rng, people: People, budget: int) -> Ints:
    """Give roles and group numbers to accounts so that about `budget` abusive claims come of them; returns each group's role.

    All are ordinary people at first; `share_in_rings` gives ring members accounts made for the purpose.
    """
    roles: list[Ints] = []
    free = np.ones(len(people), dtype=np.bool_)
    first_group = 0
    for code, archetype in enumerate(ABUSE):
        wanted = round(budget * archetype.share / (1.0 + archetype.further_claims))
        wanted = min(wanted, int(free.sum()) // 2)
        lengths = _group_sizes(rng, archetype, wanted)
        # people who order more are met more often by every scheme; clean records suit a faker
        weights = np.sqrt(people.weight) * free * (people.complaint < CLEAN if archetype.ramp else 1.0)
        members = _without_return(rng, weights, int(lengths.sum()))
        free[members] = False
        people.role[members] = code
        people.group[members] = first_group + np.repeat(np.arange(len(lengths)), lengths)
        first_group += len(lengths)
        roles.append(np.full(len(lengths), code, dtype=np.int64))
    # a last group without members, so that NONE points at a row even in a world without abuse
    return np.concatenate([*roles, np.zeros(1, dtype=np.int64)])


def _group_sizes(rng: Rng, archetype: Archetype, accounts: int) -> Ints:
    """Ones for people who act alone, else sizes between the archetype's bounds."""
    if archetype.group is None:
        return np.ones(accounts, dtype=np.int64)
    return run_lengths(rng, accounts, archetype.group, archetype.group_mean)


def _without_return(rng: Rng, weights: Floats, size: int) -> Ints:
    """Indices drawn without replacement in proportion to weights (exponential keys)."""
    keys = rng.exponential(size=len(weights)) / np.maximum(weights, 1e-12)
    return np.argsort(keys, kind="stable")[:size].astype(np.int64)


def form_groups(rng: Rng, pools: Pools, network: Network, role: Ints, when: Period) -> Groups:
    """The days of every group, and its device and IPs."""
    count = len(role)
    late = np.array([one.late for one in ABUSE])[role]
    low = np.array([one.window_days[0] for one in ABUSE])[role]
    high = np.array([one.window_days[1] for one in ABUSE])[role]
    alone = np.array([one.group is None for one in ABUSE])[role]
    share = np.where(chance(rng, late, count), LATE_FROM + rng.random(count) * 0.3, rng.random(count) * (LATE_FROM + RUNNING) - RUNNING)
    span = when.end_us - when.start_us
    start = when.start_us + (np.where(alone, 0.0, share) * span).astype(np.int64)
    days = low + (rng.random(count) * (high - low)).astype(np.int64)
    ips = pools.ip.take(count * IPS_A_GROUP).reshape(count, IPS_A_GROUP)
    exits = network.vpn[rng.integers(0, len(network.vpn), ips.shape)]
    return Groups(
        role=role,
        start_us=start,
        end_us=np.minimum(start + days * DAY, when.end_us),
        device=pools.device.take(count),
        ips=np.where(rng.random(ips.shape) < VPN_IPS, exits, ips),
        agent=chance(rng, np.array([one.agent for one in ABUSE])[role], count).astype(np.int64),
    )


def share_in_rings(rng: Rng, pools: Pools, people: People, groups: Groups, when: Period) -> None:
    """Ring members open accounts for the purpose and share devices, addresses and cards, though never all of them."""
    member = np.flatnonzero(people.role == ROLE["amateur_ring"])
    if not len(member):
        return
    group = people.group[member]
    count = len(groups.role)
    for name, kinds, used in (("device", 2, 0.72), ("address", 2, 0.7), ("card", 3, 0.55), ("ip", 1, 0.6)):
        shared = getattr(pools, name).take(count * kinds).reshape(count, kinds)
        column = getattr(people, name)
        which = rng.integers(0, kinds, len(member))
        fresh = getattr(pools, name).take(len(member))
        column[member] = np.where(chance(rng, used, len(member)), shared[group, which], fresh)
    people.next_device[member] = people.device[member]
    made = groups.start_us[group] - (rng.exponential(18.0, len(member)) * DAY).astype(np.int64)
    aged = chance(rng, 0.4, len(member))
    people.opened_us[member] = np.where(aged, np.minimum(people.opened_us[member], made), np.minimum(made, when.end_us - DAY))
    people.second_device[member] = np.where(chance(rng, 0.5, len(member)), people.device[member], people.second_device[member])


def plan_orders(rng: Rng, people: People, groups: Groups, when: Period) -> Planned:
    """The abusive orders of every account with a role, inside its group's days, and honest ones before and between them."""
    account = np.flatnonzero(people.role != NONE).astype(np.int64)
    role = people.role[account]
    claims = 1 + rng.poisson(np.array([one.further_claims for one in ABUSE])[role])
    others = rng.poisson(np.array([one.further_orders for one in ABUSE])[role])
    start, end = groups.start_us[people.group[account]], groups.end_us[people.group[account]]
    people.opened_us[account] = np.minimum(people.opened_us[account], np.maximum(start, end - 20 * DAY))
    opened = np.maximum(people.opened_us[account], when.start_us)
    abuser, honest = np.repeat(np.arange(len(account)), claims), np.repeat(np.arange(len(account)), others)
    ramp = np.array([one.ramp for one in ABUSE])[role][abuser]
    share = rng.random(len(abuser))
    share = np.where(ramp, np.sqrt(share), share)
    abusive_at = when.at(share, np.maximum(start, opened)[abuser], end[abuser])
    honest_at = when.at(rng.random(len(honest)), opened[honest], when.end_us)
    return Planned(
        account=np.concatenate([account[abuser], account[honest]]),
        moment_us=np.concatenate([abusive_at, honest_at]),
        abusive=np.concatenate([np.ones(len(abuser), dtype=np.int64), np.zeros(len(honest), dtype=np.int64)]),
    )


def group_ip(rng: Rng, groups: Groups, group: Ints) -> Ints:
    """One of a group's addresses, the first ones oftener."""
    column = weighted(rng, 1.0 / np.arange(1, IPS_A_GROUP + 1), len(group))
    return np.asarray(groups.ips[group, column], dtype=np.int64)
