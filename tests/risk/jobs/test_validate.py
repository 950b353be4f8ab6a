"""Good rows stay, bad rows move out complete, every table is held against its expectations, and a second run is clean."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import ContractError
from data_contracts.tables import TIME, schema
from risk.jobs.read_tables import read_tables, write_tables
from risk.jobs.validate import validate

T0 = datetime(2026, 1, 31, 8, tzinfo=UTC)
TIMES = {"occurred_at": TIME, "known_at": TIME}


def requests(*amounts: int | str | None) -> pl.DataFrame:
    rows = [{"request_id": f"r{n}", "amount_minor": amount, "occurred_at": T0, "known_at": T0} for n, amount in enumerate(amounts, 1)]
    return pl.DataFrame(rows, schema_overrides=TIMES)


def labels(*ids: str) -> pl.DataFrame:
    rows = [{"request_id": name, "value": "abuse", "source": "verdict", "occurred_at": T0, "known_at": T0 + timedelta(days=1)} for name in ids]
    return pl.DataFrame(rows, schema_overrides=TIMES)


def lines(folder: Path, table: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "rejects" / f"{table}.jsonl").read_text().splitlines()]


def test_a_clean_data_set_is_ok_and_untouched(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(1, None), "labels": labels("r1")}, tmp_path)
    before = (tmp_path / "refund_requests.parquet").stat().st_mtime_ns
    report = validate(tmp_path)
    assert report.ok
    assert report.rejects is None
    assert [(table.rows, table.accepted, table.rejected, table.failed_expectations) for table in report.tables.values()] == [
        (2, 2, 0, ()),
        (1, 1, 0, ()),
    ]
    assert (tmp_path / "refund_requests.parquet").stat().st_mtime_ns == before
    assert not (tmp_path / "rejects").exists()


def test_bad_rows_move_out_whole_with_the_reason_and_good_ones_stay(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(1, -5, 3), "labels": labels("r1", "r2", "r3")}, tmp_path)
    report = validate(tmp_path)
    assert not report.ok
    assert {table: (found.rows, found.accepted, found.rejected) for table, found in report.tables.items()} == {
        "refund_requests": (3, 2, 1),
        "labels": (3, 2, 1),
    }
    (bad,) = lines(tmp_path, "refund_requests")
    assert (bad["table"], bad["row"], bad["field"], bad["got"]) == ("refund_requests", 2, "amount_minor", "-5")
    assert bad["expected"] == "a whole number from 0 to 1000000000000, or null"
    assert bad["values"] == {
        "request_id": "r2",
        "amount_minor": -5,
        "occurred_at": "2026-01-31T08:00:00.000000+00:00",
        "known_at": "2026-01-31T08:00:00.000000+00:00",
    }
    assert lines(tmp_path, "labels")[0]["expected"] == "the request_id of an accepted row of refund_requests"
    assert read_tables(tmp_path)["refund_requests"].get_column("request_id").to_list() == ["r1", "r3"]


def test_the_failed_expectations_are_named_with_their_counts(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(1, -5, 3), "labels": labels("r2")}, tmp_path)
    tables = validate(tmp_path).tables
    (failed,) = tables["refund_requests"].failed_expectations
    assert failed.startswith("expect_column_values_to_be_between(column=amount_minor")
    assert failed.endswith("1 of 3 rows do not")
    assert "request_id in refund_requests" in tables["labels"].failed_expectations[0]


def test_a_second_run_is_clean_and_keeps_what_the_first_moved_out(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(1, -5)}, tmp_path)
    validate(tmp_path)
    report = validate(tmp_path)
    assert report.ok
    assert len(lines(tmp_path, "refund_requests")) == 1


def test_text_in_a_number_column_costs_only_its_rows(tmp_path: Path) -> None:
    requests("1", "many", "3").write_parquet(tmp_path / "refund_requests.parquet")
    report = validate(tmp_path)
    assert report.tables["refund_requests"].rejected == 1
    assert read_tables(tmp_path)["refund_requests"].get_column("amount_minor").to_list() == [1, 3]


def test_all_rows_may_be_rejected(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(-1, -2), "labels": labels("r1")}, tmp_path)
    report = validate(tmp_path)
    assert [found.accepted for found in report.tables.values()] == [0, 0]
    assert read_tables(tmp_path)["refund_requests"].schema == schema("refund_requests")


def test_counts_survive_the_way_through_rejects(tmp_path: Path) -> None:
    claims = pl.DataFrame({"request_id": ["r1", "r9"], "line_no": [1, 1], "counts": [[{"attribute": "male", "count": 3}]] * 2})
    write_tables({"refund_requests": requests(1), "claim_lines": claims}, tmp_path)
    validate(tmp_path)
    assert lines(tmp_path, "claim_lines")[0]["values"] == {"request_id": "r9", "line_no": 1, "counts": [{"attribute": "male", "count": 3}]}
    assert read_tables(tmp_path)["claim_lines"].get_column("counts").to_list() == [[{"attribute": "male", "count": 3}]]


def test_reports_go_where_they_are_asked_for_with_a_page_for_every_table(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(1, -5), "labels": labels("r1")}, tmp_path / "data")
    report = validate(tmp_path / "data", tmp_path / "report")
    assert report.data_docs == str(tmp_path / "report" / "data_docs" / "index.html")
    assert report.rejects == str(tmp_path / "report" / "rejects")
    pages = {path.name for path in (tmp_path / "report" / "data_docs").rglob("*.html")}
    assert {"index.html", "refund_requests.html", "labels.html", "refund_requests-refund_requests.html", "labels-labels.html"} <= pages
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["labels.parquet", "refund_requests.parquet"]


def test_a_file_that_is_no_table_is_named_and_left_alone(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(1)}, tmp_path)
    (tmp_path / "refund_request.parquet").write_bytes(b"a slip of the pen")
    assert validate(tmp_path).ignored == ("refund_request.parquet",)


def test_a_bad_table_stops_before_anything_is_changed(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(1, -5)}, tmp_path)
    (tmp_path / "labels.parquet").write_bytes(b"PAR1")
    before = (tmp_path / "refund_requests.parquet").read_bytes()
    with pytest.raises(ContractError, match=r"labels.parquet"):
        validate(tmp_path)
    assert (tmp_path / "refund_requests.parquet").read_bytes() == before
    assert not (tmp_path / "rejects").exists()
