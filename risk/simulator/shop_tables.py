"""Accounts, shops, orders and deliveries as tables of the contract."""

import numpy as np
import polars as pl

from data_contracts.link import EntityType
from data_contracts.request import DeliveryStatus
from risk.simulator import rates
from risk.simulator.arrays import HOUR, NONE, opaque, pick
from risk.simulator.claims import Bought, Claims
from risk.simulator.frames import CATEGORY_NAMES, counts_column, table, words
from risk.simulator.links import Names
from risk.simulator.people import Pools

SHORT = {EntityType.DEVICE: "dev", EntityType.ADDRESS: "adr", EntityType.CARD: "crd", EntityType.PHONE: "tel", EntityType.IP: "ip"}
"""How ids of each type begin."""


def name_all(seed: int, bought: Bought, claims: Claims, pools: Pools) -> Names:
    """Ids for every account, order, request and shared thing."""
    numbers = {kind: np.arange(getattr(pools, kind.value).used, dtype=np.int64) for kind in SHORT}
    entity = {kind: opaque(short, seed, numbers[kind]) for kind, short in SHORT.items()}
    agents = np.arange(int(len(claims) + 5), dtype=np.int64)
    entity[EntityType.AGENT] = opaque("agt", seed, agents)
    return Names(
        account=opaque("acc", seed, np.arange(len(bought.people), dtype=np.int64)),
        order=opaque("ord", seed, np.arange(len(bought.orders), dtype=np.int64)),
        request=opaque("req", seed, np.arange(len(claims), dtype=np.int64)),
        entity=entity,
    )


def world_tables(seed: int, bought: Bought, names: Names) -> dict[str, pl.DataFrame]:
    """accounts, sellers, skus."""
    world, people = bought.world, bought.people
    seller = opaque("sel", seed, np.arange(len(world.category), dtype=np.int64))
    sku = opaque("sku", seed, np.arange(len(world.sku_seller), dtype=np.int64))
    shop = CATEGORY_NAMES.gather(pl.Series(world.category))
    return {
        "accounts": table("accounts", {"account_id": names.account, "occurred_at": people.opened_us, "known_at": people.opened_us}),
        "sellers": table("sellers", {"seller_id": seller, "category": shop, "occurred_at": world.opened_us, "known_at": world.opened_us + HOUR}),
        "skus": table(
            "skus",
            {
                "sku_id": sku,
                "seller_id": pick(seller, world.sku_seller),
                "category": pick(shop, world.sku_seller),
                "occurred_at": world.sku_listed_us,
                "known_at": world.sku_listed_us,
            },
        ),
    }


def order_tables(seed: int, bought: Bought, names: Names, known: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """orders, order_lines, deliveries; scans that the period does not see are left out."""
    orders, lines, deliveries = bought.orders, bought.lines, bought.deliveries
    end = bought.when.end_us
    line = np.arange(len(lines.order), dtype=np.int64)
    scanned = np.flatnonzero((deliveries.status != NONE) & (deliveries.known_us < end))
    lots, lot_row = np.unique(lines.lot, return_inverse=True)
    lot_names = opaque("lot", seed, lots)
    return {
        "orders": table(
            "orders",
            {
                "order_id": names.order,
                "account_id": pick(names.account, np.where(orders.guest, NONE, orders.account)),
                "seller_id": pick(known["sellers"]["seller_id"], orders.seller),
                "amount_minor": orders.amount,
                "currency": pl.Series([rates.CURRENCY]).new_from_index(0, len(orders)),
                "occurred_at": orders.occurred_us,
                "known_at": orders.known_us,
            },
        ),
        "order_lines": table(
            "order_lines",
            {
                "order_id": pick(names.order, lines.order),
                "line_no": line - orders.line_start[lines.order] + 1,
                "sku_id": pick(known["skus"]["sku_id"], lines.sku),
                "lot": pick(lot_names, np.where(lines.lot == NONE, NONE, lot_row)),
                "quantity": lines.quantity,
                "unit_price_minor": lines.price,
                "counts": counts_column(lines.counts, bought.world.category[orders.seller[lines.order]]),
            },
        ),
        "deliveries": table(
            "deliveries",
            {
                "order_id": pick(names.order, scanned),
                "status": words([one.value for one in DeliveryStatus], deliveries.status[scanned]),
                "occurred_at": deliveries.scanned_us[scanned],
                "known_at": deliveries.known_us[scanned],
            },
        ),
    }
