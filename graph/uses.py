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
from graph.sentences import shared_sentences, wordings

ENTITY = ("entity_type", "entity_id")
DAY_US = 86_400_000_000

COLUMNS = (*ENTITY, "buyer", "first_us", "last_us", "uses", "claim_uses", "ordered_us")

GUEST = "request:"
"""Before the request's id it names the buyer of a request without account."""


class Seen(NamedTuple):
    """Everything known strictly before `as_of_us`.

    uses: COLUMNS, one row an entity and buyer; `claim_uses` are those with a refund request, `ordered_us` is the first with an order (null: none).
    A sentence that several buyers wrote is an entity, too.
    traits: ENTITY, `length` (bytes of letters in a text or sentence), `sellers` (of the claims that showed an image); an entity without is absent.
    claims: request_id, buyer, seller_id, claim_type, amount_minor, occurred_us, known_us, abuse (null: not judged yet); one row a request.
    """

    as_of_us: int
    uses: pl.DataFrame
    traits: pl.DataFrame
    claims: pl.DataFrame


def seen_before(tables: Mapping[str, pl.DataFrame], as_of: datetime) -> Seen:
    """The uses and claims known before that moment; without a links table there are no uses, without labels nothing is judged."""
    as_of_us = microseconds(as_of)
    claims = claims_before(tables, as_of_us)
    links = _links(tables, as_of_us)
    said = wordings(tables["refund_requests"], claims)
    shared = shared_sentences(said)
    uses = _uses(links, claims, shared)
    return Seen(as_of_us, uses, _traits(links, said, shared, claims), claims.drop("order_id"))


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


def _links(tables: Mapping[str, pl.DataFrame], as_of_us: int) -> pl.DataFrame:
    links = tables["links"] if "links" in tables else pl.DataFrame(schema=schema("links"))
    known_us = pl.col("known_at").dt.epoch("us")
    return links.filter((known_us < as_of_us) & pl.col("entity_type").is_in([str(kind) for kind in LINK_TYPES])).select(
        *ENTITY, "account_id", "request_id", "order_id", known_us=known_us
    )


def _uses(links: pl.DataFrame, claims: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    named = links.filter(pl.col("account_id").is_not_null()).rename({"account_id": "buyer"})
    nameless = links.filter(pl.col("account_id").is_null()).drop("account_id")
    owned = [
        nameless.join(claims.select(key, "buyer").drop_nulls(key).unique(key, keep="first", maintain_order=True), on=key, how="inner").select(
            named.columns
        )
        for key in ("request_id", "order_id")
    ]
    written = shared.join(claims.select("request_id", "order_id", "buyer"), on="request_id", how="inner").select(
        pl.lit(EntityType.TEXT.value).alias("entity_type"), *named.columns[1:]
    )
    ordered = pl.col("order_id").is_not_null() & pl.col("request_id").is_null()
    told = pl.concat([named, *owned, written]).with_columns(ordered_us=pl.when(ordered).then("known_us"))
    grouped = told.group_by(*ENTITY, "buyer")
    return (
        grouped.agg(
            first_us=pl.col("known_us").min(),
            last_us=pl.col("known_us").max(),
            uses=pl.len(),
            claim_uses=pl.col("request_id").count(),
            ordered_us=pl.col("ordered_us").min(),
        )
        .select(COLUMNS)
        .sort(*ENTITY, "buyer")
    )


def _traits(links: pl.DataFrame, said: pl.DataFrame, shared: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """What more is known of texts and images than who used them."""
    shown = links.filter(pl.col("entity_type") == EntityType.IMAGE).join(claims.select("request_id", "seller_id"), on="request_id", how="inner")
    images = shown.group_by(*ENTITY).agg(sellers=pl.col("seller_id").n_unique(), length=pl.lit(None, pl.UInt32))
    texts = links.filter(pl.col("entity_type") == EntityType.TEXT).join(said.unique("request_id"), on="request_id", how="inner")
    whole = texts.group_by(*ENTITY).agg(sellers=pl.lit(None, pl.UInt32), length=pl.col("whole").max())
    parts = shared.group_by(pl.lit(EntityType.TEXT.value).alias("entity_type"), "entity_id").agg(
        sellers=pl.lit(None, pl.UInt32), length=pl.col("length").max()
    )
    return pl.concat([images, whole, parts.select(images.columns)])


def buyers_judged(claims: pl.DataFrame) -> pl.DataFrame:
    """buyer, claims, abuse: claimants and whether any request of theirs was judged abuse; null when none was judged at all."""
    return claims.group_by("buyer").agg(claims=pl.len(), abuse=pl.col("abuse").max())
