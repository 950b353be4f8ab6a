"""What the patch net is shown in training: a pair or an untouched square after one delivery, cut to a crop with its mask a cell."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from models.authenticity.edit_autoencoders import Pixels
from models.authenticity.edit_making import MASKS, PICTURES
from models.authenticity.edit_pairs import FILTERS
from models.authenticity.edit_shapes import Dice
from models.authenticity.patch_net import CELL, TRACES, Strengths

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
CROP = 192  # pixels
TRACES_FILE, CELLS = "traces.npy", "cells.npy"
SUBSAMPLINGS = (0, 2, 2)  # Pillow's numbers for 4:4:4 and 4:2:0


def saved(picture: Pixels, quality: int, subsampling: int) -> Pixels:
    """The picture after one JPEG save."""
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(memory) as back:
        return np.asarray(back.convert("RGB"))


def delivered(picture: Pixels, mask: Pixels, dice: Dice) -> tuple[Pixels, Pixels]:
    """Picture and mask after what happens to an edited photo: nothing, a save, a scaling and a save, or two saves."""
    law = dice.random()
    if law < 0.25:  # noqa: PLR2004  # shares of the four laws
        return picture, mask
    if law > 0.75:  # noqa: PLR2004
        side = int(len(picture) * dice.uniform(0.76, 1.15))
        picture = np.asarray(Image.fromarray(picture).resize((side, side), FILTERS[int(dice.integers(1, 5))]))
        mask = np.asarray(Image.fromarray(mask).resize((side, side), Image.Resampling.BILINEAR))
    if law > 0.9:  # noqa: PLR2004
        picture = saved(picture, int(dice.integers(70, 96)), int(dice.choice(SUBSAMPLINGS)))
    return saved(picture, int(dice.integers(62, 99)), int(dice.choice(SUBSAMPLINGS))), mask


def turned(picture: Pixels, mask: Pixels, dice: Dice) -> tuple[Pixels, Pixels]:
    """Mirrored or turned by a quarter, at random."""
    quarters, mirrored = int(dice.integers(4)), dice.random() < 0.5  # noqa: PLR2004
    step = -1 if mirrored else 1
    both = [np.ascontiguousarray(np.rot90(part, quarters)[:, ::step]) for part in (picture, mask)]
    return both[0], both[1]


def cut(picture: Pixels, mask: Pixels, dice: Dice) -> tuple[Floats, Floats]:
    """A crop on the cells' grid, as the net's input and the share of every cell that is edited."""
    top, left = (int(dice.integers(0, (length - CROP) // CELL + 1)) * CELL for length in picture.shape[:2])
    part = picture[top : top + CROP, left : left + CROP].transpose(2, 0, 1).astype(np.float32)
    cells = mask[top : top + CROP, left : left + CROP].reshape(CROP // CELL, CELL, CROP // CELL, CELL).mean((1, 3)) / 255
    return part, cells.astype(np.float32)


@torch.no_grad()
def sample(strengths: Strengths, picture: Pixels, mask: Pixels, dice: Dice) -> tuple[Halves, Pixels]:
    """The traces of one delivered crop (TRACES x rows x columns, half precision) and the edited share of its cells (0 to 255)."""
    part, cells = cut(*delivered(*turned(picture, mask, dice), dice), dice)
    traces = strengths(torch.from_numpy(part)[None])[0].numpy().astype(np.float16)
    return traces, np.rint(cells * 255).astype(np.uint8)


def samples_of(
    strengths: Strengths, pair: tuple[Pixels, Pixels], untouched: Pixels, deliveries: int, seed: tuple[int, int]
) -> Iterator[tuple[Halves, Pixels]]:
    """One pair in several deliveries, and one untouched square."""
    for number in range(deliveries):
        yield sample(strengths, *pair, np.random.default_rng((*seed, number)))
    yield sample(strengths, untouched, np.zeros(untouched.shape[:2], np.uint8), np.random.default_rng((*seed, deliveries)))


def make_samples(pairs: Path, untouched: Callable[[int], Pixels], out: Path, *, deliveries: int, seed: int) -> Iterator[int]:
    """Keep the traces of every pair in `deliveries` deliveries and of as many untouched squares as pairs; yields how many are ready."""
    pictures, masks = (np.load(pairs / name, mmap_mode="r") for name in (PICTURES, MASKS))
    out.mkdir(parents=True, exist_ok=True)
    total, side = len(pictures) * (deliveries + 1), CROP // CELL
    traces = np.lib.format.open_memmap(out / TRACES_FILE, mode="w+", dtype=np.float16, shape=(total, TRACES, side, side))
    cells = np.lib.format.open_memmap(out / CELLS, mode="w+", dtype=np.uint8, shape=(total, side, side))
    strengths, place = Strengths().eval(), 0
    for number in range(len(pictures)):
        square = untouched(number)
        pair = np.array(pictures[number]), np.array(masks[number])
        for found in samples_of(strengths, pair, square, deliveries, (seed, number)):
            traces[place], cells[place] = found
            place += 1
        yield place
