"""What an image signal says: a number or the reason for none, the findings behind it and, where it can, a map of where.

`value` runs from 0 (nothing against the picture) to 1 (not an authentic first-hand photo); it is no probability and no verdict.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

HeatMap: TypeAlias = npt.NDArray[np.uint8]
"""A coarse map over the whole picture, rows by columns, 0 (nothing) to 255 (strongest)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle in shares of the picture's width and height, 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """ValueError: the rectangle is empty, turned round or outside the picture."""
        if not (0.0 <= self.left < self.right <= 1.0 and 0.0 <= self.top < self.bottom <= 1.0):
            message = f"region {self!r} is no rectangle inside the picture; expected 0 <= left < right <= 1 and 0 <= top < bottom <= 1"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFinding:
    """One thing that a signal saw: a stable reason code, how strong it is alone (0 to 1), and one line for the analyst."""

    code: str
    signal: str
    strength: float
    detail: str
    region: Region | None = None

    def __post_init__(self) -> None:
        """ValueError: the strength lies outside 0 to 1."""
        if not 0.0 <= self.strength <= 1.0:
            message = f"finding {self.code} has strength {self.strength}; expected 0 to 1"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalResult:
    """One signal's answer for one piece of evidence: `value` in [0, 1], or null and then `unavailable` is the reason in one word."""

    signal: str
    version: int
    value: float | None = None
    unavailable: str | None = None
    findings: tuple[ImageFinding, ...] = ()
    map: HeatMap | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """ValueError: neither or both of value and reason, or a value outside 0 to 1."""
        if (self.value is None) == (self.unavailable is None):
            message = f"signal {self.signal} has value {self.value!r} and unavailable {self.unavailable!r}; expected exactly one of them"
            raise ValueError(message)
        if self.value is not None and not 0.0 <= self.value <= 1.0:
            message = f"signal {self.signal} has value {self.value}; expected 0 to 1"
            raise ValueError(message)

    def as_json(self) -> dict[str, Any]:
        """The answer as plain JSON types, without the map."""
        return {
            "signal": self.signal,
            "version": self.version,
            "value": self.value,
            "unavailable": self.unavailable,
            "findings": [finding_as_json(finding) for finding in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """A picture that was shown before: in the request of `request_id` and `account_id` (null: not known), or known as `origin` (a catalogue, a page).

    `distance` is how many of 256 bits differ (0: the same file or none), `form` how it was recognised, `whole` whether all of it is shown.
    """

    sha256: str
    other_sha256: str
    distance: int
    form: str
    whole: bool
    evidence_id: str = ""
    request_id: str | None = None
    account_id: str | None = None
    origin: str | None = None


def finding_as_json(finding: ImageFinding) -> dict[str, Any]:
    """The finding as plain JSON types; `region` is [left, top, right, bottom] or null."""
    region = finding.region
    return {
        "code": finding.code,
        "signal": finding.signal,
        "strength": finding.strength,
        "detail": finding.detail,
        "region": None if region is None else [region.left, region.top, region.right, region.bottom],
    }
