"""A table's columns as a whole: those of the contract must be there, none too many, each of a type that can hold its cells."""

import re
from dataclasses import MISSING, fields
from typing import Any

import polars as pl

from data_contracts.cells import readable
from data_contracts.errors import ContractError
from data_contracts.limits import Limits, id_limits, table_limits
from data_contracts.tables import OPEN_TABLE, TABLES

ATTRIBUTE_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")
"""What a shop's own column may be called: it becomes part of a feature's name."""


def limits_of(table: str, found: pl.Schema) -> tuple[Limits, ...]:
    """The limits of a table's columns.

    ContractError: no such table, a column missing, one too many, or of a type that holds no such cells.
    """
    if table in TABLES:
        limits = table_limits(table)
    elif table == OPEN_TABLE:
        limits = (id_limits("request_id"), *(attribute_limits(name, dtype) for name, dtype in found.items() if name != "request_id"))
    else:
        message = f"there is no table {table!r}; expected one of {', '.join((*TABLES, OPEN_TABLE))}"
        raise ContractError(message, field=table)
    _refuse_missing_or_extra(table, [limit.column for limit in limits], list(found))
    for limit in limits:
        if limit.column in found and not readable(found[limit.column], limit.dtype):
            message = f"{table}.{limit.column} is {found[limit.column]}, expected {limit.dtype}: {limit.expected}. Write the column in that type"
            raise ContractError(message, field=f"{table}.{limit.column}")
    return limits


def defaults_of(table: str) -> dict[str, Any]:
    """The columns of a table that may be absent, with what they hold then."""
    record = TABLES.get(table)
    return {} if record is None else {field.name: field.default for field in fields(record) if field.default is not MISSING}


def attribute_limits(name: str, found: pl.DataType) -> Limits:
    """The limits of one of the shop's own columns: any finite number, or a category of 1 to 128 characters. ContractError: an unfit name."""
    if not ATTRIBUTE_NAME.match(name):
        message = f"{OPEN_TABLE} has a column {name!r}; expected a name of at most 64 letters, digits and _ that starts with no digit. Rename it"
        raise ContractError(message, field=f"{OPEN_TABLE}.{name}")
    if found.is_numeric() or found == pl.Boolean():
        return Limits(name, pl.Float64(), nullable=True)
    return Limits(name, pl.String(), nullable=True, strip=True, min_length=1, max_length=128)


def _refuse_missing_or_extra(table: str, wanted: list[str], found: list[str]) -> None:
    missing = [name for name in wanted if name not in found and name not in defaults_of(table)]
    if missing:
        message = f"{table} has no column {', '.join(missing)}; it has {', '.join(found) or 'none'}. Add it"
        raise ContractError(message, field=f"{table}.{missing[0]}")
    extra = [name for name in found if name not in wanted]
    if extra:
        message = f"{table} has the column {', '.join(extra)}; expected only {', '.join(wanted)}. A shop's own columns belong into {OPEN_TABLE}"
        raise ContractError(message, field=f"{table}.{extra[0]}")
