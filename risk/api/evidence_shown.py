"""What the routes of pictures and evidence files answer, for the OpenAPI document."""

from datetime import datetime

from pydantic import BaseModel

from risk.check.verdict import CheckVerdict


class FindingShown(BaseModel):
    """One thing that was seen; `region` is [left, top, right, bottom] in shares of the picture, null where it has no place."""

    code: str
    signal: str
    strength: float
    detail: str
    region: list[float] | None


class NotChecked(BaseModel):
    """One thing that could not be checked, and why in one word; `no_marker` says that it was looked for and is not there."""

    signal: str
    reason: str


class CheckAnswer(BaseModel):
    """What is known of one picture or film.

    `score`: 0 to 1, higher is less authentic, null where it cannot be opened. `why`: why it is unsure; `standing_on`: on what a verdict stands.
    `ask_for`: what to ask the buyer for, best first; `handwritten_code` is what she writes on a slip of paper. `texts`: the sentence of each code.
    """

    path: str
    sha256: str
    kind: str
    verdict: CheckVerdict
    score: float | None
    findings: list[FindingShown]
    unavailable: list[NotChecked]
    versions: dict[str, str]
    certainty: str | None
    standing_on: list[str]
    why: list[str]
    ask_for: list[str]
    handwritten_code: str
    texts: dict[str, str]
    ms: float


class EvidenceTaken(BaseModel):
    """A file is on disk; `status` says how far it is: measuring or measured."""

    evidence_id: str
    sha256: str
    status: str


class MeasuredShown(BaseModel):
    """What one signal said of a file; `value` is null with the reason in `unavailable`."""

    signal: str
    version: str
    value: float | None
    unavailable: str | None
    known_at: datetime
    findings: list[FindingShown]


class EvidenceShown(BaseModel):
    """What is known of a file; `kind`, `format` and `unreadable` are null until somebody looked at it, `purged_at` while its bytes are there."""

    status: str
    purged_at: datetime | None
    sha256: str
    bytes: int
    known_at: datetime
    kind: str | None
    format: str | None
    unreadable: str | None
    measurements: list[MeasuredShown]


class ReadShown(BaseModel):
    """That somebody was given a file (`what` is `file`) or what was measured in it (`look`)."""

    reader: str
    what: str
    why: str | None
    at: datetime


class ReadsShown(BaseModel):
    """Who was given a file, the first one first."""

    sha256: str
    reads: list[ReadShown]
