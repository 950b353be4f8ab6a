"""Everything that is known of one picture, put so that the rules of the verdict (`verdict.py`) can ask for it in words. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from data_contracts.reason import REASONS
from data_contracts.signal import ImageFinding
from features.image.measure import Measured
from models.authenticity.judgement import Doubt, Judgement, Verdict
from risk.check.asks import Why
from risk.check.order_facts import OrderFacts
from risk.evidence.sight import Absent, Anomaly

VERSION = "1"
"""Of the rules: raised when the same measurements would give another verdict."""
NETWORK, PATCHES, MANIFEST = "network", "patches", "c2pa_manifest"
_NOBODY_JUDGES = frozenset({"not_installed", "only_on_request", "map_only"})

_COUNTS = 0.2
"""A finding against the file that is weaker than this is shown, but holds nothing back."""
_MARK = 0.5
"""An unsigned mark that is weaker than this (a name in a description, a label that says `suspected`) confirms nothing."""
_WHOLE_GENERATED, _WHOLE_EDITED = 0.7, 0.2
"""How strong a whole manifest's statement must be: crops and brightening stay below."""
_TRACE = 0.5
_SAID_FROM = {"IMAGE_REDELIVERED": 0.05, "IMAGE_IS_SCREENSHOT": 0.2, "IMAGE_IS_SCAN": 0.1}
"""A guess about the file's way that is weaker than this is no finding: its sentence would be said of too many files of which it is not so."""
_UNSIGNED = frozenset({"aigc_label", "iptc_source", "generator_markers", "visible_marks", "hidden_watermark"})
_SPOOF = frozenset({"IMAGE_MARKS_CONFLICT", "IMAGE_MARK_APPENDED", "IMAGE_SIGNATURE_BROKEN"})
_MARKED_AI = frozenset({"IMAGE_MARKED_GENERATED", "IMAGE_VISIBLE_AI_LABEL"})
_DOUBTS = {
    Doubt.TOO_SMALL: Why.TOO_SMALL,
    Doubt.UNLIKE_TRAINING: Why.UNLIKE_TRAINING,
    Doubt.SCORES_BETWEEN: Why.SCORES_BETWEEN,
    Doubt.DELIVERIES_DISAGREE: Why.DELIVERIES_DISAGREE,
}
_WHY_BY_CODE = {
    **dict.fromkeys(_SPOOF, Why.MARKS_CONFLICT),
    **dict.fromkeys((*_MARKED_AI, "IMAGE_MARKED_RETOUCHED"), Why.UNSIGNED_MARK),
    "IMAGE_PATCHES_UNSURE": Why.REGION_STANDS_OUT,
    "IMAGE_LOOKS_EDITED": Why.REGION_STANDS_OUT,
    "IMAGE_REUSED": Why.SEEN_BEFORE,
    **dict.fromkeys(("IMAGE_TIME_MISMATCH", "IMAGE_PLACE_MISMATCH", "IMAGE_COUNT_MISMATCH"), Why.ORDER_MISMATCH),
    **dict.fromkeys(("IMAGE_IS_SCREENSHOT", "IMAGE_IS_SCAN", "IMAGE_OF_SCREEN"), Why.NOT_FIRST_HAND),
    "IMAGE_CAMERA_MISMATCH": Why.FILE_CHANGED,
}


@dataclass(frozen=True)
class Case:
    """One picture's case. `findings` are all of them, the strongest first."""

    measured: Measured
    judged: Judgement | None
    anomaly: Anomaly | None
    findings: tuple[ImageFinding, ...]
    unavailable: tuple[tuple[str, str], ...]

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of all findings."""
        return frozenset(finding.code for finding in self.findings)

    @property
    def spoofed(self) -> bool:
        """The file's marks contradict one another, stand where none belongs or do not fit the file: none of them is believed."""
        return bool(self.codes & _SPOOF)

    def signed(self, code: str) -> bool:
        """Whether a manifest whose signer is trusted says so."""
        return code in self.codes

    def whole_manifest_says(self, code: str) -> bool:
        """Whether a manifest that fits the file says so with weight; nobody vouches for its signer."""
        least = _WHOLE_GENERATED if code == "IMAGE_MARKED_GENERATED" else _WHOLE_EDITED
        said = [finding for finding in self.findings if finding.signal == MANIFEST and finding.code == code and finding.strength >= least]
        return bool(said) and "IMAGE_SIGNATURE_WHOLE" in self.codes

    @cached_property
    def unsigned_marks(self) -> frozenset[str]:
        """The signals that read an unsigned mark of a generator."""
        return frozenset(
            finding.signal for finding in self.findings if finding.signal in _UNSIGNED and finding.code in _MARKED_AI and finding.strength >= _MARK
        )

    @property
    def editor_named(self) -> bool:
        """An editor or a retouching model names itself."""
        return bool(self.codes & {"IMAGE_MARKED_EDITED", "IMAGE_MARKED_RETOUCHED"})

    @cached_property
    def traces_of_editing(self) -> frozenset[str]:
        """The signals that see an edit in the pixels or the thumbnail."""
        told = {"IMAGE_LOOKS_EDITED", "IMAGE_CAMERA_MISMATCH"}
        return frozenset(
            finding.signal for finding in self.findings if finding.code in told and finding.strength >= _TRACE and finding.signal != PATCHES
        )

    @property
    def against(self) -> tuple[ImageFinding, ...]:
        """What speaks against the file with weight."""
        return tuple(finding for finding in self.findings if REASONS[finding.code].speaks == "against" and finding.strength >= _COUNTS)

    @property
    def strongest(self) -> float:
        """How strong the strongest of them is, 0 to 1."""
        return max((finding.strength for finding in self.against), default=0.0)

    @property
    def from_camera(self) -> bool:
        """The file looks as a camera wrote it."""
        return "IMAGE_FROM_CAMERA" in self.codes

    def network_says(self, verdict: str) -> bool:
        """Whether the network gave that verdict."""
        return self.judged is not None and self.judged.verdict.value == verdict

    def patches_say(self, verdict: str) -> bool:
        """Whether the patch map gave that verdict."""
        return self.anomaly is not None and self.anomaly.verdict == verdict

    @property
    def patches_judge(self) -> bool:
        """Whether patches are judged in this installation; a map that is only drawn says nothing."""
        return dict(self.unavailable).get(PATCHES) not in _NOBODY_JUDGES

    @property
    def network_score(self) -> float | None:
        """The network's own score; comparable only with those of the same model."""
        return self.judged.score if self.judged is not None else None

    @property
    def doubts(self) -> tuple[Why, ...]:
        """Why nothing can be concluded, in the order of `Why`."""
        found = {_WHY_BY_CODE[finding.code] for finding in (*self.against, *self._open) if finding.code in _WHY_BY_CODE}
        if self.judged is not None:
            found |= {_DOUBTS[doubt] for doubt in self.judged.doubts}
        if self.judged is None or (self.anomaly is None and self.patches_judge) or not found:
            found.add(Why.NOT_CHECKED)
        return tuple(why for why in Why if why in found)

    @property
    def _open(self) -> tuple[ImageFinding, ...]:
        return tuple(finding for finding in self.findings if finding.code in {"IMAGE_PATCHES_UNSURE", "IMAGE_IS_SCAN"})

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Who spoke: signal or model -> version."""
        found = {result.signal: str(result.version) for result in self.measured.results}
        if self.judged is not None:
            found[NETWORK] = self.judged.model
        if self.anomaly is not None:
            found[PATCHES] = self.anomaly.version
        return found


def build(measured: Measured, judged: Judgement | Absent | None, anomaly: Anomaly | Absent | None, order: OrderFacts | None, file: str) -> Case:
    """Put the case together."""
    absent = {NETWORK: judged, PATCHES: anomaly}
    seen, map_seen = (judged if isinstance(judged, Judgement) else None), (anomaly if isinstance(anomaly, Anomaly) else None)
    missing = [(name, found.reason if isinstance(found, Absent) else "not_asked") for name, found in absent.items() if _is_absent(found)]
    if map_seen is not None and map_seen.verdict == "drawing":
        missing.append((PATCHES, "map_only"))
    if seen is not None and Doubt.TOO_SMALL in seen.doubts:
        missing.append((NETWORK, Doubt.TOO_SMALL.value))
    findings = [finding for result in measured.results for finding in result.findings if finding.strength >= _SAID_FROM.get(finding.code, 0.0)]
    findings += [*_unreadable(measured), *_by_network(seen), *_by_patches(map_seen), *(order.findings(file) if order is not None else ())]
    return Case(measured, seen, map_seen, tuple(sorted(findings, key=lambda finding: -finding.strength)), (*measured.unavailable.items(), *missing))


def _is_absent(found: object) -> bool:
    return found is None or isinstance(found, Absent)


def _unreadable(measured: Measured) -> Iterator[ImageFinding]:
    if measured.unreadable is not None:
        problems = f"; {', '.join(measured.problems)}" if measured.problems else ""
        yield ImageFinding(code="IMAGE_UNREADABLE", signal="pixels", strength=0.0, detail=f"{measured.format}: {measured.unreadable}{problems}")


def _by_network(judged: Judgement | None) -> Iterator[ImageFinding]:
    if judged is None or judged.score is None:
        return
    said = f"score {judged.score:.3f} of {judged.encoder}"
    if judged.verdict is Verdict.GENERATED:
        yield _network("IMAGE_LOOKS_GENERATED", judged.score, f"{said}, the same after two re-deliveries")
    elif judged.verdict is Verdict.AUTHENTIC:
        yield _network("IMAGE_LOOKS_AUTHENTIC", 0.0, said)
    elif Doubt.DELIVERIES_DISAGREE in judged.doubts:
        yield _network("IMAGE_VERDICT_FLIPS", 0.0, said)
    else:
        yield _network("IMAGE_NETWORK_UNSURE", 0.0, f"{said}: {', '.join(doubt.value.replace('_', ' ') for doubt in judged.doubts)}")


def _network(code: str, strength: float, detail: str) -> ImageFinding:
    return ImageFinding(code=code, signal=NETWORK, strength=strength, detail=detail)


def _by_patches(anomaly: Anomaly | None) -> Iterator[ImageFinding]:
    if anomaly is None or anomaly.verdict in {"clean", "drawing"}:
        return
    code, strength = ("IMAGE_LOOKS_EDITED", anomaly.score) if anomaly.verdict == "edited" else ("IMAGE_PATCHES_UNSURE", 0.0)
    yield ImageFinding(code=code, signal=PATCHES, strength=strength, detail=f"score {anomaly.score:.3f}", region=anomaly.region)
