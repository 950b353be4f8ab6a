"""Did an ordinary editor save this file?

Idea: editors name themselves in Software, CreatorTool and their history. An edit is no offence: cropping, brightening and privacy blurs are
ordinary, so this is a feature and never a reason to refuse. Known false alarms: every phone owner who uses Snapseed or Lightroom.
Quality gate: the name must stand in a field that names a programme, or in the history of an XMP packet.
"""

import re

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.metadata import Field, Metadata, Source
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice
from features.image.statements import CODES as _CODES
from features.image.statements import Says, Statement, answer

NAME = "editor_markers"
VERSION = 1
CODES: tuple[str, ...] = tuple(sorted(set(_CODES.values())))
VOICE = Voice(NAME, VERSION)

_EDITORS: tuple[tuple[str, re.Pattern[str], float], ...] = tuple(
    (by, re.compile(pattern, re.IGNORECASE), strength)
    for by, pattern, strength in (
        ("adobe", r"\badobe photoshop (lightroom|camera raw)|\blightroom\b|\bcamera raw\b", 0.15),
        ("adobe", r"\bphotoshop\b", 0.3),
        ("meitu", r"\bmeitu|美图", 0.3),
        ("picsart", r"\bpicsart\b", 0.3),
        ("xingtu", r"醒图|\bxingtu\b|\bhypic\b", 0.3),
        ("snapseed", r"\bsnapseed\b", 0.2),
        ("vsco", r"\bvsco\b", 0.15),
        ("gimp", r"\bgimp\b", 0.3),
        ("affinity", r"\baffinity (photo|designer)", 0.3),
        ("pixelmator", r"\bpixelmator\b", 0.3),
        ("paint.net", r"\bpaint\.net\b", 0.3),
        ("canva", r"\bcanva\b", 0.3),
        ("facetune", r"\bfacetune\b", 0.3),
        ("capcut", r"\bcapcut\b|剪映", 0.3),
        ("polarr", r"\bpolarr\b", 0.2),
        ("inshot", r"\binshot\b", 0.3),
        ("picwish", r"\bpicwish\b", 0.3),
        ("topaz", r"\btopaz (photo|gigapixel|labs)", 0.3),
        ("asus gallery", r"\bcom\.asus\.gallery\b", 0.1),
    )
)
_FIELDS = {
    Source.EXIF: frozenset({"software", "hostcomputer"}),
    Source.XMP: frozenset({"xmp:creatortool", "stevt:softwareagent", "tiff:software"}),
    Source.TEXT: frozenset({"software"}),
    Source.IPTC: frozenset({"originatingprogram"}),
    Source.TAG: frozenset({"\xa9too", "\xa9swr", "writingapp", "isft"}),
}


def statements(metadata: Metadata) -> list[Statement]:
    """Every ordinary editor that names itself."""
    return [statement for field in metadata.fields for statement in _statement(field)]


def _statement(field: Field) -> list[Statement]:
    if field.name.lower() not in _FIELDS.get(field.source, frozenset()):
        return []
    for by, pattern, strength in _EDITORS:
        if pattern.search(field.value):
            return [Statement(Says.EDITED, "editor", by, field.where, strength, f"saved by {field.value.strip()[:60]}", field.late)]
    return []


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """0.1 to 0.3 where an editor names itself; null when none does."""
    return answer(VOICE, statements(picture.metadata))


EXAMPLES: tuple[Example, ...] = (
    Example("a camera photo", examples.camera_jpeg, unavailable="no_marker"),
    Example("saved by Photoshop", lambda: examples.jpeg(exif=examples.exif({0x0131: "Adobe Photoshop 25.1 (Windows)"})), 0.3, 0.3),
)
