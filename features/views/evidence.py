"""What was sent along, and what was measured in it. The formulas stand in `features/claim.py` under the same names."""

from data_contracts.score import Family
from features.declare import Feature, Sign, Source, Stated


def _row(name: str, source: Source, unit: str, meaning: str, missing: str, reason: str, sign: Sign = 0, family: Family = "image") -> Stated:  # noqa: PLR0913  # a row of the table
    return Stated(name=name, source=source, unit=unit, meaning=meaning, missing=missing, reason=reason, sign=sign, family=family)


_NONE = "evidence is not connected"


def _signal(signal: str, what: str, reason: str) -> tuple[Stated, ...]:
    missing = "no piece of evidence was measured for it"
    return (
        _row(f"{signal}_max", "measurements", "0 to 1", f"How much the most suspect piece of evidence looks {what}", missing, reason, 1),
        _row(f"{signal}_mean", "measurements", "0 to 1", f"How much the evidence looks {what}, mean over its pieces", missing, reason, 1),
        _row(f"{signal}_min", "measurements", "0 to 1", f"How much the least suspect piece of evidence looks {what}", missing, reason, 1),
    )


EVIDENCE: tuple[Feature, ...] = (
    _row("evidence_photos", "evidence", "photos", "Photos sent", _NONE, "EVIDENCE_GIVEN", family="context"),
    _row("evidence_videos", "evidence", "videos", "Videos sent", _NONE, "EVIDENCE_GIVEN", family="context"),
    _row("evidence_documents", "evidence", "documents", "Documents sent", _NONE, "EVIDENCE_GIVEN", family="context"),
    _row("evidence_pieces", "evidence", "pieces", "Photos, videos and documents sent by the buyer", _NONE, "EVIDENCE_GIVEN", family="context"),
    _row(
        "evidence_missing", "evidence", "0 or 1",
        "The claim says what arrived, and the buyer sent nothing to show it",
        f"{_NONE}, or the claim type is not known", "EVIDENCE_MISSING",
    ),
    _row(
        "evidence_repeated", "evidence", "pieces",
        "Pieces of evidence that are the same file as another one of this request", _NONE, "IMAGE_REUSED",
    ),
    _row(
        "evidence_hours_after_claim", "evidence", "hours",
        "Hours from the claim to the first piece of evidence of the buyer", "the buyer sent none", "EVIDENCE_GIVEN", family="context",
    ),
    _row(
        "evidence_before_delivery", "deliveries", "pieces",
        "Pieces of the buyer's evidence sent before the delivery",
        "no scan says delivered, or evidence is not connected", "CLAIM_BEFORE_DELIVERY", family="mismatch",
    ),
    _row(
        "evidence_measured", "measurements", "pieces",
        "Pieces of evidence that something was measured in", "measurements are not connected", "EVIDENCE_GIVEN", family="context",
    ),
    _row(
        "evidence_not_measurable", "measurements", "pieces",
        "Pieces of evidence that a signal could not be measured in", "measurements are not connected", "EVIDENCE_GIVEN", family="context",
    ),
    _row(
        "evidence_counted", "observations", "pieces",
        "Pieces of evidence in which somebody counted", "observations are not connected", "EVIDENCE_GIVEN", family="context",
    ),
    *_signal("generated", "machine-made", "IMAGE_LOOKS_GENERATED"),
    *_signal("edited", "edited", "IMAGE_LOOKS_EDITED"),
    *_signal("reuse", "like one seen before", "IMAGE_REUSED"),
)  # fmt: skip
"""Evidence and its measurements, as known at the moment of the request."""
