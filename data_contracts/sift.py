"""Good rows from bad ones, a whole table at once: accepted + rejected = input, and a bad row says which field, what was got, what was expected.

The checks are built from the records' own limits (`limits.py`); a test holds them equal to pydantic's verdict on single records.
"""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from data_contracts.cells import in_calendar, read
from data_contracts.columns import defaults_of, limits_of
from data_contracts.errors import ContractError
from data_contracts.limits import Limits, is_event
from data_contracts.tables import KEYS, OPEN_TABLE, TABLES, schema

ROW = "__row"
"""Name of the row number while tables are sifted; row 1 is the first row."""

PROBLEMS = pl.Schema({"row": pl.Int64, "field": pl.String, "got": pl.String, "expected": pl.String})
"""One line for each limit that a row breaks; `got` is null when there was nothing."""

GOT_CHARS = 200
"""How much of a bad cell is quoted."""

PARENTS: Mapping[str, tuple[tuple[str, str], ...]] = types.MappingProxyType(
    {
        "order_lines": (("order_id", "orders"),),
        "deliveries": (("order_id", "orders"),),
        "claim_lines": (("request_id", "refund_requests"),),
        "evidence": (("request_id", "refund_requests"),),
        "observations": (("request_id", "refund_requests"), ("evidence_id", "evidence")),
        "measurements": (("request_id", "refund_requests"), ("evidence_id", "evidence")),
        "labels": (("request_id", "refund_requests"),),
        "truth": (("request_id", "refund_requests"),),
        OPEN_TABLE: (("request_id", "refund_requests"),),
    },
)
"""Columns whose value must be a row of another table, where that table is there: a line without its order says nothing.

Accounts, sellers, articles and the order of a request may be unknown (an extract seldom holds them all), and a link stands on its own.
"""


@dataclass(frozen=True, slots=True)
class Sifted:
    """The accepted rows in the contract's types and order, their row numbers, and every problem of the others.

    `cells` is every row, bad ones too, in the contract's types; what could not be read is null there.
    """

    accepted: pl.DataFrame
    cells: pl.DataFrame
    rows: pl.Series
    problems: pl.DataFrame

    @property
    def rejected(self) -> int:
        """How many rows have at least one problem."""
        return self.problems.get_column("row").n_unique()


def sift(table: str, frame: pl.DataFrame, parents: Mapping[str, pl.DataFrame] = types.MappingProxyType({}), rows: pl.Series | None = None) -> Sifted:
    """Split a table. `parents`: accepted rows of other tables; `rows`: row numbers to report, counted from 1 when left out.

    ContractError: the table as a whole cannot be read (unknown table, a column missing, one too many, or of a type that holds no such cells).
    """
    limits = limits_of(table, frame.schema)
    numbers = pl.Series(ROW, range(1, frame.height + 1), pl.Int64) if rows is None else rows.cast(pl.Int64).rename(ROW)
    cells = frame.select(numbers, *_readings(table, limits, frame.schema))
    found = [_broken(frame, cells, limit) for limit in limits if limit.column in frame.columns]
    if table in TABLES and is_event(table):
        found.append(_too_early(cells))
    found.extend(_dangling(cells, column, parents[parent], parent) for column, parent in PARENTS.get(table, ()) if parent in parents)
    problems = pl.concat([PROBLEMS.to_frame(), *found])
    good = cells.join(problems.select(pl.col("row").alias(ROW)), on=ROW, how="anti", maintain_order="left") if problems.height else cells
    again = _repeated(good, KEYS.get(table, ()))
    if again.height:
        problems = pl.concat([problems, again])
        good = good.join(again.select(pl.col("row").alias(ROW)), on=ROW, how="anti", maintain_order="left")
    return Sifted(good.drop(ROW), cells.drop(ROW), good.get_column(ROW), problems.sort("row", maintain_order=True))


def conformed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The table in the contract's columns and types, without a look at single rows. ContractError: it does not fit, or a cell cannot be read."""
    limits = limits_of(table, frame.schema)
    cells = frame.select(_readings(table, limits, frame.schema))
    for name in frame.columns:
        lost = cells.get_column(name).is_null() & frame.get_column(name).is_not_null()
        if lost.any():
            limit = next(limit for limit in limits if limit.column == name)
            row, got = lost.arg_true()[0] + 1, quoted(frame.get_column(name).filter(lost))[0]
            message = f"{table} row {row}: {name} is {got}, expected {limit.expected}. Run `refund-risk validate` to move bad rows out"
            raise ContractError(message, field=f"{table}.{name}")
    return cells


def _readings(table: str, limits: tuple[Limits, ...], found: pl.Schema) -> Iterator[pl.Expr]:
    """Every column of the contract in its order and type; an absent one holds its default."""
    by_name = {limit.column: limit for limit in limits}
    defaults = defaults_of(table)
    for name in found if table == OPEN_TABLE else schema(table):
        limit = by_name[name]
        if name not in found:
            yield pl.lit(defaults[name], limit.dtype).alias(name)
        else:
            yield read(name, found[name], limit.dtype, strip=limit.strip).alias(name)


def _broken(frame: pl.DataFrame, cells: pl.DataFrame, limit: Limits) -> pl.DataFrame:
    """The rows whose cell breaks the limits of its column."""
    raw, cell = frame.get_column(limit.column), cells.get_column(limit.column)
    outside = cells.select(_outside(pl.col(limit.column), limit)).to_series().fill_null(value=False)
    bad = outside | (cell.is_null() if not limit.nullable else cell.is_null() & raw.is_not_null())
    if not bad.any():
        return PROBLEMS.to_frame()
    return pl.DataFrame({"row": cells.get_column(ROW).filter(bad), "got": quoted(raw.filter(bad))}).select(
        pl.col("row"),
        pl.lit(limit.column).alias("field"),
        pl.col("got"),
        pl.lit(limit.expected).alias("expected"),
    )


def _outside(cell: pl.Expr, limit: Limits) -> pl.Expr:
    """Whether a readable cell lies outside its limits; null where there is no cell."""
    if limit.entries is not None:
        return _counts_outside(cell, limit, *limit.entries)
    broken = [pl.lit(value=False)]
    if limit.allowed:
        broken.append(~cell.is_in(list(limit.allowed)))
    if limit.pattern is not None:
        broken.append(~cell.str.contains(limit.pattern))
    if limit.min_length is not None:
        broken.append(cell.str.len_chars() < limit.min_length)
    if limit.max_length is not None:
        broken.append(cell.str.len_chars() > limit.max_length)
    if limit.ge is not None:
        broken.append(cell < limit.ge)
    if limit.le is not None:
        broken.append(cell > limit.le)
    if limit.dtype == pl.Float64():
        broken.append(~cell.is_finite())
    return pl.any_horizontal(broken)


def _counts_outside(cell: pl.Expr, limit: Limits, name: Limits, count: Limits) -> pl.Expr:
    entry = pl.element().struct
    stripped = entry.field("attribute").str.strip_chars()
    bad = _outside(stripped, name).fill_null(value=True) | _outside(entry.field("count"), count).fill_null(value=True)
    return cell.list.eval(bad).list.any() | cell.list.eval(stripped.is_duplicated()).list.any() | (cell.list.len() > (limit.max_length or 0))


def _too_early(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.filter(pl.col("known_at") < pl.col("occurred_at")).select(
        pl.col(ROW).alias("row"),
        pl.lit("known_at").alias("field"),
        pl.col("known_at").dt.to_string("iso:strict").alias("got"),
        (pl.lit("at or after occurred_at, ") + pl.col("occurred_at").dt.to_string("iso:strict")).alias("expected"),
    )


def _dangling(cells: pl.DataFrame, column: str, parent: pl.DataFrame, name: str) -> pl.DataFrame:
    known = parent.select(pl.col(column).unique())
    return (
        cells.filter(pl.col(column).is_not_null())
        .join(known, on=column, how="anti", maintain_order="left")
        .select(
            pl.col(ROW).alias("row"),
            pl.lit(column).alias("field"),
            pl.col(column).str.slice(0, GOT_CHARS).alias("got"),
            pl.lit(f"the {column} of an accepted row of {name}").alias("expected"),
        )
    )


def _repeated(good: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """The rows whose key an earlier accepted row already has; that one stays."""
    if not key or not good.height:
        return PROBLEMS.to_frame()
    together = pl.col(key[0]) if len(key) == 1 else pl.struct(key)
    again = good.filter(~together.is_first_distinct())
    if not again.height:
        return PROBLEMS.to_frame()
    first = good.join(again.select(key).unique(), on=key, how="semi").group_by(key).agg(pl.col(ROW).min().alias("first"))
    name = " and ".join(key)
    return again.join(first, on=key, how="left", maintain_order="left").select(
        pl.col(ROW).alias("row"),
        pl.lit(", ".join(key)).alias("field"),
        pl.concat_str([pl.col(part).cast(pl.String) for part in key], separator=", ").str.slice(0, GOT_CHARS).alias("got"),
        pl.format("{} that no earlier row has; row {} has it", pl.lit(name), pl.col("first")).alias("expected"),
    )


def quoted(cells: pl.Series) -> pl.Series:
    """Cells as short text for a message; null stays null."""
    if isinstance(cells.dtype, pl.List):
        text = cells.to_frame("got").select(pl.col("got").list.eval(pl.element().struct.json_encode()).list.join(", ")).to_series()
    elif isinstance(cells.dtype, pl.Datetime):
        shown = cells.to_frame("got").select(in_calendar(pl.col("got"), cells.dtype)).to_series().fill_null(value=False)
        text = cells.set(~shown, None).dt.to_string("iso:strict").zip_with(shown, cells.to_physical().cast(pl.String))
    else:
        text = cells.cast(pl.String)
    return text.rename("got").str.slice(0, GOT_CHARS)
