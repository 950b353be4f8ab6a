"""From a map to a score and a verdict: fitted on held-out photos, untouched and edited, after several deliveries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.linear_model import LogisticRegression

from models.authenticity.heat_map import LONG_SIDE, SMALLEST_SIDE, Floats, Limits, PatchNet, summary
from models.authenticity.laundering import BY_NAME, limit_long_side

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DELIVERIES = ("as is", "JPEG 85", "JPEG 60", "long side 640", "two saves", "WebP 75", "screenshot", "photo of a screen")
ALLOWED = 0.001  # share of the held-out untouched photos that may score over the limit, a tenth of what is allowed in service
CLEAN_SHARE = 0.5  # of the untouched photos are called clean
PENALTY = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The limits, and what they do on the photos they were fitted on."""

    limits: Limits
    untouched: int
    edited: int
    false_alarms: int
    recall: float


def summaries(net: PatchNet, pictures: Iterable[Image.Image]) -> Iterator[Floats]:
    """The map's summary of every picture in turn through the deliveries, one each, so that no picture counts twice."""
    for number, picture in enumerate(pictures):
        launder = BY_NAME[DELIVERIES[number % len(DELIVERIES)]].launder
        shown = limit_long_side(launder(picture, number), LONG_SIDE)
        if min(shown.size) >= SMALLEST_SIDE:
            yield summary(net.answers(shown))


def fit_limits(untouched: Sequence[Floats], edited: Sequence[Floats]) -> Fitted:
    """A line through the summaries, then the limit that ALLOWED of the untouched photos exceed, and a margin over it."""
    rows = np.concatenate([np.stack(untouched), np.stack(edited)]).astype(np.float64)
    truth = np.arange(len(rows)) >= len(untouched)
    middle, spread = rows.mean(0), rows.std(0) + 1e-6
    line = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000).fit((rows - middle) / spread, truth)
    weights = line.coef_[0] / spread
    bias = float(line.intercept_[0] - weights @ middle)
    scores = 1 / (1 + np.exp(-(rows @ weights + bias)))
    clean_to, edited_from = limits_of(scores[~truth])
    limits = Limits(tuple(float(weight) for weight in weights), bias, edited_from, clean_to)
    return Fitted(limits, len(untouched), len(edited), int((scores[~truth] >= edited_from).sum()), float((scores[truth] >= edited_from).mean()))


def limits_of(untouched: Doubles) -> tuple[float, float]:
    """Where "clean" ends and where "edited" begins: half the way from the ALLOWED quantile of untouched scores to 1."""
    top = float(np.quantile(untouched, 1 - ALLOWED))
    return float(np.quantile(untouched, CLEAN_SHARE)), (1 + top) / 2
