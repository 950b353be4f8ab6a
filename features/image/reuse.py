"""Was this picture sent before, by anybody, or taken from the shop's catalogue or the web?

Idea: PDQ fingerprints (`fingerprint.py`) and an exact search among them find the whole picture: recompressed, resized, framed, mirrored, turned.
Local details and their arrangement (`details.py`, `detail_index.py`) find what shows only a part of it: crops from anywhere, captions, screenshots.
Known false alarms: the same article photographed for a catalogue and honestly shown again by its buyer; a chat forwarded twice in one case (`own`);
by details two photos of one scene, a pattern that is printed the same on many packages, and two screenshots of one app. Not found: a mirrored crop.
Measured on the shelf (`benchmarks/image_signals.py`): see the table in this folder's README.
Quality gate: enough detail for PDQ or for six corners, and a library to compare with.
"""

from collections.abc import Sequence

from data_contracts.signal import ImageFinding, SignalResult
from features.image import examples
from features.image.fingerprint import Print, to_index, to_query
from features.image.picture import Picture
from features.image.signal_kit import NEAR, Context, Example, Library, Match, Voice

NAME = "reuse"
VERSION = 2
CODES: tuple[str, ...] = ("IMAGE_REUSED",)
VOICE = Voice(NAME, VERSION)

_SAME, _LIKELY, _PART, _SCENE = 0.7, 0.56, 0.5, 0.4
_MANY = 12
"""Details in one arrangement that two photos of one scene seldom share."""
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


def strength(match: Match) -> float:
    """How sure a copy is: 0.7 for the same picture, less for a part of it and for more bits that differ."""
    return round((_SAME if match.whole else _PART) * (1.0 if match.distance <= NEAR else 0.8), 3)


def _finding(match: Match) -> ImageFinding:
    sure = match.distance <= NEAR or match.details >= _MANY
    strength = (_SAME if sure else _LIKELY) if match.whole else (_PART if sure else _SCENE)
    how = f"recognised {match.form.replace('_', ' ')}" + (f", {match.details} details in the same places" if match.details else "")
    return VOICE.finding("IMAGE_REUSED", strength, f"{match.distance} of 256 bits from {_named(match)}, {how}")


def _named(match: Match) -> str:
    """The earlier picture with its library, and whose request showed it."""
    if match.origin is None:
        return match.image_id
    shown = [f"{word} {value}" for word, value in (("request", match.origin.request_id), ("account", match.origin.account_id)) if value is not None]
    return f"{match.image_id} ({', '.join([match.origin.library, *shown])})"


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
