"""The tables: their contract, their times, their determinism."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import TypeAdapter

from data_contracts.errors import ContractError
from data_contracts.tables import COUNTS, KEYS, OPEN_TABLE, TABLES, required, schema
from risk.simulator.simulate import simulate

END = datetime(2026, 11, 1, tzinfo=UTC)
Tables = Mapping[str, pl.DataFrame]
every_table = pytest.mark.parametrize("table", TABLES)


@every_table
def test_a_table_has_the_contracts_schema(market: Tables, table: str) -> None:
    assert market[table].schema == schema(table)


@every_table
def test_required_columns_are_filled(market: Tables, table: str) -> None:
    assert market[table].select(pl.col(required(table)).null_count()).row(0) == (0,) * len(required(table))


@every_table
def test_sampled_rows_pass_the_record_contract(market: Tables, table: str) -> None:
    adapter = TypeAdapter(TABLES[table])
    counted = [name for name, kind in schema(table).items() if kind == COUNTS]
    for row in market[table].sample(min(400, len(market[table])), seed=1).to_dicts():
        for name in counted:
            row[name] = None if row[name] is None else {one["attribute"]: one["count"] for one in row[name]}
        adapter.validate_python(row)


@pytest.mark.parametrize("table", [*TABLES, OPEN_TABLE])
def test_ids_are_unique(market: Tables, table: str) -> None:
    if key := KEYS.get(table):
        assert not market[table].select(key).is_duplicated().any()


@every_table
def test_nothing_is_known_before_it_happens_or_after_the_end(market: Tables, table: str) -> None:
    frame = market[table]
    if "occurred_at" in frame.columns:
        assert (frame["known_at"] >= frame["occurred_at"]).all()
    if "known_at" in frame.columns:
        assert frame["known_at"].max() < END


@pytest.mark.parametrize(
    ("table", "column", "target"),
    [
        ("order_lines", "order_id", "orders"),
        ("order_lines", "sku_id", "skus"),
        ("orders", "account_id", "accounts"),
        ("orders", "seller_id", "sellers"),
        ("deliveries", "order_id", "orders"),
        ("refund_requests", "order_id", "orders"),
        ("claim_lines", "request_id", "refund_requests"),
        ("evidence", "request_id", "refund_requests"),
        ("observations", "evidence_id", "evidence"),
        ("measurements", "evidence_id", "evidence"),
        ("links", "request_id", "refund_requests"),
        ("links", "order_id", "orders"),
        ("links", "account_id", "accounts"),
        ("labels", "request_id", "refund_requests"),
        ("refunds", "request_id", "refund_requests"),
        ("refunds", "order_id", "orders"),
    ],
)
def test_every_reference_leads_somewhere(market: Tables, table: str, column: str, target: str) -> None:
    loose = market[table].filter(pl.col(column).is_not_null()).join(market[target], on=column, how="anti")
    assert loose.is_empty()


def test_claims_and_orders_come_after_the_account_was_opened(market: Tables) -> None:
    opened = market["accounts"].select("account_id", opened="occurred_at")
    assert (market["orders"].join(opened, on="account_id").select(pl.col("occurred_at") - pl.col("opened")).to_series().dt.total_seconds() >= 0).all()
    claims = market["refund_requests"].join(market["orders"].select("order_id", ordered="occurred_at"), on="order_id")
    assert (claims["occurred_at"] >= claims["ordered"]).all()


def test_an_order_costs_what_its_lines_cost(market: Tables) -> None:
    cost = market["order_lines"].group_by("order_id").agg(cost=(pl.col("quantity") * pl.col("unit_price_minor")).sum())
    joined = market["orders"].join(cost, on="order_id")
    assert (joined["cost"] == joined["amount_minor"]).all()


@pytest.mark.parametrize("table", ["order_lines", "claim_lines"])
def test_counts_add_up_to_the_quantity(market: Tables, table: str) -> None:
    counted = market[table].filter(pl.col("counts").is_not_null())
    total = counted.select(pl.col("counts").list.eval(pl.element().struct.field("count").sum()).list.first()).to_series()
    assert (total == counted["quantity"]).all()
    assert 0.3 < len(counted) / len(market[table]) < 0.6


def test_labels_never_come_before_their_request(market: Tables) -> None:
    joined = market["labels"].join(market["refund_requests"].select("request_id", requested="known_at"), on="request_id")
    assert (joined["known_at"] > joined["requested"]).all()


def test_equal_arguments_give_equal_tables_and_another_seed_gives_others() -> None:
    first, again, other = (simulate(3_000, 120, seed, END) for seed in (4, 4, 5))
    for name, frame in first.items():
        assert_frame_equal(frame, again[name])
    assert not first["orders"].equals(other["orders"])


@settings(max_examples=12, deadline=None)
@given(orders=st.integers(1, 400), days=st.integers(1, 900), seed=st.integers(0, 2**31))
def test_a_market_of_any_size_has_all_tables(orders: int, days: int, seed: int) -> None:
    tables = simulate(orders, days, seed, END)
    assert set(tables) == {*TABLES, OPEN_TABLE}
    assert len(tables["orders"]) == orders
    assert len(tables["truth"]) == len(tables["refund_requests"])


@pytest.mark.parametrize(("orders", "days", "seed"), [(0, 10, 1), (10, 0, 1), (10, 4_000, 1), (10, 10, -1)])
def test_arguments_out_of_range_are_refused(orders: int, days: int, seed: int) -> None:
    with pytest.raises(ContractError, match="expected orders >= 1"):
        simulate(orders, days, seed, END)


def test_an_end_without_zone_is_refused() -> None:
    with pytest.raises(ContractError, match="has no zone"):
        simulate(10, 10, 1, datetime(2026, 11, 1))  # noqa: DTZ001  # the point of the test


def test_the_simulator_is_fast() -> None:
    begin = time.perf_counter()
    simulate(50_000, 365, 1, END)
    assert time.perf_counter() - begin < 15  # about 0.5 s; a million orders take 8 to 10 s


def test_the_truth_stands_in_its_own_table_only(market: Tables) -> None:
    telling = {"abuse", "archetype", "ring_id"}
    assert all(not telling & set(frame.columns) for name, frame in market.items() if name != "truth")
    assert set(market["truth"]["request_id"]) == set(market["refund_requests"]["request_id"])
