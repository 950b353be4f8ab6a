"""Does the file's IPTC metadata name a trained model as its source, or name the AI system, or credit one?

Idea: IPTC Photo Metadata 2025.1 (digital source type; AISystemUsed and its companions). These fields are unsigned: anybody writes them,
so they never count as proof. Known false alarms: stock photos whose agency sets compositeSynthetic for computer graphics; news photos with
`composite`. Quality gate: the property must stand under its own namespace in well-formed XMP, or in its own IIM record.
"""

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.metadata import Field, Metadata, Source
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice
from features.image.source_types import says_of
from features.image.statements import CODES as _CODES
from features.image.statements import Says, Statement, answer

NAME = "iptc_source"
VERSION = 1
CODES: tuple[str, ...] = tuple(sorted(set(_CODES.values())))
VOICE = Voice(NAME, VERSION)

_UNSIGNED = 0.6
_TYPES = frozenset({"Iptc4xmpExt:DigitalSourceType", "Iptc4xmpExt:digitalsourcetype", "Iptc4xmpCore:DigitalSourceType"})
_SYSTEM = {
    "Iptc4xmpExt:AISystemUsed": "AI system used",
    "Iptc4xmpExt:AISystemVersionUsed": "AI system version",
    "Iptc4xmpExt:AIPromptInformation": "AI prompt",
    "Iptc4xmpExt:AIPromptWriterName": "AI prompt writer",
}
_CREDITS = {
    "made with google ai": ("google", Says.GENERATED),
    "ai-generated with google photos": ("google", Says.GENERATED),
    "edited with google ai": ("google", Says.RETOUCHED),
    "apple photos clean up": ("apple", Says.RETOUCHED),
}
_CREDIT_FIELDS = frozenset({(Source.XMP, "photoshop:Credit"), (Source.IPTC, "Credit")})
_SHOWN = 80


def statements(metadata: Metadata) -> list[Statement]:
    """What the IPTC fields of a file say."""
    found = []
    for field in metadata.fields:
        statement = _statement(field)
        if statement is not None:
            found.append(statement)
    return found


def _statement(field: Field) -> Statement | None:
    if field.source is Source.XMP and field.name in _TYPES:
        known = says_of(field.value)
        if known is None:
            return None
        says, weight = known
        detail = f"digital source type {field.value.rstrip('/').rpartition('/')[2][:_SHOWN]}"
        return Statement(says, "digital_source_type", "", field.where, round(_UNSIGNED * weight, 3), detail, field.late)
    if field.source is Source.XMP and field.name in _SYSTEM and field.value.strip():
        detail = f"{_SYSTEM[field.name]}: {field.value.strip()[:_SHOWN]}"
        return Statement(Says.GENERATED, field.name.partition(":")[2], "", field.where, _UNSIGNED, detail, field.late)
    if (field.source, field.name) in _CREDIT_FIELDS:
        credit = _CREDITS.get(field.value.strip().lower())
        if credit is not None:
            return Statement(credit[1], "credit", credit[0], field.where, _UNSIGNED, f"credit {field.value.strip()[:_SHOWN]}", field.late)
    return None


def measure(picture: Picture, context: Context) -> SignalResult:  # noqa: ARG001  # one shape for all signals
    """The strongest unsigned IPTC statement, 0 to 0.6; null when the file carries none."""
    return answer(VOICE, statements(picture.metadata))


EXAMPLES: tuple[Example, ...] = (
    Example("a camera photo without IPTC fields", examples.camera_jpeg, unavailable="no_marker"),
    Example("marked as made by a trained model", lambda: examples.with_source_type("trainedAlgorithmicMedia"), 0.6, 0.6),
    Example("marked as a camera capture", lambda: examples.with_source_type("digitalCapture"), 0.0, 0.0),
)
