"""One simulated market for all tests of this folder."""

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl
import pytest

from risk.simulator.simulate import simulate

END = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def market() -> Mapping[str, pl.DataFrame]:
    """A year with 200,000 orders."""
    return simulate(orders=200_000, days=365, seed=11, end=END)


@pytest.fixture(scope="session")
def judged(market: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Every request with its order's amount and the truth."""
    orders = market["orders"].select("order_id", order_amount="amount_minor", ordered_at="occurred_at")
    return market["refund_requests"].join(orders, on="order_id").join(market["truth"], on="request_id")
