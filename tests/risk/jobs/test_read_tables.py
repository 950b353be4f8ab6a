"""A data set on disk is read whole, or one clear error says why not."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ContractError
from data_contracts.tables import OPEN_TABLE, TIME, schema
from risk.jobs.read_tables import read_parquet, read_tables, write_table, write_tables

T0 = datetime(2026, 1, 31, 8, tzinfo=UTC)
TIMES = {"occurred_at": TIME, "known_at": TIME}


def requests(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"request_id": ids, "occurred_at": [T0] * len(ids), "known_at": [T0] * len(ids)}, schema_overrides=TIMES)


def test_what_was_written_is_read_back_in_the_contracts_columns(tmp_path: Path) -> None:
    attributes = pl.DataFrame({"request_id": ["r1"], "age": [30.0], "tier": ["gold"]})
    write_tables({"refund_requests": requests("r1"), OPEN_TABLE: attributes}, tmp_path)
    found = read_tables(tmp_path)
    assert list(found) == ["refund_requests", OPEN_TABLE]
    assert found["refund_requests"].schema == schema("refund_requests")
    assert found[OPEN_TABLE].equals(attributes)


def test_an_empty_table_is_there_and_an_absent_one_is_not(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests(), "links": pl.DataFrame(schema=schema("links"))}, tmp_path)
    assert {table: frame.height for table, frame in read_tables(tmp_path).items()} == {"refund_requests": 0, "links": 0}


def test_writing_removes_tables_of_an_earlier_data_set_and_nothing_else(tmp_path: Path) -> None:
    write_tables({"refund_requests": requests("r1"), "links": pl.DataFrame(schema=schema("links"))}, tmp_path)
    (tmp_path / "decisions.parquet").write_bytes(b"mine")
    write_tables({"refund_requests": requests("r2")}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decisions.parquet", "refund_requests.parquet"]


def test_an_unknown_table_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no table pets"):
        write_tables({"pets": requests()}, tmp_path)


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ContractError, match="cannot be written"):
        write_table(requests(), tmp_path / "file" / "refund_requests.parquet")


def test_no_half_written_file_stays_behind(tmp_path: Path) -> None:
    (tmp_path / "refund_requests.parquet").mkdir()
    with pytest.raises(ContractError, match="cannot be written"):
        write_table(requests("r1"), tmp_path / "refund_requests.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["refund_requests.parquet"]


def test_a_folder_without_requests_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"has no refund_requests.parquet; it has nothing"):
        read_tables(tmp_path)
    with pytest.raises(ContractError, match="does not exist; expected a folder"):
        read_tables(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(ContractError, match="is a file; expected a folder"):
        read_tables(tmp_path / "file")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"request_id,when\n", "expected a Parquet file"),
        (b"PAR1 and then the disk was full", "it is cut off"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "cannot be read as Parquet"),
    ],
)
def test_a_bad_file_is_a_clear_error(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "refund_requests.parquet").write_bytes(data)
    with pytest.raises(ContractError, match=said) as raised:
        read_tables(tmp_path)
    assert raised.value.exit_code == 2


def test_a_folder_in_the_place_of_a_table_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "refund_requests.parquet").mkdir()
    with pytest.raises(ContractError, match="is a folder; expected one Parquet file"):
        read_tables(tmp_path)


def test_a_column_of_the_wrong_type_is_a_clear_error(tmp_path: Path) -> None:
    requests("r1").with_columns(known_at=pl.lit("soon")).write_parquet(tmp_path / "refund_requests.parquet")
    with pytest.raises(ContractError, match="row 1: known_at is soon, expected a moment"):
        read_tables(tmp_path)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), flip=st.integers(1, 255), cut=st.integers(0, 2_000))
def test_a_damaged_file_is_read_or_refused_but_never_breaks(tmp_path_factory: pytest.TempPathFactory, at: int, flip: int, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    requests(*map(str, range(100))).write_parquet(path)
    whole = bytearray(path.read_bytes())
    whole[at % len(whole)] ^= flip
    path.write_bytes(bytes(whole[: len(whole) - cut] if at % 2 else whole))
    try:
        read_parquet(path)
    except ContractError as error:
        assert str(path) in error.message  # noqa: PT017  # either outcome is right
