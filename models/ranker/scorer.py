"""Facts -> a calibrated probability and what moved it. One row takes microseconds, a frame is predicted at once; both agree to the bit."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from data_contracts.contributions import Contributions, Scored, Speaker, Speakers
from data_contracts.snapshot import Facts
from features.catalog import ATTRIBUTE
from models.ranker.artifact import Artifact
from models.ranker.dataset import Floats
from models.ranker.forest import Forest
from models.ranker.shap import Shap
from models.ranker.trees import trees_of

if TYPE_CHECKING:
    import lightgbm


class Scorer:
    """A loaded ranker. Immutable from outside, safe from several threads; `version` names the model that it serves."""

    def __init__(self, artifact: Artifact, threads: int = 1) -> None:
        """`threads` is for the scores of frames."""
        self.version = artifact.version
        self.card = artifact.card
        self._encoding = artifact.card.encoding
        features = artifact.card.features
        self._speakers = Speakers(Speaker(feature.name, feature.family, feature.reason, feature.words is not None) for feature in features)
        self._left_out = dict.fromkeys(name for name in self._encoding.names if name.startswith(ATTRIBUTE))
        self._threads = threads
        self._text = artifact.booster_text
        trees = trees_of(self._text)
        self._raw = Forest(trees)
        self._parts = Shap(trees, len(features))
        for compiled in (self._raw, self._parts):  # now, not in the middle of a call
            compiled(np.full((1, len(features)), np.nan))

    def score(self, facts: Facts) -> Scored:
        """The score of one request, which can be asked what moved it.

        The shop's own columns that the caller left out are missing. KeyError: the facts lack a feature of the catalogue that the model reads.
        """
        values = {**self._left_out, **facts.values} if self._left_out else facts.values
        row = self._encoding.row(values)
        probability = float(self.card.calibration(self._raw(row[None]))[0])
        return Scored(probability, lambda: next(self._explained(row[None], [values])))

    def raw(self, frame: pl.DataFrame) -> Floats:
        """Raw log-odds, one a row."""
        if frame.is_empty():
            return np.empty(0)
        return np.asarray(self._booster.predict(self._encoding.matrix(frame), raw_score=True, num_threads=self._threads), dtype=np.float64)

    def probabilities(self, frame: pl.DataFrame) -> Floats:
        """Calibrated probabilities, one a row; their order is the order of the raw scores."""
        return self.card.calibration(self.raw(frame))

    @cached_property
    def _booster(self) -> "lightgbm.Booster":
        """Only frames are predicted by LightGBM itself: the service neither loads it nor keeps a second copy of the trees."""
        import lightgbm

        return lightgbm.Booster(model_str=self._text)

    def contributions(self, frame: pl.DataFrame) -> Iterator[Contributions]:
        """What moved each row's score; the log-odds of a row add up to its raw score less `base_log_odds`."""
        return self._explained(self._encoding.matrix(frame), frame.select(self._encoding.names).iter_rows(named=True))

    @property
    def base_log_odds(self) -> float:
        """The raw log-odds before any feature speaks: where every request starts."""
        return self._parts.base_log_odds

    def _explained(self, rows: Floats, values: Iterable[Mapping[str, float | str | None]]) -> Iterator[Contributions]:
        for log_odds, row, named in zip(self._parts(rows), rows, values, strict=True):
            yield Contributions(self._speakers, log_odds, row, named)
