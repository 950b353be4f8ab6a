"""Making the edited photos that the patch net learns from: thousands of pairs in a folder, the same for the same seed.

Held out whole, for choosing and for limits: every fourth source of real photos, and the sources that carry edits of their own.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from models.authenticity.edit_autoencoders import Design, Pixels, taef2, train_small
from models.authenticity.edit_pairs import FILTERS, PLAIN_RENDERERS, SIDE, Render, make_pair, network_renderer
from models.authenticity.edit_shapes import Dice
from models.authenticity.manifest import Label, Picture, chosen, read_manifest
from models.authenticity.pictures import opened

WITH_EDITS = frozenset({"imd2020", "comofod", "iopaint", "noso-copymove", "pratikpuri-tamper", "migan-inpaint"})
HELD_OUT_OF = 4  # one in four sources
GRID = 16
SMALL_STEPS, SMALL_SIDE, SMALL_CROPS = 160, 48, 200
PICTURES, MASKS, RECIPES = "pictures.npy", "masks.npy", "recipes.json"


def is_held_out(source: str) -> bool:
    """Nothing of this source is learnt from."""
    return source in WITH_EDITS or zlib.crc32(source.encode()) % HELD_OUT_OF == 0


class Pool:
    """Squares of the training photos of one label, drawn evenly over sources (by the root of their size)."""

    def __init__(self, folder: Path, pictures: Sequence[Picture]) -> None:
        self.folder = folder
        self.pictures = pictures
        sizes: dict[str, int] = {}
        for picture in pictures:
            sizes[picture.source] = sizes.get(picture.source, 0) + 1
        weight = np.array([sizes[picture.source] ** -0.5 for picture in pictures])
        self.share = weight / weight.sum()

    def draw(self, dice: Dice, side: int = SIDE) -> Pixels:
        """A square of one photo; a photo that is too small is passed over."""
        while True:
            picture = self.pictures[int(dice.choice(len(self.pictures), p=self.share))]
            image = opened(self.folder / picture.path)
            if min(image.size) >= side:
                return square(image, dice, side)


def square(image: Image.Image, dice: Dice, side: int = SIDE) -> Pixels:
    """A square somewhere in the photo, at times after scaling down, half of them on the grid of its JPEG blocks."""
    short = min(image.size)
    if short > side and dice.random() < 0.35:  # noqa: PLR2004  # a third is scaled down first
        scale = dice.uniform(side / short, 1)
        size = tuple(max(side, round(length * scale)) for length in image.size)
        image = image.resize((size[0], size[1]), FILTERS[int(dice.integers(1, 5))])
    left, top = (int(dice.integers(0, length - side + 1)) for length in image.size)
    if dice.random() < 0.5:  # noqa: PLR2004
        left, top = left // GRID * GRID, top // GRID * GRID
    return np.asarray(image.crop((left, top, left + side, top + side)))


@dataclass(frozen=True, slots=True)
class Pools:
    """Real and generated pictures to learn from."""

    real: Pool
    generated: Pool


def read_pools(folder: Path, *, held_out: bool = False) -> Pools:
    """The pools of the sources that are learnt from, or of those held out."""
    pictures = read_manifest(folder)
    found = {}
    for label in (Label.REAL, Label.GENERATED):
        rows = chosen(pictures, part="train", labels=[label])
        found[label] = Pool(folder, [row for row in rows if is_held_out(row.source) is held_out and row.source not in WITH_EDITS])
    return Pools(found[Label.REAL], found[Label.GENERATED])


def make_renderers(pools: Pools, vae: Path, seed: int) -> Mapping[str, Render]:
    """The plain renderers, TAEF2, and one small autoencoder of each design, taught now."""
    dice = np.random.default_rng(seed)
    crops = np.stack([pools.real.draw(dice)[:SMALL_SIDE, :SMALL_SIDE] for _ in range(SMALL_CROPS)])
    small = {
        f"own {design}": network_renderer(train_small(design, crops, steps=SMALL_STEPS, seed=seed + number)) for number, design in enumerate(Design)
    }
    return {**PLAIN_RENDERERS, **small, "TAEF2": network_renderer(taef2(vae))}


def make_pairs(pools: Pools, renderers: Mapping[str, Render], out: Path, count: int, seed: int) -> None:
    """`count` pairs written to `out`: pictures, masks, recipes."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = np.lib.format.open_memmap(out / PICTURES, mode="w+", dtype=np.uint8, shape=(count, SIDE, SIDE, 3))
    masks = np.lib.format.open_memmap(out / MASKS, mode="w+", dtype=np.uint8, shape=(count, SIDE, SIDE))
    recipes = []
    for number in range(count):
        dice = np.random.default_rng((seed, number))
        pair = make_pair(pools.real.draw(dice), (pools.real.draw(dice), pools.generated.draw(dice)), renderers, dice)
        pictures[number], masks[number] = pair.picture, pair.mask
        recipes.append(pair.recipe)
        if number % 250 == 0:
            (out / RECIPES).write_text(json.dumps(recipes), encoding="utf-8")
    (out / RECIPES).write_text(json.dumps(recipes), encoding="utf-8")
