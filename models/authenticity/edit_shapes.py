"""Where an edit sits: random soft masks of the shapes that people and tools draw (blobs, ellipses, boxes, brush strokes, cracks)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

Mask = npt.NDArray[np.float32]
Dice = np.random.Generator

SMALLEST_SHARE, LARGEST_SHARE = 0.012, 0.85  # of the picture's area; outside it the shape is drawn again
ALL_BUT_SHARE = 0.12  # of the masks are turned inside out: an editor may redraw nearly everything
SHARPEST, SOFTEST = 0.3, 4.0  # pixels, the feather's sigma


def soft_mask(dice: Dice, side: int) -> Mask:
    """A side x side mask, 0 untouched to 1 replaced, covering between SMALLEST_SHARE and LARGEST_SHARE of the area."""
    while True:
        shape = _SHAPES[int(dice.integers(len(_SHAPES)))](dice, side)
        hard = np.asarray(shape, np.float32)
        if dice.random() < ALL_BUT_SHARE:
            hard = 1 - hard
        if SMALLEST_SHARE <= hard.mean() <= LARGEST_SHARE:
            feather = float(np.exp(dice.uniform(np.log(SHARPEST), np.log(SOFTEST))))
            return np.asarray(gaussian_filter(hard, feather), np.float32)


def _blob(dice: Dice, side: int) -> Mask:
    field = gaussian_filter(dice.standard_normal((side, side)), dice.uniform(side / 20, side / 6))
    field /= field.std() + 1e-9
    rows, columns = np.indices((side, side)) / side
    middle = dice.uniform(0.15, 0.85, 2)
    distance = np.hypot(rows - middle[0], columns - middle[1])
    return np.asarray(field * dice.uniform(0.1, 0.6) + dice.uniform(0.15, 0.45) * 3 - 5 * distance > 0, np.float32)


def _ellipse(dice: Dice, side: int) -> Mask:
    rows, columns = np.indices((side, side)) / side
    (top, left), (high, wide), turn = dice.uniform(0.1, 0.9, 2), dice.uniform(0.06, 0.4, 2), dice.uniform(0, np.pi)
    along = (rows - top) * np.cos(turn) + (columns - left) * np.sin(turn)
    across = (columns - left) * np.cos(turn) - (rows - top) * np.sin(turn)
    return np.asarray((along / high) ** 2 + (across / wide) ** 2 < 1, np.float32)


def _box(dice: Dice, side: int) -> Mask:
    mask = np.zeros((side, side), np.float32)
    high, wide = (int(side * part) for part in dice.uniform(0.12, 0.7, 2))
    top, left = int(dice.integers(0, side - high)), int(dice.integers(0, side - wide))
    mask[top : top + high, left : left + wide] = 1
    return mask


def _strokes(dice: Dice, side: int) -> Mask:
    return _drawn(dice, side, lines=int(dice.integers(1, 7)), width=(side // 24, side // 6), bend=1.2)


def _cracks(dice: Dice, side: int) -> Mask:
    return _drawn(dice, side, lines=int(dice.integers(2, 9)), width=(4, 12), bend=0.7)


def _drawn(dice: Dice, side: int, *, lines: int, width: tuple[int, int], bend: float) -> Mask:
    canvas = Image.new("L", (side, side))
    pen = ImageDraw.Draw(canvas)
    for _ in range(lines):
        thick = int(dice.integers(*width))
        place, turn = dice.uniform(0.1 * side, 0.9 * side, 2), dice.uniform(0, 2 * np.pi)
        for _ in range(int(dice.integers(2, 8))):
            turn += dice.uniform(-bend, bend)
            onward = place + dice.uniform(side / 12, side / 4) * np.array([np.cos(turn), np.sin(turn)])
            pen.line([*place, *onward], 255, thick)
            x, y = onward
            pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), 255)
            place = onward
    return np.asarray(np.asarray(canvas) / 255, np.float32)


_SHAPES: tuple[Callable[[Dice, int], Mask], ...] = (_blob, _blob, _ellipse, _box, _strokes, _strokes, _cracks)
