"""Scores of pictures, drawn from the distributions that were measured on pictures of known making (`image_scores.json`, `measure_scores.py`)."""

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
REUSE = ("fresh", "reused")
SIGNALS = ("generated", "edited", "reuse")
VERSION = 1
AS_IS, DELIVERED = "as is", "delivered"
SCORES = Path(__file__).parent / "image_scores.json"
WENT_THROUGH = 0.6  # files that a messenger, a screenshot or an editor's export saved again before they came
NO_FRAME = 0.35  # videos from which no sharp frame can be taken
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


@dataclass(frozen=True, slots=True)
class Table:
    """One measured distribution: shares, the scores below which they lie, and the share of pictures that get no score at all."""

    shares: Floats
    scores: Floats
    null: float


@cache
def score_tables() -> dict[tuple[str, str, str], Table]:
    """For each signal, kind of picture and delivery its distribution."""
    raw = json.loads(SCORES.read_text(encoding="utf-8"))
    shares = np.asarray(raw["shares"], dtype=np.float64)
    return {
        (signal, kind, delivery): Table(shares, np.asarray(table["scores"], dtype=np.float64), table["null"])
        for signal, kinds in raw["scores"].items()
        for kind, deliveries in kinds.items()
        for delivery, table in deliveries.items()
    }


def drawn(signal: str, kind: str, delivery: str, share: Floats) -> Floats:
    """The scores that lie at these shares of the distribution. KeyError: the file has no such signal, kind or delivery."""
    table = score_tables()[signal, kind, delivery]
    return np.asarray(np.interp(share, table.shares, table.scores), dtype=np.float64)


def measure(rng: Rng, pictures: Pictures, requests: int) -> pl.DataFrame:
    """piece, signal, value, unavailable: one row for each piece and signal; the same file has the same value."""
    files, first, inverse = np.unique(pictures.file, return_index=True, return_inverse=True)
    delivered = chance(rng, WENT_THROUGH, len(files))
    frameless = chance(rng, NO_FRAME, len(files))
    frames = []
    names: tuple[str, ...]
    for signal in SIGNALS:
        together = rng.normal(size=requests)[pictures.claim[first]]
        share = ndtr(SAME_CAMERA * together + np.sqrt(1 - SAME_CAMERA**2) * rng.normal(size=len(files)))
        silent = rng.random(len(files))
        if signal == "reuse":  # whether a file was seen before depends on the piece, its number does not
            kind, names, place = pictures.reused.astype(np.int64), REUSE, inverse
        else:
            kind, names, place = pictures.state[first], STATES, np.arange(len(files))
        value, null = _by_kind(signal, names, kind, (share[place], silent[place], delivered[place]))
        back = np.arange(len(pictures.file)) if signal == "reuse" else inverse
        frames.append(_rows(signal, value[back], (null[back], frameless[inverse]), pictures))
    return pl.concat(frames)


def _by_kind(signal: str, names: tuple[str, ...], kind: Ints, draws: tuple[Floats, Floats, Bools]) -> tuple[Floats, Bools]:
    """Score, and whether there is none, of each picture of a kind."""
    share, silent, delivered = draws
    value = np.empty(len(kind))
    null = np.empty(len(kind), dtype=np.bool_)
    for code, name in enumerate(names):
        for delivery, is_it in ((AS_IS, ~delivered), (DELIVERED, delivered)):
            own = (kind == code) & is_it
            value[own] = drawn(signal, name, delivery, share[own])
            null[own] = silent[own] < score_tables()[signal, name, delivery].null
    return value, null


def _rows(signal: str, value: Floats, poor: tuple[Bools, Bools], pictures: Pictures) -> pl.DataFrame:
    """The measurements of one signal, with the reason where there is none."""
    frame = pl.DataFrame(
        {
            "piece": np.arange(len(value)),
            "value": np.round(value, 4),
            "document": pictures.document,
            "video": pictures.video & poor[1],
            "null": poor[0],
        },
    )
    reason = (
        pl.when("document")
        .then(pl.lit("not_a_photo"))
        .when("video")
        .then(pl.lit("no_sharp_frame"))
        .when("null")
        .then(pl.lit("too_plain" if signal == "reuse" else "unlike_training"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )
    return frame.select(
        "piece",
        pl.lit(signal).alias("signal"),
        pl.when(reason.is_null()).then("value").otherwise(None).alias("value"),
        reason.alias("unavailable"),
    )
