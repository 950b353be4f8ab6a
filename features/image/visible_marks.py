"""Does the picture itself show a label that says it was made by a model?

Idea: GB 45438-2025 asks for a visible text at an edge or corner, at least 5% of the shortest side high, with (人工智能 or AI) and (生成 or 合成);
vendors put their names there. So only the strips at the top and bottom are read, at a scale where such a text is some twenty pixels high, by an
OCR that carries its models (PP-OCR through rapidocr). A cropped label is gone; its absence says nothing.
Marks without words (Gemini's sparkle) are not read.
Known false alarms: a photo of a screen, a poster or a package that shows such a label, and a buyer who writes about AI over the photo.
Quality gate: 160 pixels on the short side, and a text that the OCR itself is sure of.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from data_contracts.signal import Region, SignalResult
from features.image import examples
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice

NAME = "visible_marks"
VERSION = 2
CODES: tuple[str, ...] = ("IMAGE_VISIBLE_AI_LABEL",)
VOICE = Voice(NAME, VERSION)

_SHORT = 384
_STRIP = 0.18
_LEAST_SIDE = 160
_SURE = 0.8
_LABEL_HEIGHT = 0.035
"""The standard says 5% of the shortest side; the box of a text is measured with an error, and Latin letters are lower than Chinese ones."""
_LABEL, _VENDOR, _SMALL = 0.7, 0.6, 0.4

_STANDARD = re.compile(r"(人工智能|AI).{0,6}(生成|合成)|(生成|合成).{0,4}(人工智能|AI)")
_ENGLISH = re.compile(r"(?<![A-Z])AI[-· ]?(GENERATED|CREATED|SYNTHESI[SZ]ED)|(GENERATED|CREATED|MADE)[ ]?(BY|WITH|USING)[ ]?AI(?![A-Z])")
_VENDORS = re.compile(r"豆包AI|即梦AI|千问AI|可灵AI|元宝AI|LIBLIBAI|RUNNINGHUB", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Text:
    """One line that was read: where it stands in shares of the picture, and how high it is in shares of the shortest side."""

    words: str
    region: Region
    height: float


def kind_of(words: str) -> str | None:
    """standard, vendor, or null for a text that is no label. Spaces and the OCR's trouble with a thin I are undone first.

    >>> kind_of("图片由 Al 生成")
    'standard'
    >>> kind_of("图片由A生成")
    'standard'
    """
    plain = re.sub(r"A[l1|](?![a-z])", "AI", words)
    tight = re.sub(r"\s+", "", plain).replace("由A生", "由AI生")
    if _VENDORS.search(tight):
        return "vendor"
    return "standard" if _STANDARD.search(tight) or _ENGLISH.search(plain.upper()) else None


@lru_cache(maxsize=1)
def _reader() -> Any:  # noqa: ANN401  # rapidocr ships no types
    from rapidocr import RapidOCR

    threads = "EngineConfig.onnxruntime"
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,
            "Global.text_score": _SURE,
            f"{threads}.intra_op_num_threads": 1,
            f"{threads}.inter_op_num_threads": 1,
            "Det.limit_type": "max",
            "Det.limit_side_len": 960,
        }
    )


def read_edges(pixels: npt.NDArray[np.uint8]) -> list[Text]:
    """The lines in the top and the bottom strip of a picture in colours."""
    scale = _SHORT / min(pixels.shape[:2])
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR))
    rows, columns = small.shape[:2]
    strip = round(rows * _STRIP)
    both = np.vstack([small[:strip], np.full((8, columns, 3), 127, np.uint8), small[rows - strip :]])
    found = _reader()(np.ascontiguousarray(both[:, :, ::-1]))
    if found.boxes is None:
        return []
    return [
        Text(str(words), _region(box, strip, rows, columns), float(np.ptp(box[:, 1])) / min(rows, columns))
        for box, words in zip(np.asarray(found.boxes, dtype=np.float64), found.txts, strict=True)
    ]


def _region(box: npt.NDArray[np.float64], strip: int, rows: int, columns: int) -> Region:
    down = rows - strip - (strip + 8) if box[:, 1].mean() > strip + 4 else 0
    left, right = np.clip(box[:, 0].min() / columns, 0, 0.99), np.clip(box[:, 0].max() / columns, 0, 1)
    top, bottom = np.clip((box[:, 1].min() + down) / rows, 0, 0.99), np.clip((box[:, 1].max() + down) / rows, 0, 1)
    return Region(left=float(left), top=float(top), right=max(float(right), float(left) + 0.01), bottom=max(float(bottom), float(top) + 0.01))


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """0.7 for a label as the standard asks for it, 0.6 for a vendor's, 0.4 for one that is smaller, 0 for none; null for a small picture."""
    pixels = picture.small
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        return VOICE.silent("too_small")
    findings = []
    for text in read_edges(pixels):
        kind = kind_of(text.words)
        if kind is not None:
            strength = _SMALL if text.height < _LABEL_HEIGHT else _VENDOR if kind == "vendor" else _LABEL
            detail = f"reads “{text.words[:40]}”, {text.height:.1%} of the shortest side high"
            findings.append(VOICE.finding("IMAGE_VISIBLE_AI_LABEL", strength, detail, text.region))
    return VOICE.says(max((item.strength for item in findings), default=0.0), findings)


def _written(words: str, size: int) -> bytes:
    canvas = Image.fromarray(examples.scene())
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((300, 425, 640, 480), fill=(30, 30, 30))
    draw.text((320, 432), words, fill=(255, 255, 255), font_size=size)
    return examples.jpeg(np.asarray(canvas))


EXAMPLES: tuple[Example, ...] = (
    Example("a photo without words", examples.jpeg, 0.0, 0.0),
    Example("a label in the corner", lambda: _written("AI generated", 36), 0.7, 0.7),
    Example("other words in the corner", lambda: _written("SAID generous", 36), 0.0, 0.0),
    Example("a stamp", lambda: examples.jpeg(examples.scene(100, 100)), unavailable="too_small"),
)
