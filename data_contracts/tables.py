"""The tables, their Polars schemas and their keys, all read off the record classes: one truth for records and for tables.

A data set is a folder of Parquet files named `<table>.parquet`. Only `refund_requests` must be there; features that need an absent table are null.
`request_attributes` is the one open table: `request_id` and any number of Float64 (numeric) and String (categorical) columns of the shop's own.
`truth` exists only for simulated data; nothing but evaluation may read it.
"""

import types
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import polars as pl

from data_contracts.label import Label
from data_contracts.link import Link
from data_contracts.request import (
    Account,
    ClaimLine,
    Delivery,
    Evidence,
    Observation,
    Order,
    OrderLine,
    Refund,
    RefundRequest,
    Seller,
    Sku,
)
from data_contracts.score import Measurement
from data_contracts.truth import Truth

TIME = pl.Datetime("us", "UTC")
COUNTS = pl.List(pl.Struct({"attribute": pl.String, "count": pl.Int64}))

TABLES: Mapping[str, type] = types.MappingProxyType(
    {
        "accounts": Account,
        "sellers": Seller,
        "skus": Sku,
        "orders": Order,
        "order_lines": OrderLine,
        "deliveries": Delivery,
        "refunds": Refund,
        "refund_requests": RefundRequest,
        "claim_lines": ClaimLine,
        "evidence": Evidence,
        "observations": Observation,
        "measurements": Measurement,
        "links": Link,
        "labels": Label,
        "truth": Truth,
    },
)

OPEN_TABLE = "request_attributes"

KEYS: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {
        "accounts": ("account_id",),
        "sellers": ("seller_id",),
        "skus": ("sku_id",),
        "orders": ("order_id",),
        "order_lines": ("order_id", "line_no"),
        "refunds": ("refund_id",),
        "refund_requests": ("request_id",),
        "claim_lines": ("request_id", "line_no"),
        "evidence": ("evidence_id",),
        "observations": ("evidence_id", "observer", "attribute"),
        "measurements": ("evidence_id", "signal", "version"),
        "request_attributes": ("request_id",),
        "truth": ("request_id",),
    },
)
"""The columns that identify a row, for tables where a second row of the same key is an error; the others are event streams."""

_DTYPES: Mapping[type, pl.DataType] = {str: pl.String(), int: pl.Int64(), float: pl.Float64(), bool: pl.Boolean(), datetime: TIME, dict: COUNTS}


def nullable(annotation: Any) -> bool:  # noqa: ANN401  # an annotation is any object
    """Whether a field of that annotation may be null."""
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def plain(annotation: Any) -> type:  # noqa: ANN401  # an annotation is any object
    """The bare class behind an annotation: `Annotated[str, ...] | None` is `str`."""
    if nullable(annotation):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    found: type = get_origin(annotation) or annotation
    return found


def dtype(annotation: Any) -> pl.DataType:  # noqa: ANN401  # an annotation is any object
    """The Polars type of a field."""
    found = plain(annotation)
    return pl.String() if issubclass(found, StrEnum) else _DTYPES[found]


def schema(table: str) -> pl.Schema:
    """The columns of a table and their Polars types, ids first and times last. KeyError: no such table (the open table has no fixed schema)."""
    record = TABLES[table]
    hints = get_type_hints(record, include_extras=True)
    names = sorted((field.name for field in fields(record)), key=lambda name: name in ("occurred_at", "known_at"))
    return pl.Schema({name: dtype(hints[name]) for name in names})


def required(table: str) -> tuple[str, ...]:
    """The columns of a table that may not be null."""
    record = TABLES[table]
    hints = get_type_hints(record, include_extras=True)
    return tuple(field.name for field in fields(record) if not nullable(hints[field.name]))
