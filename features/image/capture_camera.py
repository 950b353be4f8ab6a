"""Does the file still look as the camera that it names would have written it?

Idea: a camera writes its own quantisation tables, its own size into the tags, and a thumbnail of what it saw. A file that was opened and saved again
keeps the tags but seldom all three; a thumbnail that shows something else tells what the photo was before (Kee and Farid, 2010).
Known false alarms: phone galleries that rotate or crop in place; cloud services that shrink a photo and keep its tags. That is why everything but the
thumbnail counts little. Quality gate: the file names a camera.
"""

import io
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from data_contracts.signal import ImageFinding, Region, SignalResult
from features.image import examples
from features.image.jpeg_tables import standard_quality
from features.image.picture import BROKEN, Picture
from features.image.signal_kit import Context, Example, Voice

NAME = "capture_camera"
VERSION = 1
CODES: tuple[str, ...] = ("IMAGE_CAMERA_MISMATCH",)
VOICE = Voice(NAME, VERSION)

Grey: TypeAlias = npt.NDArray[np.float64]

_OWN_TABLES = ("apple", "canon")
"""Makers whose cameras and phones write tables of their own, never the standard ones."""
_TABLES, _SIZE, _OTHER_PICTURE, _OTHER_REGION = 0.2, 0.2, 0.6, 0.5
_GRID = 48
_BLOCK = 6
_LEAST_LIKE = 0.5
_REGION_GAP = 60.0
"""Grey levels by which a block of the thumbnail may differ from the picture after both were brought to one brightness and contrast."""
_BAR = 12
_LARGEST_THUMBNAIL = 1024


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """0 where all fits, up to 0.6 where the thumbnail shows another picture; null for a file that names no camera."""
    exif = picture.metadata.exif
    make = exif.text("Make")
    if make is None or exif.text("Model") is None:
        return VOICE.silent("no_camera_tags")
    findings = [found for found in (_tables(picture, make), _size(picture), _thumbnail(picture)) if found is not None]
    return VOICE.says(max((item.strength for item in findings), default=0.0), findings)


def _tables(picture: Picture, make: str) -> ImageFinding | None:
    facts = picture.container.jpeg
    if facts is None or not make.lower().startswith(_OWN_TABLES):
        return None
    quality = standard_quality(facts)
    if quality is None:
        return None
    return VOICE.finding(
        "IMAGE_CAMERA_MISMATCH", _TABLES, f"names a camera of {make[:30]} but was saved by other software (standard tables, quality {quality})"
    )


def _size(picture: Picture) -> ImageFinding | None:
    exif, size = picture.metadata.exif, picture.container.size
    stated = exif.number("PixelXDimension"), exif.number("PixelYDimension")
    if size is None or None in stated or 0 in stated or sorted(size) == sorted(int(side or 0) for side in stated):
        return None
    return VOICE.finding("IMAGE_CAMERA_MISMATCH", _SIZE, f"the tags say {stated[0]:.0f} x {stated[1]:.0f}, the picture is {size[0]} x {size[1]}")


def _thumbnail(picture: Picture) -> ImageFinding | None:
    small = _thumbnail_grey(picture.metadata.exif.thumbnail)
    if small is None:
        return None
    turns = [_scaled(np.rot90(picture.small_luma, turn)) for turn in range(4)]
    inner = _scaled(small)
    likeness = [float(np.corrcoef(inner.ravel(), whole.ravel())[0, 1]) if whole.std() and inner.std() else 0.0 for whole in turns]
    best = int(np.argmax(likeness))
    if max(inner.std(), turns[best].std()) < _BAR:
        return None  # two plain grey walls correlate with nothing
    if likeness[best] < _LEAST_LIKE:
        return VOICE.finding("IMAGE_CAMERA_MISMATCH", _OTHER_PICTURE, "the thumbnail shows another picture than the file")
    return _other_region(inner, turns[best]) if best == 0 else None


def _thumbnail_grey(raw: bytes | None) -> Grey | None:
    """The thumbnail's brightness without its bars; null where there is none that can be compared."""
    if raw is None:
        return None
    try:
        with Image.open(io.BytesIO(raw), formats=("JPEG",)) as thumbnail:
            if max(thumbnail.size) > _LARGEST_THUMBNAIL:
                return None
            small = _without_bars(np.asarray(thumbnail.convert("L"), dtype=np.float64))
    except BROKEN:
        return None
    return small if min(small.shape) >= _GRID else None


def _without_bars(grey: Grey) -> Grey:
    """Cut off the black bars that fit a wide picture into a 4:3 thumbnail."""
    bright = grey > _BAR
    rows, columns = np.flatnonzero(bright.mean(axis=1) > 0.1), np.flatnonzero(bright.mean(axis=0) > 0.1)  # noqa: PLR2004  # a tenth of a line
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size and columns.size else grey


def _scaled(grey: Grey) -> Grey:
    return np.asarray(Image.fromarray(grey.astype(np.uint8)).resize((_GRID, _GRID), Image.Resampling.BOX), dtype=np.float64)


def _other_region(inner: Grey, whole: Grey) -> ImageFinding | None:
    """The block where the thumbnail differs most, where that is far more than tone and sharpening explain."""
    slope, shift = np.polyfit(inner.ravel(), whole.ravel(), 1)
    gap = np.abs(inner * slope + shift - whole)
    cells = gap.reshape(_GRID // _BLOCK, _BLOCK, _GRID // _BLOCK, _BLOCK).mean(axis=(1, 3))
    if cells.max() < _REGION_GAP:
        return None
    row, column = np.unravel_index(int(np.argmax(cells)), cells.shape)
    step = _BLOCK / _GRID
    region = Region(left=float(column) * step, top=float(row) * step, right=float(column + 1) * step, bottom=float(row + 1) * step)
    return VOICE.finding("IMAGE_CAMERA_MISMATCH", _OTHER_REGION, "a part of the thumbnail differs from the file", region)


def _resaved() -> bytes:
    return examples.jpeg(exif=examples.exif({0x010F: "Apple", 0x0110: "iPhone 15"}, {0xA002: 4032, 0xA003: 3024}))


EXAMPLES: tuple[Example, ...] = (
    Example("no camera named", examples.jpeg, unavailable="no_camera_tags"),
    Example("a phone's tags on a file of other software and size", _resaved, 0.2, 0.2),
)
