"""The truth for training, when it comes: who said it and when it became known."""

from enum import StrEnum

from pydantic.dataclasses import dataclass

from data_contracts.fields import Id
from data_contracts.request import Known


class LabelValue(StrEnum):
    """What the request turned out to be."""

    ABUSE = "abuse"
    HONEST = "honest"


class LabelSource(StrEnum):
    """Who said so."""

    VERDICT = "verdict"
    RETURN_INSPECTION = "return_inspection"
    CHARGEBACK = "chargeback"
    APPEAL = "appeal"
    ANALYST = "analyst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Known):
    """One answer for one request; a later one (by `known_at`) supersedes an earlier one from the moment that it is known."""

    request_id: Id
    value: LabelValue
    source: LabelSource
