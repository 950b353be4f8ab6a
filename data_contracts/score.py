"""Numbers on the way to a decision: image measurements, the score and what it is made of."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from data_contracts.fields import Id, Moment, Sha256, Word

Family: TypeAlias = Literal["image", "behaviour", "mismatch", "links", "context"]
"""The independent kinds of evidence. `context` (seller, article, the shop's own columns) excuses or explains; it never helps to block."""

DIGITS = 6
"""Decimals of a kept log-odds: sums stay right to a thousandth, and machines whose last bits differ keep the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one signal found in one piece of evidence: `value` in [0, 1], or null and then `unavailable` says why."""

    evidence_id: Id
    request_id: Id
    sha256: Sha256
    signal: Word
    version: Annotated[int, Field(ge=1)]
    value: Annotated[float, Field(ge=0, le=1)] | None = None
    unavailable: Word | None = None
    known_at: Moment


class Contribution(NamedTuple):
    """How far one feature moved one score: `log_odds` above 0 towards abuse. `value` is the feature's, null when missing."""

    feature: str
    family: Family
    reason: str
    value: float | str | None
    log_odds: float


def _by_feature(said: object) -> object:
    """Contributions by feature also from early records, which list each with its family, reason and value."""
    if not isinstance(said, list):
        return said
    return {each["feature"]: log_odds for each in said if (log_odds := round(each["log_odds"], DIGITS))}


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """The calibrated probability of abuse, 0 to 1, and how far each feature moved its log-odds (empty: nobody asked).

    Family and reason of a feature stand in the catalogue, its value among the facts.
    """

    probability: Annotated[float, Field(ge=0, le=1)]
    contributions: Annotated[Mapping[str, float], BeforeValidator(_by_feature)] = dataclasses.field(default_factory=dict)
