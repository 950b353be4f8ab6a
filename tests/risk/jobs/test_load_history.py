from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import ContractError
from risk.home import open_home
from risk.jobs.load_history import load_history
from risk.jobs.read_tables import write_tables
from risk.settings import Settings
from risk.simulator.simulate import simulate
from risk.stores.feature_store import FeatureStore
from risk.stores.history import History

END = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    write_tables(simulate(1_500, 120, 3, END), folder)
    return folder


def test_a_folder_becomes_history_with_its_slow_features(market: Path, tmp_path: Path) -> None:
    loaded = load_history(market, tmp_path / "home")
    orders = pl.read_parquet(market / "orders.parquet")
    assert loaded["orders"] == orders.height
    assert int(str(loaded["slow_features"])) > 0
    home = open_home(tmp_path / "home", Settings())
    with home.database.reading() as connection:
        history = History(home.database)
        stored = history.order(connection, orders["order_id"][0])
        assert stored is not None
        assert stored.order.amount_minor == orders["amount_minor"][0]
        sources = {name for (name,) in home.database.fetch(connection, "SELECT name FROM sources", ())}
        assert {"orders", "labels", "links", "refund_requests"} <= sources
        assert "truth" not in sources
    home.database.close()
    assert any(value is not None for value in FeatureStore(tmp_path / "home").online(orders["seller_id"][0], ()).values())


def test_only_what_was_known_before_a_moment_is_loaded(market: Path, tmp_path: Path) -> None:
    moment = datetime(2026, 9, 1, tzinfo=UTC)
    loaded = load_history(market, tmp_path / "home", until=moment)
    assert loaded["orders"] == pl.read_parquet(market / "orders.parquet").filter(pl.col("known_at") < moment).height


def test_a_folder_without_requests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ContractError, match="refund_requests"):
        load_history(tmp_path / "empty", tmp_path / "home")
