"""How well a heat map finds edits: pixel AUC by source and delivery, with intervals, and the same map on the photos before they were edited.

The second figure is the control. Edits sit on things that stand out, and a map of busy places finds them without knowing of any edit:
only what the map gains from the original to the edited photo is evidence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.authenticity.edit_cases import Case
from models.authenticity.laundering import Cell, limit_long_side
from models.authenticity.metrics import LEVEL
from models.authenticity.patch_fit import Bools, pixel_auc

Floats = npt.NDArray[np.float32]

EVERY = 2  # pixels; a pixel AUC over every second row and column
LONG_SIDE = 1280  # pixels; before a delivery
LARGE_SHARE = 0.35  # an edit larger than this leaves no "rest of the picture" to compare with
ALL = "all"
DRAWS = 1000


class DrawsMap(Protocol):
    """Anything that gives odds for every place of a photo."""

    @property
    def cell(self) -> int:
        """Pixels a place."""

    @property
    def long_side(self) -> int:
        """Pixels that a photo is scaled down to."""

    def answers(self, shown: Image.Image) -> Floats:
        """Rows x columns of log-odds."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over pictures with its 95% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Found:
    """The map against the truth over the pictures of one kind in one delivery: edited, before the edit, and the gain from one to the other."""

    kind: str
    cell: str
    pictures: int
    edited: Mean
    original: Mean | None
    gain: Mean | None


@dataclass(frozen=True, slots=True)
class Looked:
    """One edited photo after one delivery: the pixel AUC of its map, and of the map of its original."""

    kind: str
    edited: float
    original: float | None


def kind_of(case: Case) -> str:
    """The source; large redrawn areas apart, because a comparison with the rest of the picture turns round there."""
    share = float(case.edited.mean())
    return f"{case.source} {'large' if share > LARGE_SHARE else 'small'}"


def look_at(heat: DrawsMap, case: Case, cell: Cell, seed: int) -> Looked | None:
    """One edited photo; deliveries that move pixels (a crop, a screenshot) are not for this. None where no place is told apart."""
    before = case.original()
    edited = _auc(heat, case.picture(), case.edited, cell, seed)
    return None if edited is None else Looked(kind_of(case), edited, None if before is None else _auc(heat, before, case.edited, cell, seed))


def _auc(heat: DrawsMap, photo: Image.Image, edited: Bools, cell: Cell, seed: int) -> float | None:
    shown = limit_long_side(cell.launder(limit_long_side(photo, LONG_SIDE), seed), heat.long_side)
    answers = spread_out(heat.answers(shown), heat.cell)
    truth = np.asarray(Image.fromarray(edited).resize(shown.size, Image.Resampling.NEAREST))[: answers.shape[0], : answers.shape[1]]
    return pixel_auc(truth[::EVERY, ::EVERY], answers[: truth.shape[0] : EVERY, : truth.shape[1] : EVERY])


def spread_out(answers: Floats, cell: int) -> Floats:
    """One number a cell to one a pixel, smoothly."""
    high, wide = (length * cell for length in answers.shape)
    return np.asarray(Image.fromarray(answers).resize((wide, high), Image.Resampling.BILINEAR))


def mean_of(values: Sequence[float]) -> Mean:
    """Mean and bootstrap interval."""
    drawn = np.random.default_rng(7).choice(np.array(values), (DRAWS, len(values))).mean(1)
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Mean(float(np.mean(values)), float(low), float(high))


def found_rows(looked: Iterable[Looked], cell: str) -> Iterator[Found]:
    """A row for every kind, the last for all."""
    every = tuple(looked)
    for kind in (*sorted({one.kind for one in every}), ALL):
        rows = [one for one in every if kind in {one.kind, ALL}]
        pairs = [(one.edited, one.original) for one in rows if one.original is not None]
        yield Found(
            kind,
            cell,
            len(rows),
            mean_of([one.edited for one in rows]),
            mean_of([before for _, before in pairs]) if pairs else None,
            mean_of([after - before for after, before in pairs]) if pairs else None,
        )
