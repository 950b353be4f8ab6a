"""Every table has a suite, read off the same limits as the row checks."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest

from data_contracts.expectations import expectable, reference, suite
from data_contracts.limits import table_limits
from data_contracts.tables import KEYS, OPEN_TABLE, TABLES, required, schema


def kinds(table: str, parents: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Kind of expectation -> the columns that it is about."""
    found: dict[str, list[str]] = {}
    for expectation in suite(table, parents).expectations:
        found.setdefault(type(expectation).__name__, []).append(str(getattr(expectation, "column", "")))
    return found


@pytest.mark.parametrize("table", [*TABLES, OPEN_TABLE])
def test_every_table_expects_its_required_columns_and_its_key(table: str) -> None:
    found = kinds(table)
    assert found["ExpectColumnValuesToNotBeNull"] == list(required(table) if table in TABLES else ("request_id",))
    key = KEYS.get(table, ())
    assert ("ExpectColumnValuesToBeUnique" in found) == (len(key) == 1)
    assert ("ExpectCompoundColumnsToBeUnique" in found) == (len(key) > 1)


@pytest.mark.parametrize("table", TABLES)
def test_every_limit_is_expected(table: str) -> None:
    found = kinds(table)
    for limit in table_limits(table):
        if limit.allowed:
            assert limit.column in found["ExpectColumnValuesToBeInSet"]
        elif limit.pattern is not None:
            assert limit.column in found["ExpectColumnValuesToMatchRegex"]
        elif limit.dtype == pl.String():
            assert limit.column in found["ExpectColumnValueLengthsToBeBetween"]
        elif limit.ge is not None:
            assert limit.column in found["ExpectColumnValuesToBeBetween"]


def test_references_are_expected_only_into_tables_that_are_there() -> None:
    name = reference("request_id", "refund_requests")
    assert name in kinds("labels", ("refund_requests",))["ExpectColumnValuesToBeInSet"]
    assert name not in kinds("labels")["ExpectColumnValuesToBeInSet"]


def test_references_are_answered_and_counts_left_out() -> None:
    t0 = datetime(2026, 1, 31, tzinfo=UTC)
    lines = pl.DataFrame(
        {"request_id": ["r1", "r9"], "line_no": [1, 1], "counts": [[], None]}, schema_overrides={"counts": schema("claim_lines")["counts"]}
    )
    requests = pl.DataFrame({"request_id": ["r1"], "known_at": [t0]})
    found = expectable("claim_lines", lines, {"refund_requests": requests})
    assert found.get_column(reference("request_id", "refund_requests")).to_list() == [True, False]
    assert "counts" not in found.columns


def test_the_contract_does_not_load_great_expectations_until_asked() -> None:
    code = "import sys, data_contracts.expectations; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0
