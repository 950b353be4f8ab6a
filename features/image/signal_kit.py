"""What every signal module has in common: its context, its examples, and how it states an answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from data_contracts.signal import HeatMap, ImageFinding, Region, SignalResult
from features.image.fingerprint import Print
from features.image.picture import Picture

NEAR = 31
"""Bits, of 256, within which two fingerprints are the same picture beyond doubt."""
FAR = 47
"""Bits beyond which they are not said to be."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an earlier picture comes from: the name of its library, and the request and account that showed it; null where none did."""

    library: str
    request_id: str | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier picture that this one shows again: its id, how many of 256 bits differ, and in which form it was recognised.

    `details` counts the local details found in one arrangement. A match by details alone is not `whole`: the two may share a part, or a scene;
    its distance is the median of its details and never within NEAR.
    """

    image_id: str
    distance: int
    form: str
    whole: bool
    origin: Origin | None = None
    details: int = 0


class Library(Protocol):
    """Whatever can find earlier pictures by fingerprint."""

    def find(self, prints: Sequence[Print]) -> tuple[Match, ...]:
        """Every earlier picture that one of the prints is near to, nearest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What else is known when a picture is judged; null in any field: not known.

    `library` finds earlier pictures; `own` are the ids in it that belong to the same request and are no reuse.
    `place` is (latitude, longitude) in degrees of where the goods were delivered, as coarse as the caller likes.
    `trust_anchors` is a PEM text of the certificate authorities whose C2PA signers are trusted.
    """

    ordered_at: datetime | None = None
    delivered_at: datetime | None = None
    claimed_at: datetime | None = None
    place: tuple[float, float] | None = None
    trust_anchors: str | None = None
    library: Library | None = None
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Example:
    """A picture made on the spot and what the signal must say: a value between `low` and `high`, or the reason for none."""

    name: str
    make: Callable[[], bytes]
    low: float | None = None
    high: float | None = None
    unavailable: str | None = None
    context: Context = Context()


@runtime_checkable
class Signal(Protocol):
    """The shape of a signal module. VERSION is part of the cache key: raise it when the same bytes would measure differently."""

    NAME: str
    VERSION: int
    CODES: tuple[str, ...]
    EXAMPLES: tuple[Example, ...]

    def measure(self, picture: Picture, context: Context) -> SignalResult:
        """Judge one picture. UnreadableError: the pixels that it needs cannot be had."""
        ...


@dataclass(frozen=True, slots=True)
class Voice:
    """The name and version under which one module answers."""

    name: str
    version: int

    def silent(self, reason: str) -> SignalResult:
        """No answer, with the reason in one word."""
        return SignalResult(signal=self.name, version=self.version, unavailable=reason)

    def says(self, value: float, findings: Sequence[ImageFinding] = (), heat: HeatMap | None = None) -> SignalResult:
        """A value with what it stands on."""
        return SignalResult(signal=self.name, version=self.version, value=value, findings=tuple(findings), map=heat)

    def finding(self, code: str, strength: float, detail: str, region: Region | None = None) -> ImageFinding:
        """One finding of this signal."""
        return ImageFinding(code=code, signal=self.name, strength=strength, detail=detail, region=region)
