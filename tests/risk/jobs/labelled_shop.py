"""A small data set on disk with its feature rows computed beforehand, for the jobs that learn and judge."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.tables import TIME, schema
from features.catalog import FEATURES, kind_of
from risk.jobs.read_tables import write_tables

START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNALS = ("account_requests_90d", "generated_max", "claimed_quantity_share", "component_accounts", "account_age_days")
"""Features that know something, one of each family; all others are null."""


@dataclass(frozen=True)
class LabelledShop:
    """Where the tables and the feature rows lie."""

    folder: Path
    features: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")


def a_shop(folder: Path, requests: int = 480, *, truth: bool = True) -> LabelledShop:
    """Buyers with a request each day or so; abuse shows a little in every signal; two thirds get a label after three days."""
    rng = np.random.default_rng(11)
    abuse = rng.random(requests) < 0.25
    as_of = pl.Series([START + timedelta(hours=6 * place) for place in range(requests)], dtype=TIME)
    ids = [f"r{place:04d}" for place in range(requests)]
    asked = pl.DataFrame(
        {
            "request_id": ids,
            "account_id": [f"a{place % 200}" for place in range(requests)],
            "amount_minor": rng.integers(1_000, 60_000, requests),
            "currency": ["CNY"] * requests,
            "occurred_at": as_of,
            "known_at": as_of,
        },
    )
    missing = {name: pl.lit(None, dtype=kind) for name, kind in schema("refund_requests").items() if name not in asked.columns}
    checked = pl.Series(rng.random(requests) < 0.66)
    labels = pl.DataFrame(
        {
            "request_id": ids,
            "value": np.where(abuse, "abuse", "honest"),
            "source": ["verdict"] * requests,
            "occurred_at": as_of + timedelta(days=3),
            "known_at": as_of + timedelta(days=3),
        },
    ).filter(checked)
    tables = {"refund_requests": asked.with_columns(**missing).select(schema("refund_requests").names()), "labels": labels}
    if truth:
        archetype = np.where(abuse, "serial_refunder", "honest")
        tables["truth"] = pl.DataFrame({"request_id": ids, "abuse": abuse, "archetype": archetype}).with_columns(
            ring_id=pl.lit(None, dtype=pl.String)
        )
    write_tables(tables, folder / "set")
    signals = {name: abuse * rng.normal(1.0, 0.3) + rng.normal(size=requests) for name in SIGNALS}
    signals["claimed_amount"] = asked["amount_minor"].to_numpy().astype(float)
    columns = [
        pl.Series(feature.name, signals[feature.name])
        if feature.name in signals
        else pl.Series(feature.name, [None] * requests, dtype=pl.String if kind_of(feature) == "category" else pl.Float64)
        for feature in FEATURES
    ]
    pl.DataFrame([pl.Series("request_id", ids), as_of.alias("as_of"), *columns]).write_parquet(folder / "features.parquet")
    return LabelledShop(folder / "set", folder / "features.parquet")
