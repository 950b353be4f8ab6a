"""What the simulated shop paid back: after it was asked, at most what was asked, not where abuse was seen in time; and it moves nothing else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from risk.jobs.load_history import load_tables
from risk.jobs.read_tables import read_tables, write_tables
from risk.jobs.validate import validate
from risk.simulator import refunds
from risk.simulator.simulate import simulate
from risk.stores.database import Database

END = datetime(2026, 11, 1, tzinfo=UTC)
Tables = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="module")
def paid(market: Tables) -> pl.DataFrame:
    """Every refund with its request and the last word of a person that was known by then, null where there was none."""
    asked = market["refund_requests"].select("request_id", "order_id", asked="amount_minor", asked_at="known_at")
    said = (
        market["labels"].filter(pl.col("source") != "chargeback").sort("known_at").select("request_id", "value", pl.col("known_at").alias("said_at"))
    )
    joined = market["refunds"].join(asked, on=["request_id", "order_id"], validate="1:1").sort("occurred_at")
    return joined.join_asof(said, left_on="occurred_at", right_on="said_at", by="request_id", check_sortedness=False)


def test_most_requests_are_paid_once_and_none_before_it_came(market: Tables, paid: pl.DataFrame) -> None:
    assert len(paid) == len(market["refunds"])
    assert 0.85 < len(paid) / len(market["refund_requests"]) < 0.95
    assert (paid["occurred_at"] >= paid["asked_at"]).all()


def test_no_more_is_paid_than_was_asked_for(paid: pl.DataFrame) -> None:
    assert paid.filter(pl.col("amount_minor").is_null() != pl.col("asked").is_null()).is_empty()
    known = paid.drop_nulls("asked")
    assert (known["amount_minor"] <= known["asked"]).all()
    assert (known["amount_minor"] > 0).all()
    assert 0.06 < (known["amount_minor"] < known["asked"]).mean() < 0.1  # type: ignore[operator]  # of booleans it is a number


def test_what_a_person_called_abuse_is_not_paid_afterwards(paid: pl.DataFrame) -> None:
    assert paid.filter(pl.col("value") == "abuse").is_empty()
    assert not paid.filter(pl.col("value") == "honest").is_empty()


def test_what_is_paid_moves_no_other_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    first = simulate(orders=3_000, days=60, seed=4, end=END)
    monkeypatch.setattr(refunds, "PAID_UNSEEN", 0.2)
    monkeypatch.setattr(refunds, "DAYS_TO_PAY", 9.0)
    other = simulate(orders=3_000, days=60, seed=4, end=END)
    assert len(other["refunds"]) < len(first["refunds"])
    for name in first.keys() - {"refunds"}:
        assert_frame_equal(first[name], other[name])


def test_they_are_written_checked_and_loaded_once(tmp_path: Path, database: Database) -> None:
    tables = simulate(orders=3_000, days=60, seed=4, end=END)
    write_tables(tables, tmp_path / "set")
    assert validate(tmp_path / "set").ok
    for _ in range(2):
        load_tables(read_tables(tmp_path / "set"), database, None)
    with database.reading() as connection:
        rows = database.fetch(connection, "SELECT refund_id, request_id, amount_minor FROM refunds ORDER BY refund_id", ())
    assert rows == tables["refunds"].select("refund_id", "request_id", "amount_minor").sort("refund_id").rows()
