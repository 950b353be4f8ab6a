"""What was known before a moment, as rings need it: who used which entity, who claimed what, and what of it was judged.

A buyer is an account; a request whose account nobody knows is a buyer of its own. Rings are made of claimants, buyers with at least one refund
request; everybody else who uses an entity only speaks against it being a ring's (`hubs.py`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import polars as pl

from data_contracts.label import LabelValue
from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.tables import schema
from graph.events import SOURCES, asked, microseconds

ENTITY = ("entity_type", "entity_id", "burst")
"""What a use is of: an entity as a whole (burst 0), or one burst of the claims that came from a network address."""

DAY_US = 86_400_000_000
BURST_GAP_US = 10 * DAY_US
"""Claims from one network address belong to one burst as long as none of them is further than this from the one before."""

COLUMNS = (*ENTITY, "buyer", "first_us", "last_us", "uses", "claim_uses")

GUEST = "request:"
"""Before the request's id it names the buyer of a request without account."""


class Seen(NamedTuple):
    """Everything known strictly before `as_of_us`.

    uses: COLUMNS; `claim_uses` are those with a refund request; one row an entity and buyer, and one a burst and buyer.
    claims: request_id, buyer, seller_id, claim_type, amount_minor, occurred_us, known_us, abuse (null: not judged yet); one row a request.
    """

    as_of_us: int
    uses: pl.DataFrame
    claims: pl.DataFrame


def seen_before(tables: Mapping[str, pl.DataFrame], as_of: datetime) -> Seen:
    """The uses and claims known before that moment; without a links table there are no uses, without labels nothing is judged."""
    as_of_us = microseconds(as_of)
    claims = claims_before(tables, as_of_us)
    return Seen(as_of_us, _uses(tables, claims, as_of_us), claims.drop("order_id"))


def claims_before(tables: Mapping[str, pl.DataFrame], as_of_us: int) -> pl.DataFrame:
    """The refund requests known before that moment with their buyer, and what they were judged by then; also `order_id`."""
    buyers = asked(tables).select("request_id", "account_id", "order_id")
    claims = tables["refund_requests"].select(
        "request_id",
        "seller_id",
        "claim_type",
        "amount_minor",
        occurred_us=pl.col("occurred_at").dt.epoch("us"),
        known_us=pl.col("known_at").dt.epoch("us"),
    )
    claims = claims.join(buyers, on="request_id", how="left", maintain_order="left").filter(pl.col("known_us") < as_of_us)
    claims = claims.with_columns(buyer=pl.coalesce("account_id", pl.lit(GUEST) + pl.col("request_id"))).drop("account_id")
    return claims.join(_judged(tables, as_of_us), on="request_id", how="left", maintain_order="left")


def _judged(tables: Mapping[str, pl.DataFrame], as_of_us: int) -> pl.DataFrame:
    """request_id, abuse: the latest label of each request; of several in one microsecond the one that components take, too."""
    labels = tables["labels"] if "labels" in tables else pl.DataFrame(schema=schema("labels"))
    abuse = pl.col("value") == LabelValue.ABUSE
    known = labels.select(
        "request_id",
        known_us=pl.col("known_at").dt.epoch("us"),
        number=pl.col("source").cast(pl.Enum(SOURCES)).to_physical().cast(pl.Int32) * 2 + (~abuse).cast(pl.Int32),
        abuse=abuse,
    ).filter(pl.col("known_us") < as_of_us)
    return known.sort("known_us", "number").group_by("request_id").agg(pl.col("abuse").last())


def _uses(tables: Mapping[str, pl.DataFrame], claims: pl.DataFrame, as_of_us: int) -> pl.DataFrame:
    links = tables["links"] if "links" in tables else pl.DataFrame(schema=schema("links"))
    known_us = pl.col("known_at").dt.epoch("us")
    links = links.filter((known_us < as_of_us) & pl.col("entity_type").is_in([str(kind) for kind in LINK_TYPES])).select(
        "entity_type", "entity_id", "account_id", "request_id", "order_id", known_us=known_us
    )
    named = links.filter(pl.col("account_id").is_not_null()).rename({"account_id": "buyer"})
    nameless = links.filter(pl.col("account_id").is_null()).drop("account_id")
    owned = [
        nameless.join(claims.select(key, "buyer").drop_nulls(key).unique(key, keep="first", maintain_order=True), on=key, how="inner").select(
            named.columns
        )
        for key in ("request_id", "order_id")
    ]
    whole = pl.concat([named, *owned]).with_columns(burst=pl.lit(0, pl.Int32))
    bursts = _bursts(whole)
    grouped = pl.concat([whole, bursts]).group_by(*ENTITY, "buyer")
    return (
        grouped.agg(
            first_us=pl.col("known_us").min(),
            last_us=pl.col("known_us").max(),
            uses=pl.len(),
            claim_uses=pl.col("request_id").count(),
        )
        .select(COLUMNS)
        .sort(*ENTITY, "buyer")
    )


def _bursts(links: pl.DataFrame) -> pl.DataFrame:
    """The claims from each network address, cut where nobody claimed for BURST_GAP_US.

    Thousands share an address of a carrier or a VPN, so the address itself says nothing, but eight claims from it within days do.
    """
    claimed = links.filter((pl.col("entity_type") == EntityType.IP) & pl.col("request_id").is_not_null()).sort("entity_id", "known_us")
    begins = ((pl.col("known_us") - pl.col("known_us").shift()) > BURST_GAP_US).fill_null(value=True)
    return claimed.with_columns(burst=begins.over("entity_id").cum_sum().over("entity_id").cast(pl.Int32)).select(links.columns)


def buyers_judged(claims: pl.DataFrame) -> pl.DataFrame:
    """buyer, claims, abuse: claimants and whether any request of theirs was judged abuse; null when none was judged at all."""
    return claims.group_by("buyer").agg(claims=pl.len(), abuse=pl.col("abuse").max())
