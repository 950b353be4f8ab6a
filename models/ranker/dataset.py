"""From feature rows and labels to what LightGBM reads: only labels that were known, numbers as they are, words by their place in a vocabulary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.errors import ContractError, ModelMismatchError
from data_contracts.label import LabelValue
from features.catalog import ATTRIBUTE, FEATURES, kind_of, with_attributes
from features.declare import Feature

Floats = npt.NDArray[np.float64]

NAN = float("nan")

KEYS = ("request_id", "as_of", "label", "label_known_at", "group")
"""Columns of a feature frame that are no features."""

WORDS_KEPT = 63
"""Words of one category that get a place of their own; rarer ones count as missing, and so does a word that was never seen."""

WORD_ROWS = 10
"""Labelled requests that must carry a word before it gets a place."""


def labels_as_of(labels: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """What was known strictly before a moment: `request_id`, `label` (1 abuse, 0 honest), `label_known_at`; the latest label of a request holds."""
    return latest_labels(labels.filter(pl.col("known_at") < as_of))


def latest_labels(labels: pl.DataFrame) -> pl.DataFrame:
    """The same without a moment: how each labelled request turned out in the end."""
    return (
        labels.sort("known_at", "occurred_at", "source", "value")
        .group_by("request_id", maintain_order=True)
        .last()
        .select("request_id", label=(pl.col("value") == LabelValue.ABUSE).cast(pl.Float64), label_known_at="known_at")
    )


def training_rows(frame: pl.DataFrame, labels: pl.DataFrame, as_of: datetime, maturity_days: float = 0.0) -> pl.DataFrame:
    """The requests one may learn from at a moment: asked before it, old enough, and with a label known before it; in order of arrival."""
    until = as_of - timedelta(days=maturity_days)
    asked = frame.drop("label", "label_known_at", strict=False).filter((pl.col("as_of") < as_of) & (pl.col("as_of") <= until))
    return asked.join(labels_as_of(labels, as_of), on="request_id", how="inner").sort("as_of", "request_id")


def is_category(feature: Feature) -> bool:
    """Whether a feature is a word; every other one is a number."""
    return kind_of(feature) == "category"


def sign_in(rows: pl.DataFrame, feature: Feature) -> int:
    """The direction that the model is held to: the declared one, and none for words.

    Many claims about a seller, an article or a lot excuse a buyer (-1) only when measured by their orders: where no order of that kind is known, the
    count says how large the seller is, and the data decide.
    """
    if is_category(feature):
        return 0
    if feature.family == "context" and feature.sign < 0:
        orders = rows.select(pl.col(f"^{feature.name.partition('_')[0]}_orders_.*$"))
        return feature.sign if any(column.null_count() < rows.height for column in orders) else 0
    return feature.sign


def catalogue_of(frame: pl.DataFrame) -> tuple[Feature, ...]:
    """The catalogue plus the shop's own columns of this frame. ContractError: the frame lacks a catalogue feature."""
    own = {name.removeprefix(ATTRIBUTE): dtype for name, dtype in frame.schema.items() if name.startswith(ATTRIBUTE)}
    words = sorted(name for name, dtype in own.items() if dtype == pl.String)
    numbers = sorted(name for name, dtype in own.items() if dtype != pl.String)
    lacking = [feature.name for feature in FEATURES if feature.name not in frame.columns]
    if lacking:
        named = ", ".join(lacking[:5])
        message = (
            f"the feature frame lacks {len(lacking)} of {len(FEATURES)} catalogue features: {named}; compute it again with `refund-risk features`"
        )
        raise ContractError(message, field=lacking[0])
    return with_attributes(numbers, words)


@dataclass(frozen=True)
class Encoding:
    """The features of a model in order and, for each that is a word, its vocabulary: a word's number is its place there."""

    names: tuple[str, ...]
    vocabulary: Mapping[str, tuple[str, ...]]

    @classmethod
    def learn(cls, rows: pl.DataFrame, features: Sequence[Feature]) -> "Encoding":
        """From training rows: features that never vary are left out, words are kept by frequency, then by name."""
        names: list[str] = []
        vocabulary: dict[str, tuple[str, ...]] = {}
        for feature in features:
            column = rows[feature.name]
            if is_category(feature):
                counts = (
                    column.drop_nulls().value_counts().filter(pl.col("count") >= WORD_ROWS).sort(["count", feature.name], descending=[True, False])
                )
                if counts.is_empty():
                    continue
                vocabulary[feature.name] = tuple(counts[feature.name].head(WORDS_KEPT))
            elif column.n_unique() < 2:  # noqa: PLR2004  # one value, or nothing but nulls: nothing to learn
                continue
            names.append(feature.name)
        return cls(tuple(names), vocabulary)

    @property
    def categories(self) -> list[int]:
        """Places of the features that are words."""
        return [place for place, name in enumerate(self.names) if name in self.vocabulary]

    def matrix(self, frame: pl.DataFrame) -> Floats:
        """One row a request, one column a feature; NaN is missing. ModelMismatchError: a feature is not in the frame."""
        lacking = [name for name in self.names if name not in frame.columns]
        if lacking:
            message = (
                f"the model reads {len(self.names)} features, the frame lacks {len(lacking)}: {', '.join(lacking[:5])}; compute its features again"
            )
            raise ModelMismatchError(message, field=lacking[0])
        matrix = np.empty((frame.height, len(self.names)), dtype=np.float64)
        for place, name in enumerate(self.names):
            column = frame[name]
            if name in self.vocabulary:
                words = self.vocabulary[name]
                column = column.cast(pl.String).replace_strict(words, range(len(words)), default=None, return_dtype=pl.Float64)
            matrix[:, place] = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return matrix

    def row(self, values: Mapping[str, float | str | None]) -> Floats:
        """The same for one request. KeyError: the facts lack a feature that the model reads."""
        found = list(self._of(values))
        for place, words in self._words:
            found[place] = words.get(found[place])
        return np.array([NAN if value is None else value for value in found], np.float64)

    @cached_property
    def _of(self) -> Callable[[Mapping[str, float | str | None]], tuple[float | str | None, ...]]:
        """All values in order at once."""
        return itemgetter(*self.names) if len(self.names) > 1 else lambda values: (values[self.names[0]],)

    @cached_property
    def _words(self) -> list[tuple[int, Mapping[object, float]]]:
        """Where a word is expected, and the number of each."""
        return [(self.names.index(name), {word: float(place) for place, word in enumerate(words)}) for name, words in self.vocabulary.items()]
