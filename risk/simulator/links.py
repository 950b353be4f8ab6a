"""Who used what: log-ins, orders and requests leave traces of devices, addresses, cards, phones, IPs, pictures, texts and agents."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from data_contracts.link import EntityType
from risk.simulator.abusers import Groups, group_ip
from risk.simulator.archetypes import ABUSE
from risk.simulator.arrays import NONE, SECOND, Ints, Rng, chance, pick, weighted, within
from risk.simulator.claims import Bought, Claims
from risk.simulator.people import Network, addresses_at, cards_at, devices_at, ips_at, phones_at

LOGINS_PER_ACCOUNT = 1.0
REQUESTS_PER_AGENT = 220
BRIBED_TAKES = 0.7  # share of a scheme's claims that its agent gets hold of


@dataclass(frozen=True, slots=True)
class Uses:
    """One row a use: type, entity number (NONE: no link), account, and the row of its order or request (NONE: neither)."""

    type: EntityType
    entity: Ints
    account: Ints
    order: Ints
    claim: Ints
    occurred_us: Ints
    known_us: Ints


def login_uses(rng: Rng, bought: Bought, network: Network) -> list[Uses]:
    """The first log-in of every account and some later ones: device, phone and IP."""
    people, when = bought.people, bought.when
    count = 1 + rng.poisson(LOGINS_PER_ACCOUNT, len(people)).astype(np.int64)
    account = np.repeat(np.arange(len(people), dtype=np.int64), count)
    first = within(count) == 0
    later = when.at(rng.random(len(account)), np.maximum(people.opened_us[account], when.start_us), when.end_us)
    moment = np.where(first, people.opened_us[account], later)
    nothing = np.full(len(account), NONE, dtype=np.int64)
    found = {
        EntityType.DEVICE: devices_at(rng, people, account, moment),
        EntityType.PHONE: np.where(first, phones_at(people, account, moment), NONE),
        EntityType.IP: ips_at(rng, people, network, account),
    }
    return [Uses(kind, entity, account, nothing, nothing, moment, moment + SECOND) for kind, entity in found.items()]


def order_uses(rng: Rng, bought: Bought, network: Network) -> list[Uses]:
    """Device, address, card, phone and IP of every order."""
    people, orders = bought.people, bought.orders
    account, moment = orders.account, orders.occurred_us
    row = np.arange(len(orders), dtype=np.int64)
    known = np.where(orders.guest, NONE, account)
    nothing = np.full(len(orders), NONE, dtype=np.int64)
    found = {
        EntityType.DEVICE: devices_at(rng, people, account, moment),
        EntityType.ADDRESS: addresses_at(rng, people, account),
        EntityType.CARD: cards_at(rng, people, account),
        EntityType.PHONE: phones_at(people, account, moment),
        EntityType.IP: ips_at(rng, people, network, account),
    }
    return [Uses(kind, entity, known, row, nothing, moment, orders.known_us) for kind, entity in found.items()]


def request_uses(rng: Rng, bought: Bought, network: Network, claims: Claims, groups: Groups) -> list[Uses]:
    """Device, IP and agent of every request. A professional files for his customers: from his addresses, now and then from his device."""
    people = bought.people
    account, size = claims.account, len(claims)
    own_device = devices_at(rng, people, account, claims.occurred_us)
    by_group = chance(rng, np.array([*(one.group_device for one in ABUSE), 0.0])[claims.role], size)
    device = np.where(by_group, groups.device[claims.group], own_device)
    own_ip = ips_at(rng, people, network, account)
    from_group = chance(rng, np.array([*(one.group_ip for one in ABUSE), 0.0])[claims.role], size)
    ip = np.where(from_group, group_ip(rng, groups, claims.group), own_ip)
    row = np.arange(size, dtype=np.int64)
    known = np.where(bought.orders.guest[claims.order], NONE, account)
    nothing = np.full(size, NONE, dtype=np.int64)
    found = {EntityType.DEVICE: device, EntityType.IP: ip, EntityType.AGENT: agents_of(rng, claims, groups)}
    return [Uses(kind, entity, known, nothing, row, claims.occurred_us, claims.known_us) for kind, entity in found.items()]


def agents_of(rng: Rng, claims: Claims, groups: Groups) -> Ints:
    """Who in the support answers; a scheme with a bribed agent gets most of its claims to that one, who works on honest ones as well."""
    agents = max(len(claims) // REQUESTS_PER_AGENT, 5)
    usual = weighted(rng, rng.gamma(3.0, 1.0, agents), len(claims))
    bribed = rng.integers(0, agents, len(groups.role))
    takes = (groups.agent[claims.group] == 1) & claims.abusive & chance(rng, BRIBED_TAKES, len(claims))
    return np.where(takes, bribed[claims.group], usual)


@dataclass(frozen=True, slots=True)
class Names:
    """The ids behind the numbers: accounts, orders, requests, and one series for each type of entity."""

    account: pl.Series
    order: pl.Series
    request: pl.Series
    entity: dict[EntityType, pl.Series]


def link_frame(uses: Uses, names: Names) -> pl.DataFrame:
    """The rows of the table `links` for one kind of use."""
    kept = np.flatnonzero(uses.entity != NONE)
    entity = names.entity[uses.type]
    times = {name: pl.Series(getattr(uses, name)[kept]) for name in ("occurred_us", "known_us")}
    return pl.DataFrame(
        {
            "entity_type": pl.Series([uses.type.value], dtype=pl.String).new_from_index(0, len(kept)),
            "entity_id": entity.gather(pl.Series(uses.entity[kept])),
            "account_id": pick(names.account, uses.account[kept]),
            "request_id": pick(names.request, uses.claim[kept]),
            "order_id": pick(names.order, uses.order[kept]),
            **times,
        },
    )
