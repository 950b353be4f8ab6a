"""Edited photos of the shelf with what was edited in them: from their masks, else from the difference to their originals."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import binary_closing, binary_fill_holes, binary_opening, gaussian_filter

from models.authenticity.manifest import Label, Picture, read_manifest
from models.authenticity.pictures import opened

Bools = npt.NDArray[np.bool_]

SMALLEST_SHARE, LARGEST_SHARE = 0.002, 0.9  # of the area; outside it the original is another crop, or nothing changed
EQUAL_SHARE, SMALLEST_STEP_LOSSLESS = 0.15, 0.2  # bit-equal pixels that show a lossless edit; then any level of 255 counts
QUIET, NOISE_TIMES, SMALLEST_STEP = 0.2, 6.0, 5.0  # else: the quiet fifth, how many times it, and how many levels of 255
RESULT_FOLDER = re.compile(r"/results/[^/]+/")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """An edited photo: the file, its original of the same size where there is one, where it is edited, and how that is known."""

    path: Path
    source: str
    known_by: str
    edited: Bools
    before: Path | None

    def picture(self) -> Image.Image:
        """The edited photo."""
        return opened(self.path)

    def original(self) -> Image.Image | None:
        """The photo before the edit."""
        return None if self.before is None else opened(self.before)


def edited_cases(folder: Path, part: str) -> tuple[Case, ...]:
    """Every edited photo of that part whose edit is known; the others are passed over."""
    rows = [row for row in read_manifest(folder) if row.part == part]
    masks = {(row.source, row.pair): row for row in rows if row.label is Label.MASK}
    originals = {key: row for row in rows if row.label is Label.REAL for key in _keys(row)}
    found = []
    for row in rows:
        if row.label is not Label.EDITED:
            continue
        original = next((originals[key] for key in _keys(row) if key in originals), None)
        case = _case(folder, row, masks.get((row.source, row.pair)) if row.pair else None, original)
        if case is not None:
            found.append(case)
    return tuple(found)


def _keys(row: Picture) -> tuple[tuple[str, str], ...]:
    """By what an edited photo finds its original: the pair's name, else the same file name beside the folder of results."""
    if row.pair:
        return ((row.source, f"{row.pair} {row.is_whole}"),)
    return ((row.source, RESULT_FOLDER.sub("/images/", row.original).rsplit(".", 1)[0]),)


def _case(folder: Path, row: Picture, mask: Picture | None, original: Picture | None) -> Case | None:
    picture = opened(folder / row.path)
    before = None if original is None else opened(folder / original.path)
    aligned = before is not None and before.size == picture.size
    if mask is not None:
        with Image.open(folder / mask.path) as image:
            edited = np.asarray(image.convert("L").resize(picture.size, Image.Resampling.NEAREST)) > 127  # noqa: PLR2004  # half of white
        known_by = "mask"
    elif before is not None and aligned:
        edited, known_by = difference(picture, before), "difference"
    else:
        return None
    if not SMALLEST_SHARE <= edited.mean() <= LARGEST_SHARE:
        return None
    return Case(folder / row.path, row.source, known_by, edited, folder / original.path if original is not None and aligned else None)


def difference(after: Image.Image, before: Image.Image) -> Bools:
    """Where two aligned pictures differ by more than their saves do: at all when the rest is equal to the bit, else by several times the least."""
    gap = np.abs(np.asarray(after, np.float32) - np.asarray(before, np.float32)).max(-1)
    smooth = gaussian_filter(gap, 1.5)
    if (gap == 0).mean() >= EQUAL_SHARE:
        return np.asarray(binary_closing(smooth > SMALLEST_STEP_LOSSLESS, iterations=3), np.bool_)
    changed = smooth > max(SMALLEST_STEP, NOISE_TIMES * float(np.quantile(smooth, QUIET)))
    return np.asarray(binary_fill_holes(binary_opening(changed, iterations=1)), np.bool_)
