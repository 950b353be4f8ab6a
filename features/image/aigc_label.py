"""Does the file carry China's label for AI-made content (GB 45438-2025), in whichever way it was written down?

Idea: the label is a JSON value of seven fields; practice guide TC260-PG-20258A and the wild know XMP element and attribute, PNG text, EXIF
UserComment, text glued into a JPEG segment, Tencent Cloud's ImageDescription, and the tags of films. Each place is read by structure; a generic
place counts only when the JSON has at least one of the label's own fields. The label is unsigned: it never counts as proof.
Known false alarms: none by accident; a forged label on an honest photo is possible, which is why a platform that holds one asks for more.
Quality gate: well-formed JSON of at most 1 MB.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.metadata import Field, Metadata, Source
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice
from features.image.statements import CODES as _CODES
from features.image.statements import Says, Statement, answer

NAME = "aigc_label"
VERSION = 1
CODES: tuple[str, ...] = tuple(sorted(set(_CODES.values())))
VOICE = Voice(NAME, VERSION)

MAX_JSON = 1 << 20
FIELDS = frozenset({"label", "contentproducer", "produceid", "reservedcode1", "contentpropagator", "propagateid", "reservedcode2"})
TENCENT_FIELDS = frozenset({"serviceprovider", "serviceuser", "time", "contentid"})
PRODUCTS: Mapping[str, str] = {
    "91110102MACQD9K640": "doubao",
    "9144030008867405X2": "jimeng",
    "91440101MA9Y9T4H7A": "qwen",
    "91110108335469089C": "kling",
    "91440300708461136T": "tencent yuanbao",
    "91340100MAEB4N8H76": "runninghub",
    "91110000802100433B": "baidu",
    "91110105MACJ6K1C8A": "liblib",
}
"""Unified Social Credit Code -> product, as seen in published files."""

_STRENGTH = {"1": (Says.GENERATED, 0.7), "2": (Says.SUSPECTED, 0.5), "3": (Says.SUSPECTED, 0.4)}
_TENCENT_LEAST = 2
_CODE = slice(4, 22)
_CODE_LENGTH = 22
_SHOWN = 60


def statements(metadata: Metadata) -> list[Statement]:
    """Every label in the file, whatever its form."""
    found = []
    for field in metadata.fields:
        for form, label in _labels(field):
            found.append(_statement(field, form, label))
    return found


def _labels(field: Field) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The labels of one field, with the name of the form that each is in."""
    name = field.name.lower()
    match field.source:
        case Source.XMP if field.name == "TC260:AIGC":
            yield from _named("xmp", field.value)
        case Source.TEXT if name == "aigc":
            yield from _named("png_text", field.value)
        case Source.TAG if name.rpartition(".")[2].rpartition(":")[2].lstrip("\xa9") == "aigc" or name.endswith("mdtaaigc"):
            yield from _named("film_tag", field.value)
        case Source.EXIF | Source.COMMENT:
            yield from _generic(field)
        case Source.APP if field.value.startswith("AIGC{"):
            yield from _named("jpeg_segment", field.value[4:])
        case _:
            return


def _generic(field: Field) -> Iterator[tuple[str, Mapping[str, str]]]:
    value = field.value.strip()
    form = "exif" if field.source is Source.EXIF else "comment"
    if value.startswith("AIGC{"):
        yield from _named(form, value[4:])
        return
    outer = parse_object(value)
    if outer is None:
        return
    inner = next((item for key, item in outer.items() if key.lower() == "aigc"), None)
    if inner is not None:
        yield from _named(form, inner if isinstance(inner, str) else json.dumps(inner, ensure_ascii=False))
        return
    plain = _plain(outer)
    if len(FIELDS & plain.keys()) > 1:
        yield form, plain
    elif field.name == "ImageDescription" and "serviceprovider" in plain and len(TENCENT_FIELDS & plain.keys()) >= _TENCENT_LEAST:
        yield "tencent_cloud", plain


def _named(form: str, text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """A label in a place that is its own; one known field is enough."""
    outer = parse_object(text)
    inner = outer.get("AIGC") if outer is not None else None
    if isinstance(inner, str | dict):
        outer = parse_object(inner) if isinstance(inner, str) else inner
    plain = _plain(outer or {})
    if FIELDS & plain.keys():
        yield form, plain


def parse_object(text: str) -> dict[str, Any] | None:
    """A JSON object of at most MAX_JSON characters, text behind it ignored; null when it is none."""
    text = text.strip().lstrip("\ufeff")
    if not text.startswith("{") or len(text) > MAX_JSON:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _plain(label: Mapping[str, Any]) -> dict[str, str]:
    return {str(key).lower(): str(value) for key, value in label.items() if isinstance(value, str | int)}


def _statement(field: Field, form: str, label: Mapping[str, str]) -> Statement:
    says, strength = _STRENGTH.get(label.get("label", "1").strip(), (Says.SUSPECTED, 0.4))
    maker = product(label.get("contentproducer") or label.get("serviceprovider") or label.get("contentpropagator") or "")
    detail = f"AI content label {label.get('label', 'without level')}, producer {maker or 'not named'}"
    return Statement(says, f"aigc_{form}", maker, field.where, strength, detail, field.late)


def product(code: str) -> str:
    """The product behind a producer code, else the code or name itself, lower case.

    >>> product("00119144030008867405X200001")
    'jimeng'
    """
    code = code.strip()
    if len(code) >= _CODE_LENGTH and code[:4] == "0011":
        return PRODUCTS.get(code[_CODE], code[_CODE].lower())
    return PRODUCTS.get(code, code.lower()[:_SHOWN])


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """0.7 for a label that says generated, less for possibly and suspected; null when the file carries none."""
    return answer(VOICE, statements(picture.metadata))


EXAMPLES: tuple[Example, ...] = (
    Example("a camera photo", examples.camera_jpeg, unavailable="no_marker"),
    Example("a PNG with the label as a text chunk", lambda: examples.png_with_text(("AIGC", examples.AIGC)), 0.7, 0.7),
    Example("a JPEG with the label in XMP", lambda: examples.with_xmp(examples.aigc_xmp_attribute()), 0.7, 0.7),
)
