"""Does the file carry a C2PA manifest, is it bound to these pixels, is its signature good, whose is it, and what does it say?

Idea: the official reader checks; this module keeps its verdicts apart: binding to the asset, the signed assertions, the signature, trust in the
signer (only against anchors that the caller gives; a reader without a trust list cannot know), and validity of the certificate at signing time.
Only all five together make a statement proven; without trust a manifest is an unsigned marker, for anybody can sign as anybody.
No network: remote manifests and OCSP are switched off. Known false alarms: an app that edits the pixels and copies the manifest breaks the binding
without ill intent. Quality gate: the manifest must stand where its container keeps it.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from data_contracts.signal import SignalResult
from features.image import examples
from features.image.container.parts import PartKind
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Voice
from features.image.source_types import says_of
from features.image.statements import AI, Says, Statement, as_finding
from features.image.statements import CODES as _CODES

NAME = "c2pa_manifest"
VERSION = 2
_PROVEN_CODES = {Says.CAPTURED: "IMAGE_SIGNED_CAPTURED", Says.RETOUCHED: "IMAGE_SIGNED_RETOUCHED"}
CODES: tuple[str, ...] = tuple(
    sorted({*_CODES.values(), *_PROVEN_CODES.values(), "IMAGE_SIGNATURE_BROKEN", "IMAGE_SIGNATURE_WHOLE", "IMAGE_SIGNED_GENERATED"})
)
VOICE = Voice(NAME, VERSION)

Outcome: TypeAlias = Literal["passed", "failed", "not_checked"]

_PROVEN, _UNPROVEN, _BROKEN = 1.0, 0.7, 0.6
_MAX_ITEMS = 4096
_EDITS = frozenset(
    {"c2pa.edited", "c2pa.color_adjustments", "c2pa.filtered", "c2pa.cropped", "c2pa.resized", "c2pa.drawing", "c2pa.placed", "c2pa.removed"}
)
_HARMLESS = frozenset({"c2pa.cropped", "c2pa.resized", "c2pa.color_adjustments", "c2pa.orientation"})
_ASSERTION_FAULTS = ("assertion.hashedURI", "assertion.missing", "assertion.undeclared", "assertion.notRedacted", "assertion.json", "assertion.cbor")
_BINDING_FAULTS = (
    "assertion.dataHash",
    "assertion.bmffHash",
    "assertion.boxesHash",
    "assertion.collectionHash",
    "claim.hardBindings",
    "assertion.multipleHard",
)
_SIGNATURE_FAULTS = ("claimSignature", "claim.", "algorithm.", "manifest.", "signingCredential.invalid", "signingCredential.revoked")
_MAKERS = {
    "openai": "openai",
    "chatgpt": "openai",
    "gpt-4o": "openai",
    "sora": "openai",
    "dall": "openai",
    "google": "google",
    "adobe": "adobe",
    "microsoft": "microsoft",
    "stability": "stability ai",
    "black forest": "black forest labs",
    "flux": "black forest labs",
    "volcengine": "bytedance",
    "火山引擎": "bytedance",
    "byteplus": "bytedance",
    "dreamina": "bytedance",
    "tiktok": "bytedance",
    "canva": "canva",
    "eleven": "eleven labs",
    "fal-ai": "fal-ai",
    "bria": "bria",
    "higgsfield": "higgsfield",
    "topaz": "topaz",
    "samsung": "samsung",
    "asus": "asus gallery",
    "truepic": "truepic",
}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The five outcomes, each by itself. `not_checked`: nothing to check it against, or the check could not be reached."""

    binding: Outcome
    assertions: Outcome
    signature: Outcome
    trust: Outcome
    validity: Outcome

    @property
    def intact(self) -> bool:
        """Nothing that the signature covers was changed, as far as could be checked, and the signature itself is good."""
        return self.signature == "passed" and self.binding == "passed" and self.assertions != "failed"

    @property
    def proven(self) -> bool:
        """All five passed."""
        return self.intact and self.assertions == self.trust == self.validity == "passed"

    @property
    def words(self) -> str:
        """One line for the analyst."""
        return ", ".join(f"{name} {getattr(self, name).replace('_', ' ')}" for name in ("binding", "assertions", "signature", "trust", "validity"))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the reader saw: the verdicts, who signed, and the statements of the active manifest and its ingredients."""

    verdicts: Verdicts
    signer: str
    statements: tuple[Statement, ...]


def read_manifest(picture: Picture, context: Context) -> Manifest | str | None:
    """The manifest; a reason in one word where there is one that cannot be read; null where there is none."""
    parts = picture.container.of_kind(PartKind.C2PA)
    if not parts:
        return None
    import c2pa

    anchors = {"trust": {"trust_anchors": context.trust_anchors}} if context.trust_anchors else {}
    settings = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}, **anchors}
    try:
        with c2pa.Context.from_dict(settings) as reading, c2pa.Reader("", io.BytesIO(picture.data), context=reading) as reader:
            report = json.loads(reader.json())
    except c2pa.C2paError:
        return "manifest_broken"
    active = report.get("manifests", {}).get(report.get("active_manifest"))
    if not isinstance(active, dict):
        return "manifest_broken"
    late = all(part.late for part in parts)
    verdicts = _verdicts(report, trust_known=bool(context.trust_anchors))
    return Manifest(verdicts, _signer(active), tuple(_statements(report, active, verdicts, late=late)))


def _verdicts(report: Mapping[str, Any], *, trust_known: bool) -> Verdicts:
    results = report.get("validation_results", {}).get("activeManifest", {})
    good = [str(item.get("code")) for item in results.get("success", [])]
    bad = [str(item.get("code")) for item in results.get("failure", [])]

    def outcome(faults: tuple[str, ...], passes: tuple[str, ...]) -> Outcome:
        if any(code.startswith(faults) for code in bad):
            return "failed"
        return "passed" if any(code.startswith(passes) for code in good) else "not_checked"

    trust = outcome(("signingCredential.untrusted",), ("signingCredential.trusted",))
    return Verdicts(
        binding=outcome(_BINDING_FAULTS, _BINDING_FAULTS[:4]),
        assertions=outcome(_ASSERTION_FAULTS, ("assertion.hashedURI.match",)),
        signature=outcome(_SIGNATURE_FAULTS, ("claimSignature.validated",)),
        trust=trust if trust_known else "not_checked",
        validity=outcome(
            ("signingCredential.expired", "claimSignature.outsideValidity", "timeStamp.outsideValidity"), ("claimSignature.insideValidity",)
        ),
    )


def _signer(manifest: Mapping[str, Any]) -> str:
    info = manifest.get("signature_info") or {}
    return str(info.get("issuer") or info.get("common_name") or "not named")[:80]


def maker_of(*names: str) -> str:
    """The known maker behind a signer or generator name, else the last name, lower case."""
    joined = " ".join(names).lower()
    return next((maker for key, maker in _MAKERS.items() if key in joined), next((name.lower()[:60] for name in reversed(names) if name), ""))


def _statements(report: Mapping[str, Any], active: Mapping[str, Any], verdicts: Verdicts, *, late: bool) -> Iterator[Statement]:
    strength = _PROVEN if verdicts.proven else _UNPROVEN if verdicts.intact else _BROKEN
    for manifest in report.get("manifests", {}).values():
        agents = [str(item.get("name", "")) for item in manifest.get("claim_generator_info") or () if isinstance(item, dict)]
        by = maker_of(_signer(manifest), str(manifest.get("claim_generator") or ""), *agents)
        own = manifest is active
        for says, weight, detail in _says(manifest):
            kind = Says.RETOUCHED if says is Says.GENERATED and not own and not _is_parent(active, manifest) else says
            yield Statement(kind, "c2pa", by, "c2pa", round(strength * weight, 3), f"{detail}, signed by {_signer(manifest)}", late)


def _is_parent(active: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    label = manifest.get("label")
    return any(item.get("relationship") == "parentOf" and item.get("active_manifest") == label for item in active.get("ingredients") or ())


def _says(manifest: Mapping[str, Any]) -> Iterator[tuple[Says, float, str]]:
    assertions = [item for item in manifest.get("assertions") or () if isinstance(item, dict)]
    for assertion in assertions[:_MAX_ITEMS]:
        data = assertion.get("data")
        if not isinstance(data, dict):
            continue
        if str(assertion.get("label", "")).startswith("c2pa.ai_generated_content") and data.get("ai_generated") is not False:
            yield Says.GENERATED, 1.0, f"AI content assertion, model {str(data.get('model', 'not named'))[:60]}"
        source = data.get("digitalSourceType")
        if isinstance(source, str):
            yield from _of_type(source, str(assertion.get("label", "")))
        for action in (data.get("actions") or ())[:_MAX_ITEMS] if isinstance(data.get("actions"), list) else ():
            if isinstance(action, dict):
                yield from _action(action)


def _action(action: Mapping[str, Any]) -> Iterator[tuple[Says, float, str]]:
    name = str(action.get("action", ""))[:40]
    source = action.get("digitalSourceType")
    known = list(_of_type(source, name)) if isinstance(source, str) else []
    yield from known
    if not known and name in _EDITS:
        yield Says.EDITED, 0.1 if name in _HARMLESS else 0.3, f"action {name}"
    elif name.startswith("c2pa.watermarked"):
        yield Says.NOTE, 0.0, f"action {name}"


def _of_type(source: str, where: str) -> Iterator[tuple[Says, float, str]]:
    known = says_of(source)
    if known is not None:
        yield known[0], known[1], f"{where}: {source.rstrip('/').rpartition('/')[2][:60]}"


def measure(picture: Picture, context: Context) -> SignalResult:
    """1 for a proven AI statement, 0.7 for one by an unproven signer, 0.6 for a broken manifest, 0 for a proven capture; null without a manifest."""
    manifest = read_manifest(picture, context)
    if manifest is None:
        return VOICE.silent("no_marker")
    if isinstance(manifest, str):
        finding = VOICE.finding("IMAGE_SIGNATURE_BROKEN", _BROKEN, "the file holds a C2PA manifest that cannot be read")
        return VOICE.says(_BROKEN, [finding])
    verdicts, findings = manifest.verdicts, []
    broken = "failed" in (verdicts.binding, verdicts.assertions, verdicts.signature)
    if broken:
        findings.append(VOICE.finding("IMAGE_SIGNATURE_BROKEN", _BROKEN, f"manifest of {manifest.signer}: {verdicts.words}"))
    for statement in {(item.says, item.detail): item for item in manifest.statements}.values():
        found = as_finding(VOICE, statement)
        if verdicts.proven and statement.says in AI | {Says.CAPTURED}:
            found = VOICE.finding(_PROVEN_CODES.get(statement.says, "IMAGE_SIGNED_GENERATED"), statement.strength, found.detail)
        findings.append(found)
    if not broken:
        code = "IMAGE_SIGNATURE_WHOLE" if verdicts.intact else "IMAGE_MARK_NOTE"
        findings.append(VOICE.finding(code, 0.0, f"manifest of {manifest.signer}: {verdicts.words}"))
    adverse = [item.strength for item in manifest.statements if item.says not in {Says.CAPTURED, Says.NOTE}]
    return VOICE.says(max([*adverse, _BROKEN if broken else 0.0]), sorted(findings, key=lambda item: -item.strength)[:16])


EXAMPLES: tuple[Example, ...] = (
    Example("a camera photo without a manifest", examples.camera_jpeg, unavailable="no_marker"),
    Example("a manifest that is torn", lambda: examples.png(chunks=examples.chunk(b"caBX", b"\x00\x00\x00\x20jumb\x00\x00")), 0.6, 0.6),
)
