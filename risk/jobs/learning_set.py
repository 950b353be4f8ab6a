"""Everything that training and evaluation read of a data set: feature rows with their rings, labels, amounts, and how it turned out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from data_contracts.errors import ContractError
from data_contracts.tables import schema
from models.ranker.dataset import latest_labels
from models.ranker.splits import groups, moment_at
from risk.jobs.read_tables import read_tables

TRUTH, LABELS = "the simulator's truth, for every request", "the latest label of each request that has one"
"""Where outcomes come from, in words."""


@dataclass(frozen=True, slots=True)
class LearningSet:
    """`frame`: one row a request, features and `group`; `labels`: the table; `money`: request_id, account_id, amount_minor in `currency`.

    `outcomes`: request_id, abuse (1, 0, null: nobody knows) and, for simulated data, archetype. Only evaluation may read them.
    """

    frame: pl.DataFrame
    labels: pl.DataFrame
    money: pl.DataFrame
    outcomes: pl.DataFrame
    outcomes_from: str
    currency: str | None

    def moment(self, share: float) -> datetime:
        """The moment before which that share of the requests came."""
        return moment_at(self.frame, share)

    def between(self, start: datetime, end: datetime) -> pl.DataFrame:
        """The feature rows of the requests asked in [start, end)."""
        return self.frame.filter((pl.col("as_of") >= start) & (pl.col("as_of") < end)).sort("as_of", "request_id")


def read_learning_set(folder: Path, features: Path | None = None) -> LearningSet:
    """From a data set, and from a file of its features where they were computed before. ContractError: no requests, or rows without features."""
    from risk.jobs.build_features import build_features

    tables = read_tables(folder)
    frame = build_features(folder) if features is None else pl.read_parquet(features)
    return learning_set(tables, frame)


def learning_set(tables: Mapping[str, pl.DataFrame], frame: pl.DataFrame) -> LearningSet:
    """From tables and feature rows in memory."""
    requests = tables["refund_requests"]
    if requests.is_empty():
        raise ContractError("the data set holds no refund requests; import or simulate some", field="refund_requests")
    lacking = requests.select("request_id").join(frame.select("request_id"), on="request_id", how="anti")
    if not lacking.is_empty():
        message = (
            f"{lacking.height} of {requests.height} requests have no feature row, {lacking['request_id'][0]} for one; compute the features again"
        )
        raise ContractError(message, field="request_id")
    labels = tables.get("labels", schema("labels").to_frame())
    currency = _currency(requests)
    own = pl.when(pl.col("currency").is_null() | (pl.col("currency") == currency)).then("amount_minor")
    money = requests.select("request_id", "account_id", amount_minor=own)
    ringed = frame.join(groups(requests, tables.get("links"), moment_at(frame, 1.0)), on="request_id", how="left")
    outcomes, source = _outcomes(requests, labels, tables.get("truth"))
    return LearningSet(ringed, labels, money, outcomes, source, currency)


def _currency(requests: pl.DataFrame) -> str | None:
    """The currency of most requests; null when none is given."""
    counts = requests["currency"].drop_nulls().value_counts(sort=True).sort(["count", "currency"], descending=[True, False])
    return None if counts.is_empty() else str(counts["currency"][0])


def _outcomes(requests: pl.DataFrame, labels: pl.DataFrame, truth: pl.DataFrame | None) -> tuple[pl.DataFrame, str]:
    """How each request turned out, and who says so."""
    if truth is not None:
        known = truth.select("request_id", "archetype", abuse=pl.col("abuse").cast(pl.Float64))
        return requests.select("request_id").join(known, on="request_id", how="left"), TRUTH
    final = latest_labels(labels).select("request_id", abuse="label")
    return requests.select("request_id").join(final, on="request_id", how="left"), LABELS
