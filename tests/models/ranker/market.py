"""A small market of synthetic feature rows and its labels."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from data_contracts.score import Family
from features.declare import Feature, Given
from models.ranker.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)
FAMILY: tuple[Family, ...] = ("behaviour", "mismatch", "image", "links", "context", "behaviour")
QUICK = Settings(trees=40, patience=10, leaves=7, min_leaf=10, learning_rate=0.1, folds=1, correct_selection=False)


@dataclass(frozen=True)
class Market:
    """Feature rows, labels, the declarations behind them, and the moment between training and test."""

    frame: pl.DataFrame
    labels: pl.DataFrame
    features: tuple[Feature, ...]
    middle: datetime


def a_market(requests: int = 900, seed: int = 3, *, checked: float = 1.0) -> Market:
    """`number_0` raises abuse and may only raise it, the rest helps a little; some values are missing; labels come after two days."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(requests, 6))
    word = rng.choice(["damaged", "missing", "wrong_item"], requests)
    odds = -1.2 + 1.6 * numbers[:, 0] + 0.8 * numbers[:, 1] * numbers[:, 2] + 0.9 * (word == "missing")
    abuse = rng.random(requests) < 1.0 / (1.0 + np.exp(-odds))
    numbers[rng.random(numbers.shape) < 0.08] = np.nan
    as_of = pl.Series("as_of", [START + timedelta(hours=place) for place in range(requests)], dtype=pl.Datetime("us", "UTC"))
    ids = [f"r{place:05d}" for place in range(requests)]
    columns = {f"number_{place}": pl.Series(numbers[:, place]).fill_nan(None) for place in range(6)}
    group = pl.Series([f"g{place}" for place in rng.integers(0, requests // 2, requests)])
    frame = pl.DataFrame({"request_id": ids, "as_of": as_of, "group": group, **columns, "word": word})
    labels = pl.DataFrame(
        {
            "request_id": ids,
            "value": np.where(abuse, "abuse", "honest"),
            "source": ["verdict"] * requests,
            "occurred_at": as_of,
            "known_at": as_of + timedelta(days=2),
        },
    ).filter(pl.Series(rng.random(requests) < checked))
    declared = tuple(_declared(f"number_{place}", FAMILY[place], place) for place in range(6))
    words = Given(
        name="word", family="context", unit="category", meaning="a word", missing="none", reason="CLAIM_TYPE", source="shop", kind="category"
    )
    return Market(frame, labels, (*declared, words), START + timedelta(hours=int(requests * 0.75)))


def _declared(name: str, family: Family, place: int) -> Feature:
    sign = 1 if place == 0 else 0
    return Given(name=name, family=family, unit="one", meaning=name, missing="not known", reason="SHOP_ATTRIBUTE", source="shop", sign=sign)
