"""A check as a page that refers to nothing outside itself, and its heat map as a picture. Drawn from pixels, never from the file's own bytes."""

import base64
import io
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jinja2 import Environment, StrictUndefined
from PIL import Image

from data_contracts.reason import Language, reason
from data_contracts.signal import HeatMap, ImageFinding, Region
from risk.check.verdict import Check
from risk.check.words import gaps, headings, silent, why_words, word
from risk.evidence.sight import Absent, Inspected, Pixels

_COLOURS = ((0, 0, 4), (43, 16, 85), (120, 28, 109), (181, 54, 122), (229, 80, 57), (251, 136, 97), (254, 200, 130), (252, 253, 191))
"""From nothing to strongest: dark violet to pale yellow, told apart without red and green."""
_OPAQUE = 0.9
_BOXES = 6


class Drawn(Protocol):
    """A checked file, with what is needed to draw it."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def check(self) -> Check:
        """Its answer."""

    @property
    def ms(self) -> float:
        """How long it took."""

    @property
    def inspected(self) -> Inspected | None:
        """Its pixels and map."""


def page(drawn: Sequence[Drawn], language: Language) -> str:
    """The page of one file or several."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(files("risk.check").joinpath("pages/check.html").read_text(encoding="utf-8"))
    return template.render(language=language.value, said=headings(language), files=[_file(each, language) for each in drawn])


def heat_of(inspected: Inspected) -> HeatMap | None:
    """The map that is shown: the patch net's, else the strongest one of a signal, null where nobody drew one."""
    anomaly = inspected.sight.anomaly
    if not isinstance(anomaly, Absent):
        return anomaly.map
    drawn = [result for result in inspected.measured.results if result.map is not None]
    return max(drawn, key=lambda result: result.value or 0.0).map if drawn else None


def overlay(inspected: Inspected) -> bytes | None:
    """The picture with its heat map over it, as PNG; null where there is no picture or no map."""
    preview, heat = inspected.sight.preview, heat_of(inspected)
    if preview is None or heat is None:
        return None
    grey = Image.fromarray(preview.pixels).convert("L").convert("RGB")
    grey.paste(_heat_image(heat, grey.size), (0, 0), _heat_image(heat, grey.size))
    return _encoded(grey, "PNG")


def _heat_image(heat: HeatMap, size: tuple[int, int]) -> Image.Image:
    """The map in colours, clear where it is as everywhere in the picture."""
    usual = float(np.median(heat))
    raised = np.clip((heat.astype(np.float64) - usual) / max(1.0, 255.0 - usual), 0.0, 1.0)
    level = np.asarray(Image.fromarray((raised * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC), dtype=np.float64) / 255.0
    steps = np.linspace(0.0, 1.0, len(_COLOURS))
    bands = [np.interp(level, steps, [colour[band] for colour in _COLOURS]) for band in range(3)]
    return Image.fromarray(np.stack([*bands, 255.0 * _OPAQUE * np.sqrt(level)], axis=-1).astype(np.uint8), "RGBA")


def _file(drawn: Drawn, language: Language) -> dict[str, Any]:
    check, inspected = drawn.check, drawn.inspected
    preview = inspected.sight.preview if inspected is not None else None
    heat = heat_of(inspected) if inspected is not None else None
    said_code = check.code if "ASK_SECOND_PHOTO" in {ask.value for ask in check.ask_for} else ""
    return {
        "name": drawn.path.name,
        "path": str(drawn.path),
        "photo": _photo(preview.pixels) if preview is not None else "",
        "heat": _data("png", _encoded(_heat_image(heat, _size(preview.pixels)), "PNG")) if heat is not None and preview is not None else "",
        "boxes": [_box(finding.region, word("signal", finding.signal, language)) for finding in check.findings if finding.region is not None][
            :_BOXES
        ],
        "verdict": check.verdict.value,
        "verdict_words": word("verdict", check.verdict.value, language),
        "meaning": word("meaning", check.verdict.value, language),
        "certainty": word("certainty", check.certainty, language) if check.certainty else "",
        "score": check.score,
        "why": why_words(check, language),
        "asks": [{"buyer": reason(ask.value).texts[language].buyer} for ask in check.ask_for],
        "code": said_code,
        "findings": [_finding(finding, language) for finding in check.findings],
        "gaps": gaps(check, language),
        "silent": silent(check, language),
        "versions": list(check.versions.items()),
        "kind": check.kind,
        "size": inspected.measured.size if inspected is not None else None,
        "sha256": check.sha256,
        "ms": drawn.ms,
    }


def _finding(finding: ImageFinding, language: Language) -> dict[str, Any]:
    found = reason(finding.code)
    return {
        "speaks": found.speaks,
        "strength": finding.strength,
        "sentence": found.texts[language].analyst,
        "signal": word("signal", finding.signal, language),
        "detail": finding.detail,
    }


def _box(region: Region, label: str) -> dict[str, Any]:
    return {
        "left": round(region.left * 100, 2),
        "top": round(region.top * 100, 2),
        "width": round((region.right - region.left) * 100, 2),
        "height": round((region.bottom - region.top) * 100, 2),
        "label": label,
    }


def _photo(pixels: Pixels) -> str:
    return _data("jpeg", _encoded(Image.fromarray(pixels), "JPEG"))


def _size(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 88} if kind == "JPEG" else {"optimize": True}))
    return out.getvalue()


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
