"""From arrays to the tables of the contract: names, enums, money and times in their columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from data_contracts.tables import COUNTS, TIME, schema
from risk.simulator import rates
from risk.simulator.arrays import NONE, Bools, Ints

CATEGORY_NAMES = pl.Series([one.name for one in rates.CATEGORIES], dtype=pl.String)
ATTRIBUTES = pl.Series(
    [name for one in rates.CATEGORIES for name in (*one.attributes, *("",) * (rates.WIDTH - len(one.attributes)))], dtype=pl.String
)
"""The attribute behind category * WIDTH + column."""

PLAIN = "piece"
"""The attribute of counted pieces that have none."""


def words(values: Sequence[str], code: Ints) -> pl.Series:
    """The word behind each code; null behind NONE."""
    names = pl.Series([*values, None], dtype=pl.String)
    return names.gather(pl.Series(np.where(code < 0, len(values), code)))


def whole(values: Ints, known: Bools | None = None) -> pl.Series:
    """Whole numbers, null where not known."""
    column = pl.Series(values.astype(np.int64))
    if known is None or bool(known.all()):
        return column
    return pl.DataFrame({"value": column, "known": known}).select(pl.when("known").then("value").otherwise(None)).to_series()


def counts_column(counts: Ints, category: Ints) -> pl.Series:
    """Lists of (attribute, count) of what is there; null where the category has no attributes."""
    there = counts > 0
    lengths = there.sum(axis=1).astype(np.int64)
    row, column = np.nonzero(there)
    names = ATTRIBUTES.gather(pl.Series(category[row] * rates.WIDTH + column)).to_arrow().cast(pa.string())
    inner = pa.StructArray.from_arrays([names, pa.array(counts[row, column], type=pa.int64())], names=["attribute", "count"])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets, type=pa.int32()), inner, mask=pa.array(lengths == 0))
    return pl.Series(lists).cast(COUNTS)


def table(name: str, columns: Mapping[str, Any]) -> pl.DataFrame:
    """A frame in the schema of that table; whole-number columns of times become UTC times. Raises when a column is missing or too much."""
    wanted = schema(name)
    frame = pl.DataFrame(columns)
    cast = [
        (pl.col(column).cast(pl.Datetime("us")).dt.replace_time_zone("UTC") if kind == TIME else pl.col(column).cast(kind))
        for column, kind in wanted.items()
    ]
    if set(frame.columns) != set(wanted):
        message = f"table {name} needs {sorted(wanted)}, got {sorted(frame.columns)}"
        raise ValueError(message)
    return frame.select(cast)


def none_to_null(values: Ints) -> pl.Series:
    """Whole numbers with NONE as null."""
    return whole(values, values != NONE)
