"""Was this picture sent before, by anybody, or taken from the shop's catalogue or the web?

Idea: PDQ fingerprints (`fingerprint.py`) and an exact search among them (`reuse_library.py`). Found are recompressed, resized, framed, captioned,
mirrored and turned copies, screenshots, and crops that keep a corner or the middle; not found are small crops from elsewhere in a picture.
Known false alarms: the same article photographed for a catalogue and honestly shown again by its buyer; a chat forwarded twice in one case (`own`).
Unrelated pictures are far apart: of 870,000 pairs of the shelf one came within the limit, and it is one picture under two names.
Quality gate: enough detail for PDQ, and a library to compare with.
"""

from collections.abc import Sequence

from data_contracts.signal import ImageFinding, SignalResult
from features.image import examples
from features.image.fingerprint import Print, to_index, to_query
from features.image.picture import Picture
from features.image.signal_kit import NEAR, Context, Example, Library, Match, Voice

NAME = "reuse"
VERSION = 1
CODES: tuple[str, ...] = ("IMAGE_REUSED",)
VOICE = Voice(NAME, VERSION)

_SAME, _PART = 0.7, 0.5
_SHOWN = 10


def judge(prints: Sequence[Print], library: Library | None, own: frozenset[str] = frozenset()) -> SignalResult:
    """The signal from fingerprints alone: for callers that decode in one process and keep the library in another."""
    if library is None:
        return VOICE.silent("no_library")
    if not prints:
        return VOICE.silent("too_plain")
    matches = [match for match in library.find(prints) if match.image_id not in own]
    findings = [_finding(match) for match in matches[:_SHOWN]]
    return VOICE.says(max((item.strength for item in findings), default=0.0), findings)


def _finding(match: Match) -> ImageFinding:
    strength = (_SAME if match.whole else _PART) * (1.0 if match.distance <= NEAR else 0.8)
    return VOICE.finding(
        "IMAGE_REUSED", round(strength, 3), f"{match.distance} of 256 bits from {match.image_id}, recognised {match.form.replace('_', ' ')}"
    )


def measure(picture: Picture, context: Context) -> SignalResult:
    """0 for a picture not seen before, up to 0.7 for a sure copy; null without a library, or for a picture without detail."""
    if context.library is None:
        return VOICE.silent("no_library")
    return judge(to_query(picture), context.library, context.own)


def _library() -> Library:
    from features.image.reuse_library import ReuseLibrary

    library = ReuseLibrary()
    library.add("an earlier photo", to_index(Picture(examples.jpeg())))
    return library


class _Earlier:
    """A library of one picture, made when it is first asked."""

    def find(self, prints: Sequence[Print]) -> tuple[Match, ...]:
        """As ReuseLibrary."""
        return _library().find(prints)


EXAMPLES: tuple[Example, ...] = (
    Example("no library", examples.jpeg, unavailable="no_library"),
    Example(
        "the same photo, mirrored and recompressed",
        lambda: examples.jpeg(examples.scene()[:, ::-1], 50),
        0.7,
        0.7,
        context=Context(library=_Earlier()),
    ),
    Example("another photo", lambda: examples.jpeg(examples.scene(seed=99)), 0.0, 0.0, context=Context(library=_Earlier())),
)
