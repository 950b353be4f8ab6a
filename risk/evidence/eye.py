"""What looks at stored evidence: the sandbox with the models in it, and the shop's own observers. Its answers become measurements.

`generated` and `edited` are what the ranker reads: the models' scores, or what a mark in the file says where that is stronger. A model that
cannot judge says nothing (too small, unlike anything it learnt from); a score between its limits is a score.
Signals that need the order or other evidence (capture time and place, reuse) are not about the bytes alone: they are not kept with them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from data_contracts.signal import ImageFinding, SignalResult
from features.image import capture_place, capture_time, reuse
from features.image.measure import Measured, versions
from features.image.sandbox import Limits
from features.image.signal_kit import Context
from models.authenticity import tower
from models.authenticity.artifact import SHIPPED
from models.authenticity.judgement import Doubt, Judgement
from risk.evidence.sight import Absent, Anomaly, Inspector, Sight
from risk.stores.evidence_rows import Counted, Look, Prints, Said

GENERATED, EDITED = "generated", "edited"
VERSION = 1
"""Of how scores and marks become one number; part of both signals' version."""

OF_THE_ORDER = frozenset({capture_time.NAME, capture_place.NAME, reuse.NAME})
MARKS = {
    GENERATED: frozenset({"IMAGE_MARKED_GENERATED", "IMAGE_SIGNED_GENERATED", "IMAGE_VISIBLE_AI_LABEL"}),
    EDITED: frozenset({"IMAGE_MARKED_EDITED"}),
}
SILENT = (Doubt.TOO_SMALL, Doubt.UNLIKE_TRAINING)
TRANSIENT = frozenset({"timed_out", "crashed"})
"""May be the machine's fault and not the file's: tried twice before it is kept."""


class Observing(Protocol):
    """The shop's own observers (`risk/observers.py`)."""

    @property
    def versions(self) -> Mapping[str, str]:
        """By the name under which an outcome is kept, the observer's version."""

    def observe(self, data: bytes, kind: str) -> tuple[Counted, ...]:
        """What each counted in one file."""


class ImageEye:
    """Looks at one file at a time. `models` and `tower_file` as for the network."""

    def __init__(self, observers: Observing | None = None, models: Path = SHIPPED, tower_file: Path | None = None, *, reading: bool = True) -> None:
        self._observers = observers
        self._reading = reading
        self._models = models_version(models, tower_file or tower.default_path())
        self._inspector = Inspector(models, tower_file, Limits(reading=reading))

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of every signal that a look answers."""
        found = {signal: str(version) for signal, version in versions().items() if signal not in OF_THE_ORDER}
        found |= {GENERATED: f"{VERSION}:{self._models}", EDITED: f"{VERSION}:{self._models}"}
        return found | (dict(self._observers.versions) if self._observers is not None else {})

    def look(self, data: bytes) -> Look:
        """All that can be said about one file. SourceUnavailableError: the child cannot be started."""
        seen = self._inspector.inspect(data, Context(), keep=True, read=self._reading)
        if seen.measured.unreadable in TRANSIENT:
            seen = self._inspector.inspect(data, Context(), keep=True, read=self._reading)
        measured = seen.measured
        counted = () if self._observers is None else self._observers.observe(data, measured.kind)
        return Look(
            sha256=measured.sha256,
            version=reuse.VERSION,
            kind=measured.kind,
            format=measured.format,
            unreadable=measured.unreadable,
            prints=Prints(measured.for_query, measured.for_index),
            said=(*said_by(measured, seen.sight, self.versions), *(outcome(each) for each in counted)),
            counted=counted,
        )

    def close(self) -> None:
        """End the child."""
        self._inspector.sandbox.close()


def said_by(measured: Measured, sight: Sight, wanted: Mapping[str, str]) -> tuple[Said, ...]:
    """Every wanted signal's answer; one that gave none has the reason."""
    answered = {result.signal: result for result in measured.results}
    found = [_said(answered.get(signal), signal, version, measured) for signal, version in wanted.items() if signal in versions()]
    findings = [finding for result in measured.results for finding in result.findings]
    for signal, model in ((GENERATED, _generated(sight.judged)), (EDITED, _edited(sight.anomaly))):
        if signal in wanted:
            found.append(together(signal, wanted[signal], model, [each for each in findings if each.code in MARKS[signal]]))
    return tuple(found)


def together(signal: str, version: str, model: float | str, marks: Sequence[ImageFinding]) -> Said:
    """The model's score, or why there is none, with the marks that say the same."""
    strongest = max((mark.strength for mark in marks), default=0.0)
    if isinstance(model, str):
        return Said(signal, version, strongest, None, tuple(marks)) if strongest > 0.0 else Said(signal, version, None, model)
    return Said(signal, version, max(model, strongest), None, tuple(marks))


def models_version(folder: Path, tower_file: Path) -> str:
    """Changes whenever a shipped model or the choice among them does: the hash of their cards, and which encoder is installed."""
    cards = hashlib.sha256()
    for card in sorted(folder.glob("*.json")):
        cards.update(card.read_bytes())
    return f"{cards.hexdigest()[:12]}-{'tower' if tower_file.is_file() else 'light'}"


def _said(result: SignalResult | None, signal: str, version: str, measured: Measured) -> Said:
    if result is None:
        return Said(signal, version, None, measured.unreadable or "not_asked")
    return Said(signal, version, result.value, result.unavailable, result.findings)


def _generated(judged: Judgement | Absent) -> float | str:
    if isinstance(judged, Absent):
        return judged.reason
    doubt = next((each for each in judged.doubts if each in SILENT), None)
    if judged.score is None or doubt is not None:
        return str(doubt or "no_score")
    return judged.score


def _edited(anomaly: Anomaly | Absent) -> float | str:
    return anomaly.reason if isinstance(anomaly, Absent) else anomaly.score


def outcome(counted: Counted) -> Said:
    """That an observer looked at a file, or why it gave nothing: kept like a signal, so that it is asked once a version."""
    return Said(f"observer:{counted.observer}"[:64], str(counted.version), None if counted.failed else 1.0, counted.failed)
