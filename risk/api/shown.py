"""What the routes answer about decisions, appeals, messages and the service itself, for the OpenAPI document."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from data_contracts.decision import Action
from risk.appeals import Verdict


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


class ErrorShown(BaseModel):
    """What was wrong; `field` is the path in the body, `request_id` the refund request's, where known."""

    code: str
    message: str
    field: str | None
    request_id: str | None


class ErrorAnswer(BaseModel):
    """The one error shape."""

    error: ErrorShown


class FeatureShown(BaseModel):
    """What a feature means. `missing`: when it is null; `reason`: the code that names it; `sign`: 1 where more is more suspicious, -1 where less is.

    `window_days` is null where it looks at no window. `slow`: kept up by a job, not by each call.
    """

    name: str
    family: str
    unit: str
    meaning: str
    missing: str
    reason: str
    sign: int
    kind: Literal["number", "category"]
    computed: str
    window_days: int | None
    slow: bool


class FeaturesShown(BaseModel):
    """The catalogue."""

    features: list[FeatureShown]


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
