"""A heat map of one photo: which places look redrawn to the frozen tower, compared with the rest of the same photo. No verdict, ever.

Half-overlapping windows at the photo's own resolution go through the tower; after half of its blocks a linear reading of each patch's token,
smoothed over 3 x 3 patches and less the photo's mean, gives the odds. It points a person to a place; it does not say that the photo was
edited: every photo, an untouched one too, has a hottest place. Slow (README), so it is drawn on request only. Figures: README, "Patches".
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import uniform_filter
from scipy.special import expit

from data_contracts.errors import ModelMismatchError, NotFoundError
from models.authenticity.artifact import SHIPPED
from models.authenticity.heat_map import SMALLEST_SIDE, Anomaly, strongest_region
from models.authenticity.laundering import limit_long_side
from models.authenticity.pictures import VIEW_SIDE, pixels
from models.authenticity.tower import SHA256, WIDTH, Tower

Floats = npt.NDArray[np.float32]

FORMAT: Final = 1
FILE: Final = "token_map.json"
BLOCK: Final = 5
"""Of 0 to 11: texture and rendering; later blocks see the subject, earlier ones busy places."""
PATCH: Final = 16
"""Pixels; one answer each."""
STEP: Final = VIEW_SIDE // 2
LONG_SIDE: Final = 1024
"""Pixels; a larger photo is scaled down: a bound on time (54 windows at 4:3)."""
AROUND: Final = 3
"""Patches."""


def window(tower: Tower, square: Image.Image) -> Floats:
    """The tokens of one 224-pixel window after BLOCK, 14 x 14 x WIDTH."""
    side = VIEW_SIDE // PATCH
    return tower.tokens(pixels(square))[1][BLOCK, 1:].reshape(side, side, WIDTH)


def photo_tokens(tower: Tower, rgb: Image.Image) -> Floats:
    """The tokens of a photo at its own resolution, rows x columns x WIDTH; up to 15 pixels at the right and the bottom are left out."""
    values = np.asarray(rgb)
    rows, columns = (max(1, length // PATCH) for length in values.shape[:2])
    missing = [(0, max(0, VIEW_SIDE - length)) for length in values.shape[:2]]
    values = np.pad(values, [*missing, (0, 0)], mode="reflect")
    total = np.zeros((values.shape[0] // PATCH, values.shape[1] // PATCH, WIDTH), np.float32)
    count = np.zeros((*total.shape[:2], 1), np.float32)
    for top in starts(values.shape[0]):
        for left in starts(values.shape[1]):
            place = tuple(slice(at // PATCH, (at + VIEW_SIDE) // PATCH) for at in (top, left))
            total[place] += window(tower, Image.fromarray(values[top : top + VIEW_SIDE, left : left + VIEW_SIDE]))
            count[place] += 1
    return np.asarray((total / count)[:rows, :columns], np.float32)


def starts(length: int) -> tuple[int, ...]:
    """Where windows start along one side, on the grid of patches, the last one at the end."""
    last = (length - VIEW_SIDE) // PATCH * PATCH
    return (*range(0, last, STEP), last)


def described(tokens: Floats) -> Floats:
    """Each patch's surroundings, less the mean over the photo."""
    near = uniform_filter(tokens, (AROUND, AROUND, 0), mode="nearest")
    return np.asarray(near - near.mean((0, 1)), np.float32)


class TokenMap:
    """The tower with the shipped reading of its tokens; safe to share between threads."""

    cell = PATCH
    long_side = LONG_SIDE

    def __init__(self, tower: Tower, weight: Floats, bias: float, version: str) -> None:
        self.tower = tower
        self.weight = weight
        self.bias = bias
        self.version = version

    def look(self, rgb: Image.Image) -> Anomaly:
        """The heat map of one upright RGB picture, one number per 16 x 16 pixels; takes seconds. Verdict always "unsure", score 0."""
        if min(rgb.size) < SMALLEST_SIDE:
            return Anomaly(np.zeros((1, 1), np.uint8), 0.0, "unsure", None, self.version, "too_small")
        heat = np.rint(expit(self.answers(limit_long_side(rgb, LONG_SIDE))) * 255).astype(np.uint8)
        return Anomaly(heat, 0.0, "unsure", strongest_region(heat), self.version, None)

    def answers(self, shown: Image.Image) -> Floats:
        """Log-odds of "redrawn here" for every patch, in the training's even mix."""
        return np.asarray(described(photo_tokens(self.tower, shown)) @ self.weight + self.bias, np.float32)


def load_token_map(tower: Tower, folder: Path = SHIPPED) -> TokenMap:
    """The shipped map on a tower that is loaded anyway. NotFoundError: there is none; ModelMismatchError: made for another tower or format."""
    if not (folder / FILE).is_file():
        message = f"no {FILE} in {folder}; run python -m models.authenticity.train_token_map --out {folder}"
        raise NotFoundError(message)
    content = (folder / FILE).read_bytes()
    card: dict[str, Any] = json.loads(content)
    made_for = (card.get("format"), card.get("tower"), card.get("block"))
    if made_for != (FORMAT, SHA256, BLOCK):
        message = f"{folder / FILE} is made for {made_for}, this code reads {(FORMAT, SHA256, BLOCK)}; train again"
        raise ModelMismatchError(message)
    version = f"tokens-{hashlib.sha256(content).hexdigest()[:10]}"
    return TokenMap(tower, np.array(card["weight"], np.float32), float(card["bias"]), version)


def save_token_map(weight: Floats, bias: float, card: dict[str, Any], folder: Path) -> None:
    """Write the one file."""
    folder.mkdir(parents=True, exist_ok=True)
    described_so = {"format": FORMAT, "tower": SHA256, "block": BLOCK, **card, "bias": bias, "weight": [float(f"{value:.6g}") for value in weight]}
    (folder / FILE).write_text(json.dumps(described_so) + "\n", encoding="utf-8")


def rows_of(pictures: Iterable[tuple[Image.Image, npt.NDArray[np.uint8]]], tower: Tower) -> Iterator[tuple[Floats, Floats]]:
    """For every picture and its mask (0 to 255): the described patches, and the share of each that is edited."""
    for picture, mask in pictures:
        tokens = described(photo_tokens(tower, picture))
        rows, columns = tokens.shape[:2]
        cells = mask[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH).mean((1, 3)) / 255
        yield tokens.reshape(-1, WIDTH), cells.ravel().astype(np.float32)
