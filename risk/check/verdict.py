"""The verdict on one picture or film: all that was measured and seen, weighed by rules that a person can read. Pure.

No unsigned marker decides alone, scores of different models are never compared, a verdict that flips between deliveries is `unsure`, and `authentic`
needs a positive ground; what was not checked stands beside it. `unsure` is a full answer: it says why, and what to ask the buyer for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from data_contracts.signal import ImageFinding, finding_as_json
from features.image.measure import Measured
from models.authenticity.judgement import Judgement
from risk.check.asks import Ask, Why, asks, handwritten
from risk.check.case import MANIFEST, NETWORK, PATCHES, VERSION, Case
from risk.check.case import build as build_case
from risk.check.order_facts import OrderFacts
from risk.evidence.sight import Absent, Anomaly

_SURE, _STRONG, _LIKELY = 0.98, 0.9, 0.8
_WORDS = {_SURE: "proven", _STRONG: "strong", _LIKELY: "likely"}


class CheckVerdict(StrEnum):
    """What a person is told."""

    AUTHENTIC = "authentic"
    EDITED = "edited"
    GENERATED = "generated"
    UNSURE = "unsure"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a verdict stands on: the code or name of it, and how far it goes (0 to 1)."""

    verdict: CheckVerdict
    certainty: float
    standing_on: tuple[str, ...]


_BANDS = {CheckVerdict.AUTHENTIC: (0.0, 0.3), CheckVerdict.UNSURE: (0.3, 0.7)}
"""Where the scores of these verdicts lie; an accusation's score is its certainty, 0.8 and more."""
_NONE = Ground(CheckVerdict.UNSURE, 0.0, ())
_ACCUSING = frozenset({CheckVerdict.EDITED, CheckVerdict.GENERATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The answer for one file.

    `score`: 0 to 1, higher is less authentic: to 0.3 authentic, from 0.8 edited or generated, between them unsure; null for an unreadable file.
    `certainty`: proven, strong or likely, null where nothing is claimed; `standing_on` says on what. `why`: why it is unsure.
    `ask_for`: what to ask the buyer for, best first; `code`: what she is asked to write on a slip of paper.
    """

    sha256: str
    kind: str
    verdict: CheckVerdict
    score: float | None
    certainty: str | None
    standing_on: tuple[str, ...]
    why: tuple[Why, ...]
    findings: tuple[ImageFinding, ...]
    unavailable: tuple[tuple[str, str], ...]
    ask_for: tuple[Ask, ...]
    code: str
    versions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The answer as plain JSON types."""
        return {
            "sha256": self.sha256,
            "kind": self.kind,
            "verdict": self.verdict.value,
            "score": self.score,
            "findings": [finding_as_json(finding) for finding in self.findings],
            "unavailable": [{"signal": signal, "reason": reason} for signal, reason in self.unavailable],
            "versions": dict(self.versions),
            "certainty": self.certainty,
            "standing_on": list(self.standing_on),
            "why": [why.value for why in self.why],
            "ask_for": [ask.value for ask in self.ask_for],
            "handwritten_code": self.code,
        }


def conclude(
    measured: Measured,
    judged: Judgement | Absent | None = None,
    anomaly: Anomaly | Absent | None = None,
    order: OrderFacts | None = None,
    file: str = "",
) -> Check:
    """Weigh everything. `file` is the name under which the order's facts may hold counts of this file."""
    case = build_case(measured, judged, anomaly, order, file)
    if measured.unreadable is not None:
        return _check(case, Ground(CheckVerdict.UNREADABLE, 0.0, (measured.unreadable,)))
    grounds = [ground for rule in (_generated, _edited, _authentic) if (ground := rule(case)) is not None]
    best = max(grounds, key=lambda ground: ground.certainty, default=_NONE)
    if best.verdict in _ACCUSING and best.certainty < _SURE and case.signed("IMAGE_SIGNED_CAPTURED"):
        return _check(case, _NONE, Why.SOURCES_DISAGREE)
    return _check(case, best)


def _generated(case: Case) -> Ground | None:
    """A signed statement, the network with its re-deliveries, or an unsigned mark that something of another kind confirms."""
    by_network = case.network_says("generated")
    marks = case.unsigned_marks
    if case.signed("IMAGE_SIGNED_GENERATED"):
        return Ground(CheckVerdict.GENERATED, _SURE, ("IMAGE_SIGNED_GENERATED",))
    if case.spoofed:
        return Ground(CheckVerdict.GENERATED, _LIKELY, (NETWORK,)) if by_network else None
    if case.whole_manifest_says("IMAGE_MARKED_GENERATED"):
        return Ground(CheckVerdict.GENERATED, _STRONG, (MANIFEST,))
    if by_network:
        return Ground(CheckVerdict.GENERATED, _STRONG if marks else _LIKELY, (NETWORK, *sorted(marks)))
    confirmed = ("aigc_label" in marks or "visible_marks" in marks) and len(marks) > 1
    return Ground(CheckVerdict.GENERATED, _LIKELY, tuple(sorted(marks))) if confirmed and not case.network_says("authentic") else None


def _edited(case: Case) -> Ground | None:
    """A signed statement, the patch map, or an editor's mark that the pixels or the thumbnail confirm."""
    traces = case.traces_of_editing
    if case.signed("IMAGE_SIGNED_RETOUCHED"):
        return Ground(CheckVerdict.EDITED, _SURE, ("IMAGE_SIGNED_RETOUCHED",))
    if not case.spoofed and (case.whole_manifest_says("IMAGE_MARKED_RETOUCHED") or case.whole_manifest_says("IMAGE_MARKED_EDITED")):
        return Ground(CheckVerdict.EDITED, _STRONG, (MANIFEST,))
    if case.patches_say("edited"):
        return Ground(CheckVerdict.EDITED, _STRONG if traces or case.editor_named else _LIKELY, (PATCHES, *sorted(traces)))
    if case.editor_named and traces:
        return Ground(CheckVerdict.EDITED, _LIKELY, ("IMAGE_MARKED_EDITED", *sorted(traces)))
    return None


def _authentic(case: Case) -> Ground | None:
    """A trusted camera signature; or the network, the patches clean where they are judged, and nothing that speaks against the file."""
    if case.against:
        return None
    if case.signed("IMAGE_SIGNED_CAPTURED"):
        return Ground(CheckVerdict.AUTHENTIC, _SURE, ("IMAGE_SIGNED_CAPTURED",))
    if case.network_says("authentic") and (case.patches_say("clean") or not case.patches_judge):
        return Ground(CheckVerdict.AUTHENTIC, _LIKELY, (NETWORK, PATCHES) if case.patches_judge else (NETWORK,))
    return None


def _check(case: Case, ground: Ground, *more: Why) -> Check:
    verdict = ground.verdict
    why = tuple(dict.fromkeys((*more, *case.doubts))) if verdict is CheckVerdict.UNSURE else ()
    return Check(
        sha256=case.measured.sha256,
        kind=case.measured.kind,
        verdict=verdict,
        score=None if verdict is CheckVerdict.UNREADABLE else _score(case, ground),
        certainty=_WORDS.get(ground.certainty),
        standing_on=ground.standing_on,
        why=why,
        findings=case.findings,
        unavailable=case.unavailable,
        ask_for=asks(verdict.value, why, from_camera=case.from_camera, film=case.measured.kind == "video"),
        code=handwritten(case.measured.sha256),
        versions={**case.versions, "check": VERSION},
    )


def _score(case: Case, ground: Ground) -> float:
    """Where in the verdict's own band: so a higher score is always less authentic, whichever model spoke."""
    if ground.verdict not in _BANDS:
        return ground.certainty
    low, high = _BANDS[ground.verdict]
    if ground.verdict is CheckVerdict.AUTHENTIC:
        share = 0.0 if ground.certainty == _SURE or case.network_score is None else case.network_score
    else:
        share = max(case.strongest, 0.5 if case.network_score is None else case.network_score)
    return round(low + (high - low) * share, 4)
