"""The buyers: how they live, what they share with honest neighbours, what they sold on, and how readily they complain."""

from dataclasses import dataclass

import numpy as np

from risk.simulator import rates
from risk.simulator.arrays import DAY, NONE, Bools, Floats, Ints, Rng, chance, run_lengths
from risk.simulator.season import Period


@dataclass(slots=True)
class Numbers:
    """Hands out fresh numbers of entities, so that no two homes, devices or addresses are the same by accident."""

    used: int = 0

    def take(self, count: int) -> Ints:
        """The next `count` numbers."""
        first, self.used = self.used, self.used + count
        return np.arange(first, self.used, dtype=np.int64)


@dataclass(slots=True)
class Pools:
    """One counter for each type of entity."""

    device: Numbers
    address: Numbers
    card: Numbers
    phone: Numbers
    ip: Numbers


@dataclass(slots=True)
class People:
    """One array a property, one row an account.

    `segment` points into rates.SEGMENTS. From `swap_us` on a person uses `next_device`, from `phone_swap_us` on `next_phone`: things are
    sold on, and then a stranger uses them. `complaint` is the share of orders she finds fault with, `weight` how often she orders.
    `role` and `group` are those of archetypes.ABUSE, NONE for honest people.
    """

    segment: Ints
    opened_us: Ints
    device: Ints
    second_device: Ints
    next_device: Ints
    swap_us: Ints
    address: Ints
    second_address: Ints
    card: Ints
    second_card: Ints
    phone: Ints
    next_phone: Ints
    phone_swap_us: Ints
    ip: Ints
    region: Ints
    complaint: Floats
    heavy: Bools
    weight: Floats
    role: Ints
    group: Ints

    def __len__(self) -> int:
        return len(self.segment)


@dataclass(frozen=True, slots=True)
class Network:
    """Addresses that strangers share: those behind carrier-grade NAT, by region, and exits of VPNs."""

    nat: Ints
    vpn: Ints


def build_pools() -> Pools:
    """Counters that start at nought."""
    return Pools(Numbers(), Numbers(), Numbers(), Numbers(), Numbers())


def build_network(pools: Pools, accounts: int) -> Network:
    """As many shared addresses as the accounts need."""
    nat = max(accounts // rates.ACCOUNTS_PER_NAT_ADDRESS, rates.NAT_ADDRESSES_PER_REGION)
    return Network(pools.ip.take(nat), pools.ip.take(max(accounts // 4_000, 6)))


def account_count(orders: int, days: int) -> int:
    """Accounts that place so many orders in so many days; at least 12."""
    each = np.clip(rates.ORDERS_PER_ACCOUNT_YEAR * days / 365.0, 1.6, 9.0)
    return max(int(orders / each), 12)


def build_people(rng: Rng, pools: Pools, network: Network, accounts: int, when: Period) -> People:
    """Honest people; archetypes change some of them afterwards."""
    own = {name: getattr(pools, name).take(accounts) for name in ("device", "address", "card", "phone", "ip")}
    alpha, beta = rates.COMPLAINT_BETA
    complaint = rng.beta(alpha, beta, accounts)
    heavy = complaint >= np.quantile(complaint, rates.HEAVY_FROM)
    nobody = np.full(accounts, NONE, dtype=np.int64)
    people = People(
        segment=np.zeros(accounts, dtype=np.int64),
        opened_us=_openings(rng, accounts, when),
        device=own["device"],
        second_device=np.where(chance(rng, rates.SECOND_DEVICE, accounts), pools.device.take(accounts), own["device"]),
        next_device=own["device"].copy(),
        swap_us=np.full(accounts, when.end_us, dtype=np.int64),
        address=own["address"],
        second_address=own["address"].copy(),
        card=own["card"],
        second_card=np.where(chance(rng, rates.SECOND_CARD, accounts), pools.card.take(accounts), own["card"]),
        phone=own["phone"],
        next_phone=own["phone"].copy(),
        phone_swap_us=np.full(accounts, when.end_us, dtype=np.int64),
        ip=own["ip"],
        region=rng.integers(0, max(len(network.nat) // rates.NAT_ADDRESSES_PER_REGION, 1), accounts),
        complaint=complaint,
        heavy=heavy,
        weight=np.minimum(rng.lognormal(0.0, rates.ORDER_SPREAD, accounts) * np.where(heavy, 2.2, 1.0), rates.MOST_ORDERS),
        role=nobody,
        group=nobody.copy(),
    )
    _live_together(rng, people, accounts)
    _second_homes(rng, people, accounts)
    _sell_on(rng, pools, people, when)
    return people


def _openings(rng: Rng, accounts: int, when: Period) -> Ints:
    """Most people were there before; the others come while we watch."""
    before = when.start_us - (rng.gamma(1.1, 420.0, accounts) * DAY).astype(np.int64)
    during = when.at(rng.random(accounts) ** 1.2, when.start_us, when.end_us)
    return np.where(chance(rng, rates.OLD_ACCOUNTS, accounts), before, during)


def _live_together(rng: Rng, people: People, accounts: int) -> None:
    """Cut the accounts into segments and those into homes; a home shares the first member's things."""
    edges = np.round(np.cumsum([0.0, *(one.share for one in rates.SEGMENTS)]) / sum(one.share for one in rates.SEGMENTS) * accounts).astype(int)
    for code, segment in enumerate(rates.SEGMENTS):
        first, last = int(edges[code]), int(edges[code + 1])
        people.segment[first:last] = code
        if segment.size[1] == 1 or last <= first:
            continue
        largest = max(min(segment.size[1], (last - first) // 3), 2)
        lengths = run_lengths(rng, last - first, (min(segment.size[0], largest), largest), min(segment.mean, largest))
        heads = np.repeat(first + np.cumsum(lengths) - lengths, lengths)
        for name in ("address", "ip", "card", "device"):
            column = getattr(people, name)
            shared = chance(rng, getattr(segment, name), last - first)
            column[first:last] = np.where(shared, column[heads], column[first:last])
        people.region[first:last] = people.region[heads]


def _second_homes(rng: Rng, people: People, accounts: int) -> None:
    """Some have parcels brought to an office, a courier point or their parents as well."""
    elsewhere = chance(rng, rates.SECOND_ADDRESS, accounts)
    people.second_address = np.where(elsewhere, people.address[rng.integers(0, accounts, accounts)], people.address)


def _sell_on(rng: Rng, pools: Pools, people: People, when: Period) -> None:
    """Devices go to strangers and telephone numbers are given out again; the old owner moves to a new one."""
    accounts = len(people)
    for own, later, moment, share in (
        ("device", "next_device", "swap_us", rates.RESOLD_DEVICES),
        ("phone", "next_phone", "phone_swap_us", rates.RECYCLED_PHONES),
    ):
        pairs = int(share * accounts / 2)
        chosen = rng.permutation(accounts)[: 2 * pairs]
        sellers, buyers = chosen[:pairs], chosen[pairs:]
        day = when.at(rng.random(pairs), when.start_us, when.end_us)
        for person in (sellers, buyers):
            getattr(people, moment)[person] = day
        getattr(people, later)[buyers] = getattr(people, own)[sellers]
        getattr(people, later)[sellers] = getattr(pools, own).take(pairs)
    unsold = people.swap_us >= when.end_us
    people.next_device[unsold] = people.device[unsold]
    same = people.phone_swap_us >= when.end_us
    people.next_phone[same] = people.phone[same]


def devices_at(rng: Rng, people: People, account: Ints, moment_us: Ints) -> Ints:
    """The device that an account uses at a moment: mostly its first, which may have been sold on by then."""
    first = np.where(moment_us < people.swap_us[account], people.device[account], people.next_device[account])
    return np.where(chance(rng, 0.8, len(account)), first, people.second_device[account])


def phones_at(people: People, account: Ints, moment_us: Ints) -> Ints:
    """The telephone number of an account at a moment."""
    return np.where(moment_us < people.phone_swap_us[account], people.phone[account], people.next_phone[account])


def addresses_at(rng: Rng, people: People, account: Ints) -> Ints:
    """Where a parcel goes."""
    return np.where(chance(rng, 0.85, len(account)), people.address[account], people.second_address[account])


def cards_at(rng: Rng, people: People, account: Ints) -> Ints:
    """Which card pays; NONE where it is cash on delivery or a wallet."""
    card = np.where(chance(rng, 0.8, len(account)), people.card[account], people.second_card[account])
    return np.where(chance(rng, 0.06, len(account)), NONE, card)


def ips_at(rng: Rng, people: People, network: Network, account: Ints) -> Ints:
    """The IP of a session: at home or at work, behind a mobile carrier's NAT, seldom a VPN's."""
    size = len(account)
    slot = people.region[account] * rates.NAT_ADDRESSES_PER_REGION + rng.integers(0, rates.NAT_ADDRESSES_PER_REGION, size)
    mobile = network.nat[slot % len(network.nat)]
    found = np.where(chance(rng, rates.MOBILE_SESSIONS, size), mobile, people.ip[account])
    return np.where(chance(rng, rates.VPN_SESSIONS, size), network.vpn[rng.integers(0, len(network.vpn), size)], found)
