"""The vectorised checks against pydantic's verdict, and what a rejected row says."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import ContractError
from data_contracts.limits import Limits, table_limits
from data_contracts.sift import GOT_CHARS, conformed, sift
from data_contracts.tables import COUNTS, OPEN_TABLE, TABLES, TIME, schema

T0 = datetime(2026, 1, 31, 8, tzinfo=UTC)
every_table = pytest.mark.parametrize("table", TABLES)


def accounts(*rows: Mapping[str, object], **columns: pl.DataType) -> pl.DataFrame:
    plain = [{"account_id": "a1", "occurred_at": T0, "known_at": T0, **row} for row in rows]
    return pl.DataFrame(plain, schema_overrides={"occurred_at": TIME, "known_at": TIME, **columns}, strict=False)


def requests(*ids: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"request_id": ids, "occurred_at": [T0] * len(ids), "known_at": [T0] * len(ids)}, schema_overrides={"occurred_at": TIME, "known_at": TIME}
    )


def verdict(table: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Pydantic's record as a row of the table, or None when it refuses."""
    plain = {name: value for name, value in row.items() if name in schema(table)}
    for name, dtype in schema(table).items():
        if dtype == COUNTS and plain[name] is not None:
            entries = plain[name]
            if len({str(entry["attribute"]).strip() for entry in entries}) < len(entries):
                return None  # a dict cannot hold the same name twice, so the table must not either
            plain[name] = {entry["attribute"]: entry["count"] for entry in entries}
    try:
        record: object = TypeAdapter(TABLES[table]).validate_python(plain)
    except ValidationError:
        return None
    found = {name: getattr(record, name) for name in schema(table)}
    for name, dtype in schema(table).items():
        if dtype == COUNTS and found[name] is not None:
            found[name] = [{"attribute": key, "count": count} for key, count in found[name].items()]
    return found


def texts(limit: Limits) -> st.SearchStrategy[str]:
    long = (limit.max_length or 5) + 1
    odd = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
    edges = st.sampled_from(
        ["", " ", "  x ", "\u3000", "x" * long, "x" * (long - 1), " " + "x" * (long - 1), "ä" * (long - 1), "CNY", "cny", "CNY\n", "a" * 64, "A" * 64]
    )
    return st.one_of(odd, edges, st.sampled_from(limit.allowed)) if limit.allowed else st.one_of(odd, edges)


def cells(limit: Limits) -> st.SearchStrategy[object]:
    moments = st.datetimes(datetime(1970, 1, 1), datetime(1970, 1, 2), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants naive bounds
    whole = st.one_of(st.integers(-1, 3), st.sampled_from([10**6, 10**6 + 1, 10**12, 10**12 + 1, 2**63 - 1, -(2**63)]))
    of_type: Mapping[pl.DataType, st.SearchStrategy[object]] = {
        pl.Int64(): whole,
        pl.Float64(): st.one_of(st.floats(width=32), st.sampled_from([0.0, 1.0, 1.0000001, -0.0])),
        pl.Boolean(): st.booleans(),
        TIME: moments,
        COUNTS: st.lists(st.fixed_dictionaries({"attribute": st.one_of(texts(limit), st.just("male")), "count": whole}), max_size=3),
    }
    return st.one_of(st.none(), texts(limit) if limit.dtype == pl.String() else of_type[limit.dtype])


@every_table
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_table_checks_agree_with_pydantic_on_every_row(table: str, data: st.DataObject) -> None:
    row = st.fixed_dictionaries({limit.column: cells(limit) for limit in table_limits(table)})
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    frame = pl.DataFrame(rows, schema=schema(table), orient="row", strict=False)
    for number, given_row in enumerate(rows):
        one = sift(table, frame[number])
        expected = verdict(table, given_row)
        assert one.accepted.to_dicts() == ([] if expected is None else [expected])
    together = sift(table, frame)
    assert together.accepted.height + together.rejected == frame.height


@settings(max_examples=40, deadline=None)
@given(
    amount=st.one_of(
        st.sampled_from(
            ["12", " 3 ", "+4", "-0", "00012", "12.0", "12.", "1e3", "", "abc", "0x1", "1.5", "-1", "٣", str(10**12), str(10**12 + 1), "9" * 30]
        ),
        st.none(),
    ),
    same=st.sampled_from(["true", "TRUE", "f", "No", "1", "0", "2", "", "maybe", None]),
    when=st.sampled_from(
        [
            "2026-01-31T08:00:00Z",
            "2026-01-31 08:00:00+08:00",
            "2026-01-31T08:00Z",
            "2026-01-31T08:00:00.1234567-03:30",
            "2026-01-31T08:00:00",
            "2026-02-30T08:00:00Z",
            "2026-01-31T24:00:00Z",
            "soon",
            "",
        ],
    ),
)
def test_text_in_columns_of_other_types_is_read_as_pydantic_reads_it(amount: str | None, same: str | None, when: str) -> None:
    row = {
        "request_id": "r1",
        "amount_minor": amount,
        "same_items": same,
        "occurred_at": when,
        "known_at": "2026-03-01T00:00:00Z",
    }
    frame = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
    expected = verdict("refund_requests", {**dict.fromkeys(schema("refund_requests")), **row})
    assert sift("refund_requests", frame).accepted.to_dicts() == ([] if expected is None else [expected])


def test_a_good_table_keeps_every_row_and_its_order() -> None:
    done = sift("accounts", accounts({"account_id": "b"}, {"account_id": "a"}))
    assert done.accepted.get_column("account_id").to_list() == ["b", "a"]
    assert done.accepted.schema == schema("accounts")
    assert done.rejected == 0


def test_a_bad_row_says_row_field_got_and_expected() -> None:
    frame = requests("r1", "r2").with_columns(amount_minor=pl.Series([100, -5]))
    assert sift("refund_requests", frame).problems.rows() == [(2, "amount_minor", "-5", "a whole number from 0 to 1000000000000, or null")]


def test_every_problem_of_a_row_is_told_but_the_row_counts_once() -> None:
    frame = requests("r1").with_columns(amount_minor=pl.lit(-5), currency=pl.lit("yuan"))
    done = sift("refund_requests", frame)
    assert done.problems.get_column("field").to_list() == ["amount_minor", "currency"]
    assert done.rejected == 1


def test_text_in_a_number_column_rejects_that_row_only() -> None:
    frame = requests("r1", "r2").with_columns(amount_minor=pl.Series(["12", "twelve"]))
    done = sift("refund_requests", frame)
    assert done.accepted.get_column("amount_minor").to_list() == [12]
    assert done.problems.row(0)[1:3] == ("amount_minor", "twelve")


def test_a_missing_value_is_got_null_not_an_empty_text() -> None:
    done = sift("accounts", accounts({"account_id": None}))
    assert done.problems.row(0) == (1, "account_id", None, "text of 1 to 128 characters")


def test_what_is_known_before_it_happens_is_rejected() -> None:
    done = sift("accounts", accounts({"known_at": T0 - timedelta(microseconds=1)}))
    assert done.problems.get_column("field").to_list() == ["known_at"]
    assert "2026-01-31T08:00:00" in done.problems.get_column("expected")[0]


def test_the_first_row_of_a_key_stays_and_the_second_names_it() -> None:
    done = sift("accounts", accounts({}, {"account_id": " a1 "}, {"account_id": "a2"}))
    assert done.accepted.height == 2
    assert done.problems.rows() == [(2, "account_id", "a1", "account_id that no earlier row has; row 1 has it")]


def test_a_bad_row_does_not_take_the_key_of_a_good_one() -> None:
    done = sift("accounts", accounts({"known_at": T0 - timedelta(days=1)}, {}))
    assert done.rows.to_list() == [2]


def test_a_key_of_several_columns_counts_as_a_whole() -> None:
    lines = pl.DataFrame({"order_id": ["o1", "o1", "o1"], "line_no": [1, 2, 1]})
    done = sift("order_lines", lines)
    assert done.rows.to_list() == [1, 2]
    assert done.problems.row(0)[:3] == (3, "order_id, line_no", "o1, 1")


def test_a_claim_line_of_an_unknown_request_is_rejected() -> None:
    lines = pl.DataFrame({"request_id": ["r1", "r9"], "line_no": [1, 1]})
    done = sift("claim_lines", lines, {"refund_requests": requests("r1")})
    assert done.problems.rows() == [(2, "request_id", "r9", "the request_id of an accepted row of refund_requests")]


def test_without_the_parent_table_nothing_dangles() -> None:
    assert sift("claim_lines", pl.DataFrame({"request_id": ["r9"], "line_no": [1]})).rejected == 0


def test_a_request_may_name_an_order_that_is_not_in_the_extract() -> None:
    frame = requests("r1").with_columns(order_id=pl.lit("o9"))
    assert sift("refund_requests", frame, {"orders": pl.DataFrame(schema=schema("orders"))}).rejected == 0


def test_an_absent_optional_column_is_null_and_an_absent_quantity_is_one() -> None:
    done = sift("order_lines", pl.DataFrame({"order_id": ["o1"], "line_no": [1]}))
    assert done.accepted.row(0, named=True) == {
        "order_id": "o1", "line_no": 1, "sku_id": None, "lot": None, "quantity": 1, "unit_price_minor": None, "counts": None,
    }  # fmt: skip


def test_counts_with_the_same_name_twice_are_rejected() -> None:
    counts = [[{"attribute": "male", "count": 1}, {"attribute": " male", "count": 2}]]
    frame = pl.DataFrame({"order_id": ["o1"], "line_no": [1], "counts": counts})
    done = sift("order_lines", frame)
    assert done.problems.get_column("field").to_list() == ["counts"]
    assert json.loads("[" + done.problems.get_column("got")[0] + "]") == counts[0]


def test_more_than_64_counts_are_rejected() -> None:
    counts = [[{"attribute": f"a{n}", "count": 1} for n in range(entries)] for entries in (64, 65)]
    frame = pl.DataFrame({"order_id": ["o1", "o1"], "line_no": [1, 2], "counts": counts})
    assert sift("order_lines", frame).rows.to_list() == [1]


def test_a_long_bad_cell_is_quoted_in_part() -> None:
    done = sift("refund_requests", requests("r1").with_columns(text=pl.lit("x" * 10_001)))
    assert done.problems.get_column("got")[0] == "x" * GOT_CHARS


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8))])
def test_moments_in_other_units_and_zones_become_utc_microseconds(unit: Literal["ms", "us", "ns"], zone: timezone) -> None:
    when = pl.Series([T0.astimezone(zone)]).dt.cast_time_unit(unit)
    done = sift("accounts", pl.DataFrame({"account_id": ["a"], "occurred_at": when, "known_at": when}))
    assert done.accepted.row(0) == ("a", T0, T0)


def test_a_moment_outside_the_calendar_is_a_reject_not_a_crash() -> None:
    wild = pl.Series([2**63 - 2, -(2**63) + 1]).cast(TIME)
    done = sift("accounts", pl.DataFrame({"account_id": ["a", "b"], "occurred_at": wild, "known_at": wild}))
    assert done.rejected == 2


def test_whole_floats_are_whole_numbers_and_others_are_not() -> None:
    frame = requests("r1", "r2", "r3", "r4").with_columns(amount_minor=pl.Series([5.0, 5.5, float("nan"), 1e300]))
    assert sift("refund_requests", frame).accepted.get_column("amount_minor").to_list() == [5]


def test_attributes_are_numbers_or_categories() -> None:
    frame = pl.DataFrame({"request_id": ["r1", "r2"], "age": [30, None], "vip": [True, False], "tier": [" gold ", "x" * 129]})
    done = sift(OPEN_TABLE, frame)
    assert done.accepted.rows() == [("r1", 30.0, 1.0, "gold")]
    assert done.problems.get_column("field").to_list() == ["tier"]


def test_an_attribute_that_is_no_finite_number_is_rejected() -> None:
    frame = pl.DataFrame({"request_id": ["r1", "r2", "r3"], "age": [float("nan"), float("inf"), 1.5]})
    assert sift(OPEN_TABLE, frame).rows.to_list() == [3]


@pytest.mark.parametrize(
    ("table", "frame", "said"),
    [
        ("pets", pl.DataFrame({"x": [1]}), "no table 'pets'"),
        ("accounts", pl.DataFrame({"account_id": ["a"]}), "no column occurred_at, known_at"),
        ("accounts", accounts({}).with_columns(shoe=pl.lit(1)), "the column shoe; expected only"),
        ("accounts", accounts({}).with_columns(account_id=pl.lit(7)), "account_id is Int32, expected String"),
        ("accounts", accounts({}).with_columns(known_at=pl.lit(datetime(2026, 1, 1))), "expected Datetime"),  # noqa: DTZ001  # naive on purpose
        ("accounts", accounts({}).with_columns(known_at=pl.lit(5)), "expected Datetime"),
        ("order_lines", pl.DataFrame({"order_id": ["o"], "line_no": [1], "counts": ["male"]}), "counts is String"),
        (OPEN_TABLE, pl.DataFrame({"age": [1]}), "no column request_id"),
        (OPEN_TABLE, pl.DataFrame({"request_id": ["r"], "my age": [1]}), "'my age'; expected a name"),
    ],
)
def test_a_table_that_does_not_fit_as_a_whole_is_one_clear_error(table: str, frame: pl.DataFrame, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        sift(table, frame)


def test_conformed_fills_and_casts_without_judging_rows() -> None:
    frame = requests("r1").with_columns(amount_minor=pl.lit(-5, pl.Int32))
    found = conformed("refund_requests", frame)
    assert found.schema == schema("refund_requests")
    assert found.get_column("amount_minor").to_list() == [-5]


def test_conformed_refuses_a_cell_that_it_cannot_read() -> None:
    frame = requests("r1", "r2").with_columns(amount_minor=pl.Series(["1", "x"]))
    with pytest.raises(ContractError, match="row 2: amount_minor is x, expected a whole number"):
        conformed("refund_requests", frame)


@pytest.mark.parametrize("make", [requests, lambda: requests("r1").with_columns(amount_minor=pl.lit(-1))], ids=["empty", "all bad"])
def test_a_table_may_end_up_empty(make: Callable[[], pl.DataFrame]) -> None:
    done = sift("refund_requests", make())
    assert done.accepted.schema == schema("refund_requests")
    assert done.accepted.height == 0
