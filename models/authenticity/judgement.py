"""What the network answers: in a module of its own, so that whoever reads the answers does not load what gives them."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the network says; it knows nothing of edits, those are other signals."""

    AUTHENTIC = "authentic"
    GENERATED = "generated"
    UNSURE = "unsure"


class Doubt(StrEnum):
    """Why it is unsure."""

    TOO_SMALL = "too_small"
    UNLIKE_TRAINING = "unlike_training"
    SCORES_BETWEEN = "scores_between"
    DELIVERIES_DISAGREE = "deliveries_disagree"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer for one picture.

    score: 0 to 1, higher is more likely generated; comparable only between answers with the same `model`; null when the picture is too small.
    doubts: empty for a verdict, else every reason for "unsure".
    model, encoder: versions of what spoke.
    """

    score: float | None
    verdict: Verdict
    doubts: tuple[Doubt, ...]
    model: str
    encoder: str
