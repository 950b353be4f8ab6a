"""What kind of file is this: a camera's own, a screenshot, one that a messenger or a platform passed on, a scan, a photo of a screen?

Idea: each way of delivery leaves its shape. A screenshot has the size of a screen, no camera tags and areas of exactly equal pixels; a messenger
drops all tags and limits the long side; a scanner names itself or fits a sheet of paper at a round resolution; a photographed screen leaves a lone
peak in the spectrum (`moire.py`). The classes exclude nobody: evidence often arrives through a messenger.
Known false alarms: an edited photo exported at a screen's size with flat areas looks like a screenshot, a cropped screenshot passes for passed on,
and fine regular patterns (nets, halftone print) may look like a screen. Measured: of 814 real photos without tags one was called a screenshot (its
file says so itself) and none a scan; of the 171 real photos of 512 pixels or more none a photo of a screen, and of 180 generated ones one;
simulated photos of screens are found at .63 (30, our own) and .45 (20, a second simulation), real ones were not at hand; 500 of 500 files made as
cameras write them were taken for a camera's own. "Passed on" says no more than that a JPEG or WebP has no metadata.
Quality gate: 64 pixels a side; 512 for screens, at the size at which they were taken.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.container.parts import Format, PartKind
from features.image.marker_conflict import camera_of
from features.image.metadata import Source
from features.image.moire import peak
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice

NAME = "delivery_kind"
VERSION = 2
CODES: tuple[str, ...] = ("IMAGE_IS_SCREENSHOT", "IMAGE_IS_SCAN", "IMAGE_OF_SCREEN", "IMAGE_REDELIVERED", "IMAGE_FROM_CAMERA")
VOICE = Voice(NAME, VERSION)


class Kind(StrEnum):
    """The classes; a file gets the one with the highest confidence."""

    CAMERA = "camera"
    SCREENSHOT = "screenshot"
    REDELIVERED = "redelivered"
    SCAN = "scan"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Guess:
    """One class with a confidence of 0 to 1 and what it stands on."""

    kind: Kind
    confidence: float
    why: str


_CODE = {
    Kind.CAMERA: ("IMAGE_FROM_CAMERA", 0.0),
    Kind.SCREENSHOT: ("IMAGE_IS_SCREENSHOT", 0.5),
    Kind.SCREEN: ("IMAGE_OF_SCREEN", 0.4),
    Kind.SCAN: ("IMAGE_IS_SCAN", 0.3),
    Kind.REDELIVERED: ("IMAGE_REDELIVERED", 0.1),
}
"""The finding of each class, and how far a sure guess of it counts."""
_SCREENS = frozenset(
    {
        *(
            (640, 1136),
            (720, 1280),
            (720, 1520),
            (720, 1560),
            (720, 1600),
            (720, 1612),
            (750, 1334),
            (768, 1366),
            (828, 1792),
            (900, 1600),
            (1080, 1920),
        ),
        *((1080, 2160), (1080, 2220), (1080, 2280), (1080, 2310), (1080, 2340), (1080, 2376), (1080, 2388), (1080, 2400), (1080, 2408), (1080, 2412)),
        *((1080, 2460), (1125, 2436), (1170, 2532), (1176, 2400), (1179, 2556), (1200, 2640), (1206, 2622), (1220, 2712), (1224, 2700), (1228, 2700)),
        *((1240, 2772), (1242, 2208), (1242, 2688), (1260, 2800), (1264, 2780), (1284, 2778), (1290, 2796), (1320, 2868), (1344, 2772), (1344, 2992)),
        *((1440, 2560), (1440, 2880), (1440, 2960), (1440, 3040), (1440, 3088), (1440, 3120), (1440, 3200), (1536, 2048), (1600, 2560), (1620, 2160)),
        *((1640, 2360), (1668, 2224), (1668, 2388), (2048, 2732), (2160, 3840)),
    }
)
"""Screens of phones, tablets and computers as (short, long)."""
_SCANNERS = (
    "epson",
    "canoscan",
    "scanjet",
    "camscanner",
    "adobe scan",
    "genius scan",
    "fujitsu",
    "brother",
    "scansnap",
    "office lens",
    "microsoft lens",
    "扫描全能王",
)
_SHEETS = ((8.27, 11.69), (8.5, 11.0), (5.83, 8.27), (8.5, 14.0))
"""Paper in inches."""
_SCAN_DPI = frozenset({100.0, 150.0, 200.0, 300.0, 400.0, 600.0, 1200.0})
_SHEET_ERROR = 0.015
_FLAT = 0.35
_PEAK = 3.0
"""Height of a lone peak in the spectrum from which a grid was photographed."""
_LEAST_SIDE = 64
_SAMPLE = 1500
"""Half the side of the middle in which equal neighbours are counted."""
_PASSED_ON = frozenset({960, 1080, 1200, 1280, 1440, 1600, 1920, 2000, 2048, 2560})
"""Long sides to which messengers and platforms shrink; a hint, not a rule."""


def guess(picture: Picture) -> Guess:
    """The likeliest class. UnreadableError: the pixels cannot be had."""
    screen = _screen(picture)
    taken = _camera(picture) if screen.confidence == 0.0 else screen  # a photo of a screen has a camera's tags, too
    return max((taken, _screenshot(picture), _scan(picture), _redelivered(picture)), key=lambda item: item.confidence)


def _camera(picture: Picture) -> Guess:
    camera = camera_of(picture.metadata)
    if camera is None:
        return Guess(Kind.CAMERA, 0.0, "")
    exif = picture.metadata.exif
    own = sum((exif.tags.get("MakerNote") is not None, exif.thumbnail is not None, exif.text("DateTimeOriginal") is not None))
    return Guess(Kind.CAMERA, 0.6 + 0.1 * own, f"the tags of a {camera[:60]}")


def _screen(picture: Picture) -> Guess:
    height = peak(picture.luma)
    if height is None or height < _PEAK:
        return Guess(Kind.SCREEN, 0.0, "")
    return Guess(
        Kind.SCREEN, min(0.9, 0.7 + 0.1 * (height - _PEAK)), f"a lone wave {np.exp(height):.0f} times above its surroundings, as a screen gives"
    )


def _screenshot(picture: Picture) -> Guess:
    said = [text for source in (Source.EXIF, Source.TEXT) for text in picture.metadata.values(source, "UserComment", "Software", "Description")]
    if any("screenshot" in text.lower() for text in said):
        return Guess(Kind.SCREENSHOT, 0.95, "the file calls itself a screenshot")
    sides = sorted(picture.size)
    screen = (sides[0], sides[1]) in _SCREENS
    if camera_of(picture.metadata) is not None or not screen:
        return Guess(Kind.SCREENSHOT, 0.0, "")
    flat = flat_share(picture)
    lossless = picture.container.format is Format.PNG
    confidence = 0.25 + 0.15 * lossless + 0.4 * min(flat / _FLAT, 1.0)
    return Guess(Kind.SCREENSHOT, confidence, f"{sides[1]} x {sides[0]} pixels of a screen, {flat:.0%} of them equal to their neighbours")


def flat_share(picture: Picture) -> float:
    """The share of pixels that equal their right and lower neighbours exactly; sensor noise leaves few."""
    rows, columns = picture.luma.shape
    luma = picture.luma[max(0, rows // 2 - _SAMPLE) : rows // 2 + _SAMPLE, max(0, columns // 2 - _SAMPLE) : columns // 2 + _SAMPLE]
    equal = (luma[:-1, :-1] == luma[:-1, 1:]) & (luma[:-1, :-1] == luma[1:, :-1])
    return float(np.mean(equal))


def _scan(picture: Picture) -> Guess:
    exif = picture.metadata.exif
    named = " ".join(exif.text(name) or "" for name in ("Make", "Model", "Software")).lower()
    scanner = next((name for name in _SCANNERS if name in named), None)
    if scanner is not None:
        return Guess(Kind.SCAN, 0.9, f"the tags name {scanner}")
    resolution = exif.number("XResolution")
    if resolution not in _SCAN_DPI:
        return Guess(Kind.SCAN, 0.0, "")
    sides = sorted(side / resolution for side in picture.size)
    sheet = any(abs(sides[0] / short - 1) < _SHEET_ERROR and abs(sides[1] / long - 1) < _SHEET_ERROR for short, long in _SHEETS)
    return Guess(Kind.SCAN, 0.7 if sheet else 0.0, f"a sheet of paper at {resolution:.0f} dots an inch")


def _redelivered(picture: Picture) -> Guess:
    metadata = any(part.kind in {PartKind.EXIF, PartKind.XMP, PartKind.IPTC, PartKind.C2PA} for part in picture.container.parts)
    if metadata or picture.container.format not in {Format.JPEG, Format.WEBP}:
        return Guess(Kind.REDELIVERED, 0.2, "no sign of its way")
    typical = max(picture.size) in _PASSED_ON
    return Guess(Kind.REDELIVERED, 0.7 if typical else 0.5, f"no metadata left, long side {max(picture.size)}")


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """How far the file is from a camera's own: 0 for a camera's, up to 0.5 for a screenshot (`_CODE`), times its confidence."""
    if min(picture.size) < _LEAST_SIDE:
        return VOICE.silent("too_small")
    best = guess(picture)
    code, weight = _CODE[best.kind]
    value = round(weight * best.confidence, 3)
    return VOICE.says(value, [VOICE.finding(code, value, f"{best.kind.value}, confidence {best.confidence:.2f}: {best.why}")])


def _app() -> bytes:
    pixels = np.full((1334, 750, 3), 245, np.uint8)
    pixels[200:900, 40:710] = examples.scene(670, 700)
    return examples.png(pixels)


def _of_a_screen() -> bytes:
    """The beat of a screen's rows and a sensor's, tilted by a few degrees."""
    across, down = np.meshgrid(np.arange(800), np.arange(600))
    wave = 1 + 0.12 * np.sin(2 * np.pi * (0.31 * down + 0.06 * across))
    return examples.jpeg(np.clip(examples.scene(800, 600) * wave[:, :, None], 0, 255).astype(np.uint8))


EXAMPLES: tuple[Example, ...] = (
    Example("a camera's own file", examples.camera_jpeg, 0.0, 0.0),
    Example("a screenshot of a photo in an app", _app, 0.3, 0.5),
    Example("a photo of a screen", _of_a_screen, 0.25, 0.4),
    Example("passed on by a messenger", lambda: examples.jpeg(examples.scene(1280, 960)), 0.04, 0.1),
    Example("a stamp", lambda: examples.jpeg(examples.scene(40, 40)), unavailable="too_small"),
)
