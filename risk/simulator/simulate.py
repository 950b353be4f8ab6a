"""A marketplace in tables: honest people in all their variety, those who abuse refunds, and what of it comes to be known.

Read this file first. Each step draws its own random numbers, so a change in one does not move the draws of the others.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from data_contracts.errors import ContractError
from risk.simulator import rates
from risk.simulator.abusers import Groups, form_groups, plan_orders, recruit, share_in_rings
from risk.simulator.arrays import NONE, stage
from risk.simulator.claim_tables import Asked, attribute_table, evidence_tables, label_table, link_table, refund_table, request_tables, truth_table
from risk.simulator.claimed import claim_lines
from risk.simulator.claims import Bought, raise_claims
from risk.simulator.deliveries import deliver
from risk.simulator.evidence import DOCUMENT, VIDEO, collect
from risk.simulator.images import Pictures, measure
from risk.simulator.labels import reveal
from risk.simulator.links import login_uses, order_uses, request_uses
from risk.simulator.observations import observe
from risk.simulator.orders import place_orders
from risk.simulator.people import Network, Pools, account_count, build_network, build_people, build_pools
from risk.simulator.refunds import pay
from risk.simulator.season import period
from risk.simulator.shop_tables import name_all, order_tables, world_tables
from risk.simulator.texts import write_texts
from risk.simulator.world import build_world

MOST_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Market:
    """Everything that happened up to the delivery of the orders."""

    bought: Bought
    groups: Groups
    network: Network
    pools: Pools


def simulate(orders: int, days: int, seed: int, end: datetime) -> dict[str, pl.DataFrame]:
    """All tables of the contract for `orders` orders placed in the `days` days before `end`; equal arguments give equal tables.

    Nothing in the tables is known at or after `end`; the truth (table `truth`) covers every request. ContractError: an argument is out of range.
    """
    if orders < 1 or not 1 <= days <= MOST_DAYS or seed < 0:
        message = f"orders {orders}, days {days}, seed {seed}; expected orders >= 1, days 1 to {MOST_DAYS}, seed >= 0"
        raise ContractError(message)
    if end.tzinfo is None:
        message = f"end {end.isoformat()} has no zone; expected e.g. {end.isoformat()}Z"
        raise ContractError(message, field="end")
    market = _market(orders, days, seed, end)
    texts, asked = _requests(market, seed)
    bought, groups, network = market.bought, market.groups, market.network
    names = name_all(seed, bought, asked.claims, market.pools)
    uses = [
        *login_uses(stage(seed, "log-ins"), bought, network),
        *order_uses(stage(seed, "order links"), bought, network),
        *request_uses(stage(seed, "request links"), bought, network, asked.claims, groups),
    ]
    tables = world_tables(seed, bought, names)
    tables |= order_tables(seed, bought, names, tables)
    tables |= request_tables(bought, asked, names, tables)
    tables |= evidence_tables(seed, bought, asked, names)
    tables["links"] = link_table(seed, asked, names, (uses, texts), bought.when.end_us)
    tables["labels"] = label_table(asked, names)
    paid = pay(stage(seed, "refunds"), asked.claims, asked.claimed.amount, asked.labels, bought.when.end_us)
    tables["refunds"] = refund_table(seed, asked, names, paid)
    tables["request_attributes"] = attribute_table(stage(seed, "attributes"), asked, names)
    tables["truth"] = truth_table(seed, bought, asked, names)
    return tables


def _market(orders: int, days: int, seed: int, end: datetime) -> Market:
    """Shops, people, schemes, orders, deliveries."""
    when = period(days, end)
    pools = build_pools()
    accounts = account_count(orders, days)
    network = build_network(pools, accounts)
    world = build_world(stage(seed, "world"), orders, when)
    people = build_people(stage(seed, "people"), pools, network, accounts, when)
    roles = recruit(stage(seed, "recruits"), people, round(orders * rates.ABUSE_PER_ORDER))
    groups = form_groups(stage(seed, "groups"), pools, network, roles, when)
    share_in_rings(stage(seed, "rings"), pools, people, groups, when)
    planned = plan_orders(stage(seed, "plans"), people, groups, when)
    placed, lines = place_orders(stage(seed, "orders"), world, people, planned, orders, when)
    deliveries = deliver(stage(seed, "deliveries"), world, placed)
    return Market(Bought(world, people, placed, lines, deliveries, when), groups, network, pools)


def _requests(market: Market, seed: int) -> tuple[pl.Series, Asked]:
    """Claims with their lines, texts and evidence, and the labels that came; first the ids of the texts."""
    bought = market.bought
    claims = raise_claims(stage(seed, "claims"), bought)
    claimed = claim_lines(stage(seed, "claim lines"), bought, claims)
    text, text_ids = write_texts(stage(seed, "texts"), claims)
    pieces = collect(stage(seed, "evidence"), bought, claims)
    observed, same_items = observe(stage(seed, "observations"), bought, claims, claimed, pieces)
    pictures = Pictures(pieces.claim, pieces.state, pieces.reused, pieces.file, pieces.kind == VIDEO, pieces.kind == DOCUMENT)
    measured = measure(stage(seed, "images"), pictures, len(claims))
    labels = reveal(stage(seed, "labels"), claims, claimed.amount, bought.when.end_us)
    account = np.where(bought.orders.guest[claims.order], NONE, claims.account)
    return text_ids, Asked(claims, account, claimed, text, same_items, pieces, observed, measured, labels)
