"""A Great Expectations suite for every table, derived from the records' own limits; `risk/jobs/data_docs.py` runs them."""

import os
import types
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from data_contracts.limits import Limits, id_limits, is_event, table_limits
from data_contracts.sift import PARENTS
from data_contracts.tables import COUNTS, KEYS, OPEN_TABLE, TIME, required

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite


def load() -> types.ModuleType:
    """The great_expectations package: imported late (it takes seconds), with its calls home off and its own deprecations not shown."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations
        import great_expectations.expectations
    return great_expectations


def suite(table: str, parents: tuple[str, ...] = ()) -> "ExpectationSuite":
    """What a whole table must fulfil. `parents` names the other tables that are there, so that references into them are expected to hold."""
    gx = load()
    open_table = table == OPEN_TABLE
    limits = (id_limits("request_id"),) if open_table else table_limits(table)
    never_null = ("request_id",) if open_table else required(table)
    wanted: list[tuple[str, dict[str, Any]]] = [("ExpectColumnValuesToNotBeNull", {"column": name}) for name in never_null]
    for limit in limits:
        wanted.extend(_column(limit))
    wanted.extend(_key(KEYS.get(table, ())))
    if not open_table:
        wanted.append(
            ("ExpectTableColumnsToMatchSet", {"column_set": [limit.column for limit in limits if limit.dtype != COUNTS], "exact_match": False})
        )
        if is_event(table):
            wanted.append(("ExpectColumnPairValuesAToBeGreaterThanB", {"column_A": "known_at", "column_B": "occurred_at", "or_equal": True}))
    for column, parent in PARENTS.get(table, ()):
        if parent in parents:
            wanted.append(("ExpectColumnValuesToBeInSet", {"column": reference(column, parent), "value_set": [True]}))
    made: ExpectationSuite = gx.ExpectationSuite(name=table, expectations=[getattr(gx.expectations, kind)(**arguments) for kind, arguments in wanted])
    return made


def reference(column: str, parent: str) -> str:
    """Name of the true-or-false column that says whether a value is a row of another table."""
    return f"{column} in {parent}"


def expectable(table: str, cells: pl.DataFrame, parents: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The table as the suite reads it: counts left out (lists are no cells), references answered as true or false."""
    plain = cells.select(name for name, dtype in cells.schema.items() if dtype != COUNTS)
    answers = [
        cells.get_column(column).is_in(parents[parent].get_column(column).unique().implode()).alias(reference(column, parent))
        for column, parent in PARENTS.get(table, ())
        if parent in parents
    ]
    return plain.with_columns(answers)


def _column(limit: Limits) -> list[tuple[str, dict[str, Any]]]:
    """The expectations of one column; nulls are left to the expectation that there are none."""
    column = {"column": limit.column}
    if limit.allowed:
        return [("ExpectColumnValuesToBeInSet", {**column, "value_set": list(limit.allowed)})]
    if limit.pattern is not None:
        return [("ExpectColumnValuesToMatchRegex", {**column, "regex": limit.pattern})]
    if limit.dtype in (COUNTS, TIME):
        return []
    if limit.max_length is not None:
        return [("ExpectColumnValueLengthsToBeBetween", {**column, "min_value": limit.min_length, "max_value": limit.max_length})]
    if limit.ge is not None or limit.le is not None:
        return [("ExpectColumnValuesToBeBetween", {**column, "min_value": limit.ge, "max_value": limit.le})]
    return []


def _key(key: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    if not key:
        return []
    if len(key) == 1:
        return [("ExpectColumnValuesToBeUnique", {"column": key[0]})]
    return [("ExpectCompoundColumnsToBeUnique", {"column_list": list(key)})]
