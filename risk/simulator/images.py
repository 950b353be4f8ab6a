"""Scores of pictures, drawn from the measured distributions of one file, `image_scores.json`."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import ndtr

from risk.simulator.arrays import Bools, Floats, Ints, Rng, chance

AUTHENTIC, EDITED, GENERATED = range(3)
"""What a picture is."""

STATES = ("authentic", "edited", "generated")
SIGNALS = ("generated", "edited", "reuse")
VERSION = 1
TOO_SMALL = 0.05
NO_FRAME = 0.35  # videos from which no sharp frame can be taken
BLURRED = 0.08
SAME_CAMERA = 0.6  # how far pictures of one request go together


@dataclass(frozen=True, slots=True)
class Pictures:
    """One row a piece of evidence: the request it belongs to, what it is and which file."""

    claim: Ints
    state: Ints
    reused: Bools
    file: Ints
    video: Bools
    document: Bools


@cache
def score_tables() -> dict[tuple[str, str], tuple[Floats, Floats]]:
    """For each signal and kind of picture: shares and the scores below which they lie."""
    raw = json.loads((Path(__file__).parent / "image_scores.json").read_text(encoding="utf-8"))
    share = np.asarray(raw["shares"], dtype=np.float64)
    return {(signal, kind): (share, np.asarray(scores)) for signal, kinds in raw["scores"].items() for kind, scores in kinds.items()}


def drawn(signal: str, kind: str, share: Floats) -> Floats:
    """The scores that lie at these shares of the distribution. KeyError: the file has no such signal or kind."""
    shares, scores = score_tables()[signal, kind]
    return np.asarray(np.interp(share, shares, scores), dtype=np.float64)


def measure(rng: Rng, pictures: Pictures, requests: int) -> pl.DataFrame:
    """piece, signal, value, unavailable: one row for each piece and signal; the same file has the same value."""
    files, first, inverse = np.unique(pictures.file, return_index=True, return_inverse=True)
    blurred = chance(rng, BLURRED, len(files))
    small = chance(rng, TOO_SMALL, len(files))
    frameless = chance(rng, NO_FRAME, len(files))
    frames = []
    for signal in SIGNALS:
        together = rng.normal(size=requests)[pictures.claim[first]]
        share = ndtr(SAME_CAMERA * together + np.sqrt(1 - SAME_CAMERA**2) * rng.normal(size=len(files)))
        if signal == "reuse":
            value = np.where(pictures.reused, drawn(signal, "reused", share[inverse]), drawn(signal, "fresh", share[inverse]))
        else:
            by_state = np.stack([drawn(signal, state, share) for state in STATES])
            sharp = by_state[pictures.state[first], np.arange(len(files))]
            value = np.where(blurred, 0.6 * sharp + 0.2, sharp)[inverse]
        frames.append(_rows(signal, value, (small[inverse], frameless[inverse]), pictures))
    return pl.concat(frames)


def _rows(signal: str, value: Floats, poor: tuple[Bools, Bools], pictures: Pictures) -> pl.DataFrame:
    """The measurements of one signal, with the reason where there is none."""
    frame = pl.DataFrame(
        {
            "piece": np.arange(len(value)),
            "value": np.round(value, 4),
            "document": pictures.document,
            "video": pictures.video & poor[1],
            "small": poor[0],
        },
    )
    reason = (
        pl.when("document")
        .then(pl.lit("not_a_photo"))
        .when("video")
        .then(pl.lit("no_sharp_frame"))
        .when("small")
        .then(pl.lit("too_small"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )
    return frame.select(
        "piece",
        pl.lit(signal).alias("signal"),
        pl.when(reason.is_null()).then("value").otherwise(None).alias("value"),
        reason.alias("unavailable"),
    )
