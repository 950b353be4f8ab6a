"""What the routes answer, for the OpenAPI document."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from data_contracts.decision import Action
from risk.appeals import Verdict
from risk.check.verdict import CheckVerdict


class ReasonShown(BaseModel):
    """One reason. Show a buyer nothing but `buyer`."""

    code: str
    family: str
    analyst: str
    buyer: str
    detail: str


class Answer(BaseModel):
    """A decision.

    `score` is the calibrated probability of abuse, null without a model; `rank_value` is what not paying at once is expected to save.
    `provisional`: its evidence was not measured when the deadline passed; the final decision follows by itself. `superseded_by` names the decision
    that took its place since, where the decision is read by its id.
    """

    decision_id: str
    request_id: str
    action: Action
    score: float | None
    rank_value: float
    reasons: list[ReasonShown]
    versions: dict[str, str]
    degraded: list[str]
    provisional: bool
    supersedes: str | None
    superseded_by: str | None


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


class ErrorShown(BaseModel):
    """What was wrong; `field` is the path in the body, `request_id` the refund request's, where known."""

    code: str
    message: str
    field: str | None
    request_id: str | None


class ErrorAnswer(BaseModel):
    """The one error shape."""

    error: ErrorShown


class OrderTaken(BaseModel):
    """`new` is false for an order that was known."""

    order_id: str
    new: bool


class LabelTaken(BaseModel):
    """`new` is false for a label that was known."""

    request_id: str
    new: bool


class RefundTaken(BaseModel):
    """`new` is false for a refund that was known."""

    refund_id: str
    new: bool


class LinkTaken(BaseModel):
    """`new` is false for a link that was known."""

    entity_type: str
    new: bool


class ItemTaken(BaseModel):
    """What became of one event: `status` is what it would have been alone. `type` is null where it cannot be told, `error` where there is none."""

    index: int
    type: str | None
    status: int
    new: bool
    error: ErrorShown | None


class BulkTaken(BaseModel):
    """How many events were new, known, refused; and of each what became of it, in their order."""

    new: int
    known: int
    refused: int
    items: list[ItemTaken]


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
    findings: list[dict[str, Any]]


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


class FeaturesShown(BaseModel):
    """The catalogue."""

    features: list[dict[str, Any]]


class ReadyShown(BaseModel):
    """`degraded`: decisions are made without something that is not well. `parts` says `ok` of each, or what is not."""

    status: Literal["ready", "degraded"]
    parts: dict[str, str]


class HealthShown(BaseModel):
    """Versions of what decides; `model` is `none` while there is none."""

    status: str
    code: str
    catalogue: str
    features: str
    model: str
    policy: str


class DeadMessage(BaseModel):
    """A message that was given up: `failure` is what went wrong last."""

    message_id: str
    endpoint_id: str
    kind: str
    made_at: datetime
    dead_at: datetime
    attempts: int
    failure: str


class DeadShown(BaseModel):
    """Messages that were given up, the longest ago first."""

    messages: list[DeadMessage]


class VerdictShown(BaseModel):
    """What a person said; `decision_id` is the decision that an overturned one made. Words that were purged are null."""

    verdict: Verdict
    by: str
    reason_code: str
    decision_id: str | None
    at: datetime
    words: str | None


class AppealShown(BaseModel):
    """An appeal with all that was said of it; `state` is `open` or the last verdict."""

    appeal_id: str
    request_id: str
    decision_id: str
    filed_by: str
    filed_at: datetime
    words: str | None
    state: str
    verdicts: list[VerdictShown]


class AppealsShown(BaseModel):
    """A page of appeals, the oldest first; `next` is the offset of the next page, null on the last."""

    appeals: list[AppealShown]
    next: int | None
