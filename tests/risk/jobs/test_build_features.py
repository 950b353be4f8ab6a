import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import ContractError
from features.catalog import FEATURES
from features.slow import slow_features
from graph.components import component_facts
from risk.jobs.build_features import build_features, features_of, publish_slow
from risk.jobs.read_tables import write_tables
from risk.simulator.simulate import simulate
from risk.stores.feature_store import FeatureStore

pytestmark = pytest.mark.filterwarnings(
    "default::DeprecationWarning:feast",  # Feast's own modules, on import
    "default::DeprecationWarning:ibis",  # ibis 12 calls duckdb 2 by an older name
)

END = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return simulate(4_000, 120, 5, END)


@pytest.fixture(scope="module")
def built(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return features_of(tables)


def test_one_row_a_request_in_the_order_of_arrival(tables: dict[str, pl.DataFrame], built: pl.DataFrame) -> None:
    asked = tables["refund_requests"].sort("known_at", "request_id")
    assert built.select("request_id", "as_of").equals(asked.select("request_id", as_of="known_at"))
    assert built.columns[2 : 2 + len(FEATURES)] == [feature.name for feature in FEATURES]
    assert built.columns[-2:] == ["label", "label_known_at"]


def test_graph_and_slow_features_are_filled_in(tables: dict[str, pl.DataFrame], built: pl.DataFrame) -> None:
    joined = built.select("request_id").join(component_facts(tables), on="request_id", how="left", maintain_order="left")
    assert built.select(joined.columns).equals(joined)
    for features in slow_features().values():
        assert built[features[0].name].null_count() < built.height


def test_features_are_the_same_without_labels_of_later_and_without_the_truth(tables: dict[str, pl.DataFrame], built: pl.DataFrame) -> None:
    middle = built["as_of"][built.height // 2]
    earlier = {
        name: frame.filter(pl.col("known_at") < middle) if "known_at" in frame.columns else frame for name, frame in tables.items() if name != "truth"
    }
    names = [feature.name for feature in FEATURES]
    assert features_of(earlier).select(names).equals(built.filter(pl.col("as_of") < middle).select(names))


def test_the_label_is_the_latest_one(tables: dict[str, pl.DataFrame], built: pl.DataFrame) -> None:
    last = tables["labels"].sort("known_at").unique("request_id", keep="last", maintain_order=True)
    assert built["label"].count() == last.height
    assert built["label"].sum() == last.filter(value="abuse").height


def test_a_folder_gives_what_its_tables_give(tables: dict[str, pl.DataFrame], built: pl.DataFrame, tmp_path: Path) -> None:
    write_tables(tables, tmp_path)
    assert build_features(tmp_path).equals(built)
    with pytest.raises(ContractError, match="does not exist"):
        build_features(tmp_path / "nowhere")


def test_online_values_are_those_of_a_request_right_after_publication(tables: dict[str, pl.DataFrame], built: pl.DataFrame, tmp_path: Path) -> None:
    last = built.row(-1, named=True)
    store = FeatureStore(tmp_path)
    publish_slow(tables, last["as_of"], store)
    asked = tables["refund_requests"].filter(request_id=last["request_id"])
    lines = asked.join(tables["claim_lines"], on="request_id").join(tables["order_lines"], on=["order_id", "line_no"], suffix="_ordered")
    found = store.online(asked["seller_id"][0], lines.select(pl.coalesce("sku_id", "sku_id_ordered")).to_series().drop_nulls().to_list())
    assert found == {name: last[name] for name in found}


def test_requests_of_nobody_known_need_no_feature_store() -> None:
    """Feast takes seconds to import, so it is not imported where it has nothing to say."""
    program = """
import sys
import polars as pl
from datetime import UTC, datetime
from data_contracts.tables import schema
from risk.jobs.build_features import features_of
row = {**dict.fromkeys(schema("refund_requests")), "request_id": "r", "account_id": "a"}
row |= dict.fromkeys(("occurred_at", "known_at"), datetime(2026, 1, 1, tzinfo=UTC))
frame = features_of({"refund_requests": pl.DataFrame([row], schema=schema("refund_requests"))})
assert frame["seller_requests_90d"].to_list() == [None]
assert "feast" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "."})
    assert (done.returncode, done.stderr) == (0, "")
