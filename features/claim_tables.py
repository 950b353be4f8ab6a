"""Requests and their parts as columns, from tables: the batch way into `features/claim.py`."""

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.timeline import NULL
from features.claim_columns import ARRIVED, FACT, SIGNALS, Claims, Counted, Ints, Kinds, Lines, Measured, Pieces, Requests, Scans
from features.projection import Projection, micros
from features.words import Words

OBSERVERS = ("agent", "vision", "claim_form", "seller")
"""Who counts first when several counted the same: the most neutral one."""

FORMS = ("photo", "video", "document")
"""The forms of evidence by code."""

PARTS = ("orders", "order_lines", "claim_lines", "deliveries", "evidence", "observations", "measurements", "accounts")
"""The tables that stated features are read from."""


def claims_of(projection: Projection) -> Claims:
    """All requests of a data set, in the order of `projection.requests`."""
    kinds, facts = Words(), Words()
    ordered, claimed = projection.of_order("order_lines"), projection.of_request("claim_lines")
    return Claims(
        requests=_requests(projection),
        ordered=Lines(whole(ordered["place"]), whole(ordered["line_no"]), whole(ordered["quantity"]), whole(ordered["unit_price_minor"])),
        ordered_kinds=_kinds(ordered, kinds, facts),
        claimed=Lines(whole(claimed["place"]), whole(claimed["line_no"]), whole(claimed["quantity"]), np.full(claimed.height, NULL)),
        claimed_kinds=_kinds(claimed, kinds, facts),
        scans=_scans(projection),
        pieces=_pieces(projection),
        counted=_counted(projection, kinds, facts),
        measured=_measured(projection),
        absent=frozenset(PARTS) - projection.tables.keys(),
    )


def whole(column: pl.Series) -> Ints:
    """Whole numbers, null as NULL."""
    return column.cast(pl.Int64).fill_null(int(NULL)).to_numpy()


def _flags(column: pl.Series) -> npt.NDArray[np.bool_]:
    return column.to_numpy().astype(np.bool_)


def _said(claim_type: pl.Expr, wanted: tuple[str, ...]) -> pl.Expr:
    return claim_type.is_in(wanted).cast(pl.Int64).fill_null(-1)


def _requests(projection: Projection) -> Requests:
    asked = projection.requests.with_columns(
        _said(pl.col("claim_type"), ("not_received",)).alias("not_received"),
        _said(pl.col("claim_type"), ARRIVED).alias("arrived"),
        pl.col("same_items").cast(pl.Int64).fill_null(-1),
    )
    opened = projection.table("accounts").select("account_id", micros("occurred_at").alias("account_us"), micros("known_at").alias("opened_known_us"))
    joined = asked.join(opened, on="account_id", how="left", maintain_order="left")
    account_us = joined.select(pl.when(pl.col("opened_known_us") <= pl.col("known_us")).then("account_us")).to_series()
    return Requests(
        occurred_us=whole(asked["occurred_us"]),
        amount=whole(asked["amount_minor"]),
        text_characters=whole(asked["text_characters"]),
        same_items=whole(asked["same_items"]),
        not_received=whole(asked["not_received"]),
        arrived=whole(asked["arrived"]),
        order_us=whole(asked["order_us"]),
        order_amount=whole(asked["order_amount"]),
        order_known=_flags(asked["order_id"].is_not_null()),
        account_us=whole(account_us),
        as_of_us=whole(asked["known_us"]),
    )


def _facts(attribute: pl.Series, facts: Words) -> Ints:
    """The number of the fact that each kind states, -1 for plain kinds."""
    names = pl.when(attribute.str.contains(FACT, literal=True)).then(attribute.str.split(FACT).list.first())
    return facts.codes(pl.select(names.alias("fact")).to_series())


def _kinds(lines: pl.DataFrame, kinds: Words, facts: Words) -> Kinds:
    counts = lines.select("place", "line_no", "counts").explode("counts").drop_nulls("counts").unnest("counts")
    named = counts["attribute"]
    return Kinds(whole(counts["place"]), whole(counts["line_no"]), kinds.codes(named), _facts(named, facts), whole(counts["count"]))


def _scans(projection: Projection) -> Scans:
    rows = projection.of_order("deliveries").filter(pl.col("known_at").dt.epoch("us") < pl.col("asked_us"))
    status = (pl.col("status") != "delivered").cast(pl.Int64)
    return Scans(whole(rows["place"]), whole(rows.select(status).to_series()), whole(rows.select(micros("occurred_at")).to_series()))


def _pieces(projection: Projection) -> Pieces:
    rows = projection.of_request("evidence").select(
        "place",
        pl.col("kind").replace_strict(FORMS, range(len(FORMS)), return_dtype=pl.Int64).alias("form"),
        (pl.col("sent_by") == "buyer").alias("buyer"),
        pl.struct("place", "sha256").is_first_distinct().not_().alias("repeated"),
        micros("occurred_at").alias("occurred_us"),
    )
    return Pieces(whole(rows["place"]), whole(rows["form"]), _flags(rows["buyer"]), _flags(rows["repeated"]), whole(rows["occurred_us"]))


def _counted(projection: Projection, kinds: Words, facts: Words) -> Counted:
    rank = pl.col("observer").replace_strict(OBSERVERS, range(len(OBSERVERS)), return_dtype=pl.Int64)
    spread = pl.when(pl.len() > 1).then(pl.col("count").max() - pl.col("count").min())
    rows = (
        projection.of_request("observations")
        .group_by("place", "evidence_id", "attribute")
        .agg(pl.col("count").sort_by(rank).first(), spread.alias("spread"))
    )
    piece = Words().codes(rows["evidence_id"])
    named = rows["attribute"]
    return Counted(whole(rows["place"]), piece, kinds.codes(named), _facts(named, facts), whole(rows["count"]), whole(rows["spread"]))


def _measured(projection: Projection) -> Measured:
    rows = projection.measured.select(
        "place",
        "evidence_id",
        pl.col("signal").replace_strict(SIGNALS, range(len(SIGNALS)), default=-1, return_dtype=pl.Int64),
        (pl.col("value") * 1e6 + 0.5).floor().cast(pl.Int64).alias("ppm"),
    )
    return Measured(whole(rows["place"]), Words().codes(rows["evidence_id"]), whole(rows["signal"]), whole(rows["ppm"]))
