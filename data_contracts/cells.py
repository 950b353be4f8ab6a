"""Cells as they come (text, other numbers, other time units) read as the contract's types: Polars expressions, null where a cell cannot be read."""

import re
from datetime import UTC, datetime

import polars as pl

from data_contracts.currency import MAX_DIGITS, UNUSUAL_DIGITS, USUAL_DIGITS
from data_contracts.tables import COUNTS, TIME

_WHOLE = r"^[+-]?\d+(\.0*[0])?$"
_EXACT = r"^[+-]?\d{1,13}(\.\d*)?$"
_OFFSET = r"([+-]([01]\d|2[0-3]):[0-5]\d)"
_CLOCK = r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?"
_TRUE = ("true", "t", "yes", "y", "on", "1")
_FALSE = ("false", "f", "no", "n", "off", "0")
_INT64_BOUND = 2.0**63
_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST_SECOND = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


def readable(found: pl.DataType, wanted: pl.DataType) -> bool:
    """Whether a column of that type can hold cells of the contract's type at all; text can hold anything but counts."""
    if found == pl.Null():
        return True
    if wanted == pl.String():
        return found in (pl.String, pl.Categorical, pl.Enum)
    if wanted == COUNTS:
        return isinstance(found, pl.List) and isinstance(found.inner, pl.Struct) and _is_count(found.inner)
    if wanted == TIME:
        return found == pl.String() or (isinstance(found, pl.Datetime) and found.time_zone is not None)
    if wanted == pl.Boolean():
        return found in (pl.String, pl.Boolean)
    return found in (pl.String, pl.Boolean) or found.is_integer() or found.is_float()


def _is_count(entry: pl.Struct) -> bool:
    names = {field.name: field.dtype for field in entry.fields}
    return set(names) == {"attribute", "count"} and names["attribute"] == pl.String and pl.datatypes.dtype_to_py_type(names["count"]) is int


def read(column: str, found: pl.DataType, wanted: pl.DataType, *, strip: bool) -> pl.Expr:
    """The column's cells in the contract's type; null where there is none or where it cannot be read. The types must be `readable`."""
    cell = pl.col(column)
    if wanted == COUNTS:
        return _counts(cell, found)
    if isinstance(found, pl.Datetime):
        return pl.when(in_calendar(cell, found)).then(cell).cast(TIME)
    if wanted == pl.String():
        text = cell.cast(pl.String)
        return text.str.strip_chars() if strip else text
    if found == pl.String():
        return _from_text(cell.str.strip_chars(), wanted)
    if found.is_float() and wanted == pl.Int64():
        whole = (cell == cell.floor()) & (cell.abs() < _INT64_BOUND)
        return pl.when(whole).then(cell).cast(pl.Int64, strict=False)
    return cell.cast(wanted, strict=False)


def in_calendar(cell: pl.Expr, found: pl.Datetime) -> pl.Expr:
    """Whether a moment lies in the years 1 to 9999: a column can hold others, no calendar and no record can."""
    unit = _PER_SECOND[found.time_unit]
    return cell.to_physical().is_between(_FIRST_SECOND * unit, _LAST_SECOND * unit)


def _counts(cell: pl.Expr, found: pl.DataType) -> pl.Expr:
    if found == pl.Null():
        return cell.cast(COUNTS)
    entry = pl.element().struct
    return cell.list.eval(pl.struct(entry.field("attribute").str.strip_chars(), entry.field("count").cast(pl.Int64, strict=False)))


def _from_text(text: pl.Expr, wanted: pl.DataType) -> pl.Expr:
    if wanted == pl.Int64():
        return pl.when(text.str.contains(_WHOLE)).then(text.str.replace(r"\.0*$", "").str.replace(r"^\+", "")).cast(pl.Int64, strict=False)
    if wanted == pl.Boolean():
        return truth(text)
    if wanted == TIME:
        return moment(text)
    return text.cast(pl.Float64, strict=False)


def truth(text: pl.Expr) -> pl.Expr:
    """True or false from the usual words, in any case; null for others."""
    word = text.str.to_lowercase()
    return pl.when(word.is_in(list(_TRUE))).then(statement=True).when(word.is_in(list(_FALSE))).then(statement=False)


def moment(text: pl.Expr) -> pl.Expr:
    """ISO 8601 with a zone (`2026-01-31T08:00:00.25+08:00`, `2026-01-31 08:00Z`) as UTC, cut to microseconds; null for others."""
    canonical = _clocked(text).str.replace(r"[Zz]$", "+00:00").str.replace(r"T(\d\d:\d\d)([+-])", "T${1}:00${2}")
    fits = canonical.str.contains(f"^{_CLOCK}{_OFFSET}$")
    return pl.when(fits).then(canonical).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)


def local_moment(text: pl.Expr) -> pl.Expr:
    """ISO 8601 without a zone, or a date alone (its midnight), as the clock on the wall; null for anything else."""
    canonical = _clocked(text).str.replace(r"^(\d{4}-\d\d-\d\d)$", "${1}T00:00:00").str.replace(r"T(\d\d:\d\d)$", "T${1}:00")
    fits = canonical.str.contains(f"^{_CLOCK}$")
    return pl.when(fits).then(canonical).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)


def _clocked(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"^(\d{4}-\d\d-\d\d)[t ]", "${1}T")


def digits_of(currency: pl.Expr) -> pl.Expr:
    """Decimals of each row's currency (ISO 4217); null where it is not known."""
    return pl.when(currency.is_not_null()).then(currency.replace_strict(dict(UNUSUAL_DIGITS), default=USUAL_DIGITS, return_dtype=pl.Int64))


def minor_units(text: pl.Expr, digits: pl.Expr, *, rounded: bool = False) -> pl.Expr:
    """A decimal number times ten to the power of `digits`, exactly, on its written digits: no float is involved.

    Null when it is none or has more decimals than that; with `rounded` these are rounded, half away from zero.
    """
    whole = text.str.extract(r"^[+-]?(\d+)").cast(pl.Int64, strict=False)
    decimals = text.str.extract(r"\.(\d*)$").fill_null("").str.strip_chars_end("0")
    padded = decimals.str.slice(0, MAX_DIGITS).str.pad_end(MAX_DIGITS, "0").cast(pl.Int64, strict=False)
    ten = pl.lit(10, pl.Int64)
    value = whole * ten.pow(digits) + padded // ten.pow(MAX_DIGITS - digits)
    fits = text.str.contains(_EXACT)
    if rounded:
        value += decimals.str.slice(digits, 1).is_in(list("56789")).cast(pl.Int64)
    else:
        fits &= decimals.str.len_chars() <= digits
    return pl.when(fits).then(pl.when(text.str.starts_with("-")).then(-value).otherwise(value))


def plain_number(text: pl.Expr, decimal: str, thousands: str) -> pl.Expr:
    """The text with the source's thousands marks taken out and its decimal mark turned into a point; marks in wrong places stay and spoil it."""
    if thousands:
        mark = re.escape(thousands)
        point = re.escape(decimal)
        grouped = text.str.contains(rf"^[+-]?\d{{1,3}}({mark}\d{{3}})+({point}\d*)?$")
        text = pl.when(grouped).then(text.str.replace_all(thousands, "", literal=True)).otherwise(text)
    if decimal == ".":
        return text
    return pl.when(text.str.contains(".", literal=True)).then(pl.lit("?")).otherwise(text.str.replace(decimal, ".", literal=True))
