"""Did an image generator leave its own metadata in the file?

Idea: each generator writes its settings in places of its own (`generator_rules.py` lists them; most are described by sd-prompt-reader and by
watermark surveys). Read by structure: chunk, segment, tag and key must fit, not bytes somewhere. All of it is unsigned and forgeable.
Known false alarms: a person who types a generator's name into a description (weak strength for that reason); an upscaled or re-exported real
photo that went through such a programme. Quality gate: none needed; absence says nothing, for platforms strip metadata.
"""

import re

import numpy as np
import numpy.typing as npt

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.generator_rules import MAKERS, MEDIUM, NAMES, NAMING_FIELDS, PROGRAMME_FIELDS, PROGRAMMES, RULES, STRONG, WEAK
from features.image.metadata import Field, Metadata, Source
from features.image.picture import Picture, UnreadableError
from features.image.signal_kit import Context, Example, Voice
from features.image.statements import CODES as _CODES
from features.image.statements import Says, Statement, answer

NAME = "generator_markers"
VERSION = 1
CODES: tuple[str, ...] = tuple(sorted(set(_CODES.values())))
VOICE = Voice(NAME, VERSION)

_GROK_SIGNATURE = re.compile(r"^Signature: [A-Za-z0-9+/=]{64,}")
_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_GROK_STRENGTH = 0.75
_STEALTH = (b"stealth_pngcomp", b"stealth_pnginfo", b"stealth_rgbcomp", b"stealth_rgbinfo")
_STEALTH_BITS = 15 * 8
_LONG_TEXT = 4096
"""Names are looked for in the head of a text; a novel in a description names everybody."""


def statements(metadata: Metadata, alpha: npt.NDArray[np.uint8] | None = None) -> list[Statement]:
    """Every generator's mark in the fields, and NovelAI's in the lowest bit of the alpha plane where one is given."""
    found = [statement for field in metadata.fields for statement in (*_by_rules(field), *_by_name(field))]
    found.extend(_grok(metadata))
    if alpha is not None and hidden_name(alpha) is not None:
        found.append(Statement(Says.GENERATED, "novelai_stealth", "novelai", "alpha plane", STRONG, "NovelAI's hidden settings in the alpha plane"))
    return found


def _by_rules(field: Field) -> list[Statement]:
    return [
        Statement(rule.says, rule.marker, rule.by, field.where, rule.strength, f"{rule.by}: {field.name}", field.late)
        for rule in RULES
        if rule.source is field.source and field.name.lower() in rule.names and rule.pattern.search(field.value)
    ]


def _by_name(field: Field) -> list[Statement]:
    place = (field.source, field.name.lower())
    names_programme = place in PROGRAMME_FIELDS
    if not names_programme and place not in NAMING_FIELDS and field.source is not Source.TEXT:
        return []
    match = NAMES.search(field.value[:_LONG_TEXT])
    if match is None and names_programme:
        match = PROGRAMMES.search(field.value[:_LONG_TEXT])
    if match is None:
        return []
    name = match.group(0).lower()
    by = next((maker for key, maker in MAKERS.items() if name.startswith(key)), "openai" if name.startswith("dall") else "stability ai")
    strength = MEDIUM if names_programme else WEAK
    return [Statement(Says.GENERATED, "generator_name", by, field.where, strength, f"{field.name} names {match.group(0)}", field.late)]


def _grok(metadata: Metadata) -> list[Statement]:
    """Grok signs its pictures with a pair: a signature as description and a UUID as artist."""
    description, artist = metadata.exif.text("ImageDescription"), metadata.exif.text("Artist")
    if description is None or artist is None or not _GROK_SIGNATURE.match(description) or not _UUID.match(artist):
        return []
    return [Statement(Says.GENERATED, "grok_signature", "xai", "exif", _GROK_STRENGTH, "xAI Grok: signature and artist id")]


def hidden_name(alpha: npt.NDArray[np.uint8]) -> str | None:
    """The magic word in the lowest bits of the alpha plane, read column by column; null where there is none."""
    rows = alpha.shape[0]
    if alpha.size < _STEALTH_BITS:
        return None
    columns = -(-_STEALTH_BITS // rows)
    bits = (alpha[:, :columns] & 1).T.reshape(-1)[:_STEALTH_BITS]
    word = np.packbits(bits).tobytes()
    return word.decode() if word in _STEALTH else None


def alpha_of(picture: Picture) -> npt.NDArray[np.uint8] | None:
    """The alpha plane, null where there is none or the pixels cannot be had: the metadata speak all the same."""
    try:
        return picture.alpha
    except UnreadableError:
        return None


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """The strongest mark, 0 to 0.75; null when the file carries none."""
    return answer(VOICE, statements(picture.metadata, alpha_of(picture)))


EXAMPLES: tuple[Example, ...] = (
    Example("a camera photo", examples.camera_jpeg, unavailable="no_marker"),
    Example(
        "settings of Stable Diffusion web UI", lambda: examples.png_with_text(("parameters", "a cat\nSteps: 20, Sampler: Euler a, Seed: 1")), 0.6, 0.6
    ),
    Example("a person called Leonardo", lambda: examples.jpeg(exif=examples.exif({0x013B: "Leonardo Rossi"})), unavailable="no_marker"),
)
