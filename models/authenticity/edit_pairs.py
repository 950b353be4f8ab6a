"""Edited photos of our own making, with their masks: a real photo in which one region shows something else or was drawn again.

An edit is a content (what the region shows), a renderer (what drew its pixels), a mask and a blend. Everything outside the mask stays
the photo's, so content and style cannot tell: only the local traces can.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter
from torch import nn

from models.authenticity.edit_autoencoders import STEP, Pixels, redrawn
from models.authenticity.edit_shapes import Dice, Mask, soft_mask

SIDE = 256  # pixels of a pair
FILTERS = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)
Floats = npt.NDArray[np.float32]
Render = Callable[[Pixels, Dice], Pixels]
EDGE = 0.004  # below it a soft mask changes no pixel
MARGIN, SMALLEST_WINDOW = 16, 96  # pixels around the mask that are drawn as well, so that no renderer meets the region's rim


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One edited picture: pixels, mask (0 to 255), and the recipe that made it."""

    picture: Pixels
    mask: Pixels
    recipe: str


def make_pair(base: Pixels, others: tuple[Pixels, Pixels], renderers: Mapping[str, Render], dice: Dice) -> Pair:
    """Edit one region of `base`; `others` are a real and a generated picture of the same size to take contents from."""
    mask = soft_mask(dice, len(base))
    content_name = str(dice.choice(list(CONTENTS), p=list(CONTENT_SHARES)))
    choices = [name for name in renderers if not (name == "untouched" and content_name in NEEDS_RENDERER)]
    renderer_name = str(dice.choice(choices))
    content = CONTENTS[content_name](base, others, mask, dice)
    window = _window(mask)
    there = mask[window]
    toned = _toned(renderers[renderer_name](np.ascontiguousarray(content[window]), dice), base[window], there, dice)
    together = base.astype(np.float32)
    together[window] += there[..., None] * (toned - together[window])
    return Pair(_pixels(together), _pixels(mask * 255), f"{content_name}+{renderer_name}")


def _window(mask: Mask) -> tuple[slice, slice]:
    """The smallest square on the step of the autoencoders that holds the mask with a margin."""
    rows, columns = np.nonzero(mask > EDGE)
    most = max(int(np.ptp(rows)), int(np.ptp(columns))) + 2 * MARGIN
    side = min(len(mask), -(-max(SMALLEST_WINDOW, most) // STEP) * STEP)
    top, left = (max(0, min(len(mask) - side, int(lines.min()) - MARGIN)) for lines in (rows, columns))
    return slice(top, top + side), slice(left, left + side)


def _pixels(values: npt.NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _toned(drawn: Pixels, base: Pixels, mask: Mask, dice: Dice) -> Floats:
    """Half of the edits take on the colours of what they replace, as careful ones do."""
    values = drawn.astype(np.float32)
    if dice.random() < 0.5:  # noqa: PLR2004  # half
        inside = mask > 0.5  # noqa: PLR2004
        values += dice.uniform(0.3, 1) * (base[inside].mean(0) - drawn[inside].mean(0))
    return values


def _same(base: Pixels, _others: tuple[Pixels, Pixels], _mask: Mask, _dice: Dice) -> Pixels:
    return base


def _moved(base: Pixels, _others: tuple[Pixels, Pixels], _mask: Mask, dice: Dice) -> Pixels:
    """The picture's own pixels from another place, perhaps mirrored."""
    shift = dice.integers(len(base) // 6, len(base) * 5 // 6, 2)
    moved = np.roll(base, tuple(int(step) for step in shift), (0, 1))
    return np.ascontiguousarray(moved[:, ::-1]) if dice.random() < 0.5 else moved  # noqa: PLR2004


def _from_photo(_base: Pixels, others: tuple[Pixels, Pixels], _mask: Mask, _dice: Dice) -> Pixels:
    return others[0]


def _from_generated(_base: Pixels, others: tuple[Pixels, Pixels], _mask: Mask, _dice: Dice) -> Pixels:
    return others[1]


def _filled(base: Pixels, _others: tuple[Pixels, Pixels], mask: Mask, dice: Dice) -> Pixels:
    """Smooth filling from the rim inwards (normalised convolution, coarse to fine), with a little grain."""
    known = (mask < 0.02).astype(np.float32)  # noqa: PLR2004
    filled = np.zeros(base.shape, np.float32)
    missing = np.ones(base.shape[:2], bool)
    for sigma in (2.0, 5.0, 12.0, 40.0):
        weight = gaussian_filter(known, sigma)
        smooth = np.stack([gaussian_filter(base[..., c] * known, sigma) for c in range(3)], -1) / (weight[..., None] + 1e-6)
        take = missing & (weight > 0.05)  # noqa: PLR2004
        filled[take] = smooth[take]
        missing &= ~take
    return _pixels(filled + dice.normal(0, dice.uniform(0, 6), base.shape))


def _stained(base: Pixels, _others: tuple[Pixels, Pixels], _mask: Mask, dice: Dice) -> Pixels:
    """A dark or coloured stain that lets the surface show through."""
    field = gaussian_filter(dice.standard_normal(base.shape[:2]), dice.uniform(1, 12))
    field = field / (np.abs(field).max() + 1e-9)
    tint = dice.uniform(0.1, 0.9, 3) * dice.uniform(0.4, 1)
    return _pixels(base * (tint + (1 - tint) * (0.3 + 0.3 * field[..., None])))


CONTENTS: Mapping[str, Callable[[Pixels, tuple[Pixels, Pixels], Mask, Dice], Pixels]] = {
    "same": _same,
    "moved": _moved,
    "photo": _from_photo,
    "generated": _from_generated,
    "filled": _filled,
    "stained": _stained,
}
CONTENT_SHARES = (0.3, 0.15, 0.17, 0.2, 0.08, 0.1)
NEEDS_RENDERER = frozenset({"same"})


def _by_network(net: nn.Module, picture: Pixels, _dice: Dice) -> Pixels:
    return redrawn(net, picture)


def _untouched(picture: Pixels, _dice: Dice) -> Pixels:
    return picture


def _down_and_up(picture: Pixels, dice: Dice) -> Pixels:
    """Smaller and back to size, with two filters."""
    side = int(len(picture) * dice.uniform(0.35, 0.9))
    small = Image.fromarray(picture).resize((side, side), FILTERS[int(dice.integers(1, 5))])
    return np.asarray(small.resize((len(picture),) * 2, FILTERS[int(dice.integers(1, 4))]))


def _enlarged(picture: Pixels, dice: Dice) -> Pixels:
    """A part of it scaled up or the whole turned a little: what a pasted object goes through."""
    image, side = Image.fromarray(picture), len(picture)
    if dice.random() < 0.3:  # noqa: PLR2004
        return np.asarray(image.rotate(dice.uniform(-20, 20), Image.Resampling.BICUBIC).resize((side, side), box=(32, 32, side - 32, side - 32)))
    part = int(side / dice.uniform(1.05, 2.2))
    left, top = (int(place) for place in dice.integers(0, side - part, 2))
    return np.asarray(image.resize((side, side), FILTERS[int(dice.integers(1, 4))], box=(left, top, left + part, top + part)))


def _smoothed(picture: Pixels, dice: Dice) -> Pixels:
    """Blurred or denoised, sometimes with grain over it."""
    image = Image.fromarray(picture)
    chosen = image.filter(ImageFilter.MedianFilter(3)) if dice.random() < 0.3 else image.filter(ImageFilter.GaussianBlur(dice.uniform(0.5, 2)))  # noqa: PLR2004
    grain = dice.uniform(0, 5) if dice.random() < 0.4 else 0  # noqa: PLR2004
    return _pixels(np.asarray(chosen, np.float32) + dice.normal(0, grain, picture.shape))


def _sharpened(picture: Pixels, dice: Dice) -> Pixels:
    """Sharpened, or grainier than the rest."""
    if dice.random() < 0.5:  # noqa: PLR2004
        return np.asarray(Image.fromarray(picture).filter(ImageFilter.UnsharpMask(dice.uniform(0.6, 2), int(dice.integers(60, 200)), 0)))
    return _pixels(picture + dice.normal(0, dice.uniform(2, 8), picture.shape))


def _saved_elsewhere(picture: Pixels, dice: Dice) -> Pixels:
    """Its own JPEG history, on a grid of its own."""
    right, down = (int(step) for step in dice.integers(0, 8, 2))
    memory = io.BytesIO()
    Image.fromarray(np.roll(picture, (down, right), (0, 1))).save(memory, "JPEG", quality=int(dice.integers(40, 93)))
    with Image.open(memory) as back:
        return np.roll(np.asarray(back.convert("RGB")), (-down, -right), (0, 1))


PLAIN_RENDERERS: Mapping[str, Render] = {
    "untouched": _untouched,
    "down and up": _down_and_up,
    "enlarged": _enlarged,
    "smoothed": _smoothed,
    "sharpened": _sharpened,
    "saved elsewhere": _saved_elsewhere,
}


def network_renderer(net: nn.Module) -> Render:
    """A renderer that draws the content with that autoencoder."""
    return partial(_by_network, net)
