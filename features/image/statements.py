"""What markers say, in one shape: every provenance reader turns its fields into statements, one module compares them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from data_contracts.signal import ImageFinding, SignalResult
from features.image.signal_kit import Voice


class Says(StrEnum):
    """The content of a statement."""

    GENERATED = "generated"  # the whole picture was made by a model
    SUSPECTED = "suspected"  # a platform thinks so
    RETOUCHED = "retouched"  # a model changed a part of it
    EDITED = "edited"  # an ordinary editor saved it
    CAPTURED = "captured"  # a camera took it
    SCREEN = "screen"  # it is a picture of a screen
    NOTE = "note"  # worth showing, says nothing for or against


AI = frozenset({Says.GENERATED, Says.SUSPECTED, Says.RETOUCHED})
"""The statements that a model had its hand in it."""

CODES: dict[Says, str] = {
    Says.GENERATED: "IMAGE_MARKED_GENERATED",
    Says.SUSPECTED: "IMAGE_MARKED_GENERATED",
    Says.RETOUCHED: "IMAGE_MARKED_RETOUCHED",
    Says.EDITED: "IMAGE_MARKED_EDITED",
    Says.CAPTURED: "IMAGE_MARKED_CAPTURED",
    Says.SCREEN: "IMAGE_IS_SCREENSHOT",
    Says.NOTE: "IMAGE_MARK_NOTE",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One marker: what it says, whose it is (lower case, empty where it names nobody), where it stood, how strong it is alone (0 to 1)."""

    says: Says
    marker: str
    by: str
    where: str
    strength: float
    detail: str
    late: bool = False


def answer(voice: Voice, statements: Sequence[Statement]) -> SignalResult:
    """The strongest adverse statement is the value; no statement at all is no answer, for absence is not cleanness."""
    if not statements:
        return voice.silent("no_marker")
    value = max((item.strength for item in statements if item.says not in {Says.CAPTURED, Says.NOTE}), default=0.0)
    return voice.says(value, [as_finding(voice, item) for item in _strongest(statements)])


def as_finding(voice: Voice, statement: Statement) -> ImageFinding:
    """A statement as a finding."""
    return voice.finding(CODES[statement.says], statement.strength, f"{statement.detail} ({statement.where})")


def _strongest(statements: Sequence[Statement]) -> list[Statement]:
    """Each marker of each maker once, the strongest first; at most sixteen, so that no file can flood an analyst."""
    seen: dict[tuple[str, str, Says], Statement] = {}
    for item in sorted(statements, key=lambda item: -item.strength):
        seen.setdefault((item.marker, item.by, item.says), item)
    return list(seen.values())[:16]
