"""No single column separates abuse from honest claims; together they tell a good deal."""

from collections.abc import Mapping

import lightgbm
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

KINDS = ("device", "address", "card", "phone", "ip", "text", "image", "agent")


def earlier(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """request_id and how many requests with the same key came before it."""
    found = frame.drop_nulls(key).unique(["request_id", key]).sort("known_at", "request_id")
    return found.with_columns(n=pl.int_range(pl.len()).over(key)).group_by("request_id").agg(pl.col("n").max().cast(pl.Float64))


@pytest.fixture(scope="module")
def signals(market: Mapping[str, pl.DataFrame], judged: pl.DataFrame) -> pl.DataFrame:
    """One column a signal, computed from the tables as a newcomer would."""
    requests = judged.sort("known_at", "request_id")
    scans = market["deliveries"].group_by("order_id").agg(pl.col("occurred_at").min().alias("scanned"), pl.col("status").first())
    opened = market["accounts"].select("account_id", opened="occurred_at")
    frame = (
        requests.join(scans, on="order_id", how="left").join(opened, on="account_id", how="left").join(market["request_attributes"], on="request_id")
    )
    columns = frame.select(
        "request_id",
        "abuse",
        "order_amount",
        "contacts_before",
        amount=pl.col("amount_minor"),
        share=pl.col("amount_minor") / pl.col("order_amount"),
        delay=(pl.col("occurred_at") - pl.col("scanned")).dt.total_hours(),
        age=(pl.col("known_at") - pl.col("opened")).dt.total_hours(),
        letters=pl.col("text").str.len_chars(),
        not_received_but_delivered=((pl.col("claim_type") == "not_received") & (pl.col("status") == "delivered")).fill_null(value=False),
        **{f"type_{name}": pl.col("claim_type") == name for name in ("not_received", "damaged", "missing", "quality", "wrong_item")},
    )
    scores = market["measurements"].pivot(on="signal", index="request_id", values="value", aggregate_function="max")
    columns = columns.join(scores, on="request_id", how="left").join(
        market["evidence"].group_by("request_id").len("pieces"), on="request_id", how="left"
    )
    columns = columns.join(earlier(requests, "account_id").rename({"n": "account_requests"}), on="request_id", how="left")
    placed = market["orders"].group_by("account_id").len("orders")
    rate = requests.join(placed, on="account_id", how="left").join(earlier(requests, "account_id"), on="request_id", how="left")
    columns = columns.join(rate.select("request_id", rate=pl.col("n") / pl.col("orders")), on="request_id", how="left")
    for kind in KINDS:
        columns = columns.join(_linked(market["links"].filter(pl.col("entity_type") == kind), requests, kind), on="request_id", how="left")
    return columns.select(column for column in columns if column.null_count() < len(column))  # what nobody measures tells nothing


def _linked(links: pl.DataFrame, requests: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Requests, and other accounts, seen before on the entities of each request."""
    asked = requests.select("request_id", "order_id", "account_id", "known_at")
    by_order = asked.join(links.drop_nulls("order_id").select("order_id", "entity_id"), on="order_id").drop("order_id")
    by_request = asked.drop("order_id").join(links.drop_nulls("request_id").select("request_id", "entity_id"), on="request_id")
    own = pl.concat([by_order, by_request]).unique(["request_id", "entity_id"])
    uses = (
        links.drop_nulls("account_id")
        .sort("known_at")
        .select("entity_id", "account_id", "known_at")
        .unique(["entity_id", "account_id"], keep="first")
    )
    sharing = uses.sort("known_at").with_columns(others=pl.int_range(pl.len()).over("entity_id")).sort("known_at")
    seen = own.sort("known_at").join_asof(sharing.drop("account_id"), on="known_at", by="entity_id", check_sortedness=False)
    others = seen.group_by("request_id").agg(pl.col("others").max().cast(pl.Float64).alias(f"{kind}_accounts"))
    return earlier(own, "entity_id").rename({"n": f"{kind}_requests"}).join(others, on="request_id", how="left")


def auc(values: pl.Series, truth: np.ndarray) -> float:
    """Area under the curve in the better direction, nulls apart from and below all values."""
    numbers = values.cast(pl.Float64).to_numpy()
    filled = np.where(np.isnan(numbers), np.nanmin(numbers) - 1.0, numbers)
    found = float(roc_auc_score(truth, filled))
    return max(found, 1.0 - found)


def test_no_single_signal_separates_the_classes(signals: pl.DataFrame) -> None:
    truth = signals["abuse"].to_numpy()
    found = {name: auc(signals[name], truth) for name in signals.columns if name not in {"request_id", "abuse"}}
    assert len(found) > 25
    assert max(found.values()) < 0.80, sorted(found.items(), key=lambda one: -one[1])[:5]
    assert max(found.values()) > 0.55


def test_signals_together_tell_much_and_not_all(signals: pl.DataFrame) -> None:
    names = [name for name in signals.columns if name not in {"request_id", "abuse"}]
    table = signals.select(pl.col(names).cast(pl.Float64)).to_numpy()
    truth = signals["abuse"].to_numpy()
    half = np.random.default_rng(1).random(len(truth)) < 0.6
    settings = {"objective": "binary", "learning_rate": 0.05, "num_leaves": 12, "min_data_in_leaf": 15, "num_threads": 1, "verbose": -1, "seed": 1}
    model = lightgbm.train(settings, lightgbm.Dataset(table[half], truth[half].astype(float)), 120)
    together = roc_auc_score(truth[~half], model.predict(table[~half], num_threads=1))
    alone = max(auc(signals[name], truth) for name in names)
    assert alone + 0.08 < together < 0.97
