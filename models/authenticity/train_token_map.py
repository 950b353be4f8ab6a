"""Training the heat map's reading of the tower's tokens on edits of our own making.

Run: python -m models.authenticity.train_token_map --data DIR --work DIR --out DIR [--pairs N] [--seed N]
Pairs that lie in the work folder (`learnt`, `held`) are used again. About four minutes of one core with the defaults, half of it making pairs.
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.linear_model import LogisticRegression

from models.authenticity.artifact import SHIPPED
from models.authenticity.edit_making import MASKS, PICTURES, make_pairs, make_renderers, read_pools
from models.authenticity.manifest import DEFAULT_DATA
from models.authenticity.patch_fit import pixel_auc
from models.authenticity.patch_samples import delivered
from models.authenticity.pictures import VIEW_SIDE
from models.authenticity.token_map import Floats, rows_of, save_token_map
from models.authenticity.tower import Tower, default_path

LOG = logging.getLogger(__name__)
HELD_PAIRS = 200
DIRECTIONS, CAREFUL, FLOOR = 150, 1e-3, 1e-2  # main directions kept; inverse strength of the ridge; added to a direction's variance
EDITED_FROM, UNTOUCHED_TO = 0.7, 0.05  # share of a patch; in between it is not learnt from
PATCHES_A_PICTURE = 60
EVERY = 3  # every third row settles the directions
SQUARE = VIEW_SIDE
ON_GRID, JPEG_CELL = 0.5, 8


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One line through the tokens."""

    weight: Floats
    bias: float


def cuts(folder: Path, count: int, seed: int) -> Iterator[tuple[Image.Image, npt.NDArray[np.uint8]]]:
    """A window of every pair after one delivery, half of them on the grid of its JPEG blocks."""
    pictures, masks = (np.load(folder / name, mmap_mode="r") for name in (PICTURES, MASKS))
    for number in range(min(count, len(pictures))):
        dice = np.random.default_rng((seed, number))
        whole, mask = delivered(np.array(pictures[number]), np.array(masks[number]), dice)
        if len(whole) < SQUARE:
            whole, mask = np.array(pictures[number]), np.array(masks[number])
        top, left = (int(dice.integers(0, len(whole) - SQUARE + 1)) for _ in range(2))
        if dice.random() < ON_GRID:
            top, left = top // JPEG_CELL * JPEG_CELL, left // JPEG_CELL * JPEG_CELL
        window = slice(top, top + SQUARE), slice(left, left + SQUARE)
        yield Image.fromarray(np.ascontiguousarray(whole[window])), mask[window]


def fit(examples: Sequence[tuple[Floats, Floats]], seed: int) -> Reading:
    """A ridge logistic line in the main directions, folded back into one weight a token's number."""
    dice = np.random.default_rng(seed)
    rows, truths = [], []
    for tokens, shares in examples:
        clear = np.flatnonzero((shares > EDITED_FROM) | (shares < UNTOUCHED_TO))
        if clear.size > PATCHES_A_PICTURE:
            clear = dice.choice(clear, PATCHES_A_PICTURE, replace=False)
        rows.append(tokens[clear])
        truths.append(shares[clear] > EDITED_FROM)
    every, truth = np.concatenate(rows).astype(np.float64), np.concatenate(truths)
    middle, spread = every.mean(0), every.std(0) + 1e-3
    lengths, directions = np.linalg.eigh(np.cov(((every - middle) / spread)[::EVERY].T))
    kept = directions[:, ::-1][:, :DIRECTIONS] / np.sqrt(lengths[::-1][:DIRECTIONS] + FLOOR)
    line = LogisticRegression(C=CAREFUL, class_weight="balanced", max_iter=200).fit((every - middle) / spread @ kept, truth)
    weight = kept @ line.coef_[0] / spread
    return Reading(weight.astype(np.float32), float(line.intercept_[0] - weight @ middle))


def held_out_auc(reading: Reading, examples: Sequence[tuple[Floats, Floats]]) -> tuple[float, int]:
    """Mean AUC over patches within a picture, and over how many pictures."""
    found = [pixel_auc(shares > 0.5, tokens @ reading.weight) for tokens, shares in examples]  # noqa: PLR2004  # half of a patch
    told = [value for value in found if value is not None]
    return float(np.mean(told)), len(told)


def make(data: Path, vae: Path, work: Path, pairs: int, seed: int) -> None:
    """The pairs to learn from and the held-out ones, where they are not there yet."""
    missing = [name for name in ("learnt", "held") if not (work / name / MASKS).is_file()]
    if not missing:
        return
    renderers = make_renderers(read_pools(data), vae, seed)
    for name in missing:
        held_out = name == "held"
        make_pairs(read_pools(data, held_out=held_out), renderers, work / name, HELD_PAIRS if held_out else pairs, seed + held_out)


def main() -> None:
    """Read the arguments and train."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=DEFAULT_DATA)
    asked.add_argument("--vae", type=Path, default=DEFAULT_DATA.parent / "vae")
    asked.add_argument("--tower", type=Path, default=default_path())
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--out", type=Path, default=SHIPPED)
    asked.add_argument("--pairs", type=int, default=600)
    asked.add_argument("--seed", type=int, default=5)
    given = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    make(given.data, given.vae, given.work, given.pairs, given.seed)
    tower = Tower(given.tower)
    reading = fit(list(rows_of(cuts(given.work / "learnt", given.pairs, given.seed), tower)), given.seed)
    mean, pictures = held_out_auc(reading, list(rows_of(cuts(given.work / "held", HELD_PAIRS, given.seed), tower)))
    card: dict[str, Any] = {
        "trained_on": {"pairs": given.pairs, "seed": given.seed},
        "held_out": {"patch_auc": round(mean, 4), "pictures": pictures},
        "data": "edits of our own making on real training photos; no photo is stored here",
    }
    save_token_map(reading.weight, reading.bias, card, given.out)
    LOG.info("held-out pairs: mean AUC %.3f over %d", mean, pictures)


if __name__ == "__main__":
    main()
