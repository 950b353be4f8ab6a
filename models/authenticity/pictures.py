"""From bytes to the views that the models see.

The view: upright RGB, short side 224 (bicubic), a square of 224. Training wholes lie on the shelf with short side 256 and one
JPEG 90, and cuts of the shelf are stored so as well (`stored`) before they count as wholes. The service does *not* store a picture first:
a second codec at that size costs .02 to .03 of AUC on every held-out set (README).
"""

import io
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from models.authenticity.laundering import jpeg

Floats = npt.NDArray[np.float32]

STORED_SIDE = 256  # pixels, short side
STORED_QUALITY = 90
VIEW_SIDE = 224  # pixels, what the tower takes
GAP = 3.0  # a picture over six times the view is first halved or quartered by plain means: 12 megapixels in 8 ms instead of 30
CLIP_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
CLIP_SPREAD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


class Place(StrEnum):
    """Where in the whole picture a view is taken."""

    CENTRE = "centre"
    START = "start"
    END = "end"
    SQUEEZED = "squeezed"


def opened(path: Path) -> Image.Image:
    """The picture in that file as the person saw it: upright, RGB, transparent parts on white."""
    with Image.open(path) as image:
        return upright(image)


def decoded(content: bytes) -> Image.Image:
    """As `opened`, from bytes in memory."""
    with Image.open(io.BytesIO(content)) as image:
        return upright(image)


def upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says, RGB, transparent parts on white."""
    turned = ImageOps.exif_transpose(image)
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    layered = turned.convert("RGBA")
    ground = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, layered).convert("RGB")


def stored(image: Image.Image) -> Image.Image:
    """The picture as the training shelf keeps wholes: short side 256, one JPEG 90; one already that small stays as it is."""
    short = min(image.size)
    if short <= STORED_SIDE:
        return image
    width, height = (round(side * STORED_SIDE / short) for side in image.size)
    return jpeg(image.resize((width, height), Image.Resampling.LANCZOS), STORED_QUALITY)


def view(image: Image.Image, place: Place) -> Image.Image:
    """A 224-pixel square of a stored picture: its middle, one of its ends, or all of it squeezed."""
    if place is Place.SQUEEZED:
        return image.resize((VIEW_SIDE, VIEW_SIDE), Image.Resampling.BICUBIC, reducing_gap=GAP)
    short = min(image.size)
    width, height = (max(VIEW_SIDE, round(side * VIEW_SIDE / short)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=GAP)
    share = {Place.CENTRE: 0.5, Place.START: 0.0, Place.END: 1.0}[place]
    left, top = round((width - VIEW_SIDE) * share), round((height - VIEW_SIDE) * share)
    return small.crop((left, top, left + VIEW_SIDE, top + VIEW_SIDE))


def pixels(square: Image.Image) -> Floats:
    """The tower's input of one view: 1 x 3 x 224 x 224, normalised as CLIP was trained."""
    values = (np.asarray(square, np.float32) / 255 - CLIP_MEAN) / CLIP_SPREAD
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def raw_pixels(square: Image.Image) -> Floats:
    """The light model's input of one view: 1 x 3 x 224 x 224, 0 to 255; it scales them itself."""
    return np.ascontiguousarray(np.asarray(square, np.float32).transpose(2, 0, 1)[None])
