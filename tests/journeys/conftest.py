"""A shop that has been open for a year: its market, a model trained on it, and the service over both."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from risk.jobs.build_features import write_features
from risk.jobs.load_history import load_history
from risk.jobs.read_tables import write_tables
from risk.jobs.train import train
from risk.simulator.simulate import simulate
from tests.journeys.shop import Shop
from tests.risk.servers import running

END = datetime(2026, 11, 1, tzinfo=UTC)
ORDERS, DAYS, SEED = 120_000, 365, 5


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated year, its features and a model, made once."""
    folder = tmp_path_factory.mktemp("shop")
    write_tables(simulate(ORDERS, DAYS, SEED, END), folder / "market")
    write_features(folder / "market", folder / "features.parquet")
    train(folder / "market", folder / "home" / "model", features=folder / "features.parquet", test_share=0.0)
    load_history(folder / "market", folder / "home")
    return folder


@pytest.fixture(scope="session")
def make_shop(market: Path) -> Iterator[Callable[[], Shop]]:
    """Opens the service over the market; stories use buyers of their own, so they share it."""
    shops: list[Shop] = []
    with running(market / "home", now=lambda: shops[0].moment if shops else END) as service:
        assert service.server.started.model != "none"
        tables = {path.stem: pl.read_parquet(path) for path in (market / "market").glob("*.parquet")}
        shops.append(Shop(service.client, tables, END))
        yield lambda: shops[0]


@pytest.fixture
def shop(make_shop: Callable[[], Shop]) -> Shop:
    """The shop, an hour after the last story."""
    found = make_shop()
    found.wait(hours=1)
    return found
