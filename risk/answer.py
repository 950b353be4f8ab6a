"""The answer to a scoring call, from a ledger record: the same bytes whenever it is asked again."""

import msgspec

from data_contracts.decision import DecisionRecord
from data_contracts.reason import REASONS, Language


def answer(record: DecisionRecord, language: Language) -> bytes:
    """The JSON answer. Show buyers nothing but `buyer`: `analyst` and `detail` say how things were found."""
    decision = record.decision
    said = {
        "decision_id": record.decision_id,
        "request_id": record.request_id,
        "action": decision.action,
        "score": record.score.probability if record.score else None,
        "rank_value": decision.rank_value,
        "reasons": [
            {
                "code": finding.code,
                "family": finding.family or "policy",
                "analyst": REASONS[finding.code].texts[language].analyst,
                "buyer": REASONS[finding.code].texts[language].buyer,
                "detail": finding.detail,
            }
            for finding in decision.findings
        ],
        "versions": record.versions,
        "degraded": record.degraded,
        "provisional": record.provisional,
        "supersedes": record.supersedes,
        "superseded_by": None,
    }
    return msgspec.json.encode(said)


def answers(record: DecisionRecord) -> bytes:
    """The answers in every language, as one JSON object by language."""
    return msgspec.json.encode({language.value: msgspec.Raw(answer(record, language)) for language in Language})


def answer_in(stored: bytes, language: Language) -> bytes:
    """The answer of that language out of what `answers` made, untouched."""
    return bytes(_BY_LANGUAGE.decode(stored)[language])


_BY_LANGUAGE = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Reason(msgspec.Struct):
    """One reason of an answer; the other fields are not read."""

    code: str


class Scored(msgspec.Struct):
    """What a model said, out of an answer; the other fields are not read. `score` is null where it said nothing."""

    score: float | None
    versions: dict[str, str]
    reasons: list[_Reason]

    @property
    def by_a_person(self) -> bool:
        """Whether a person decided: then the score is that of the decision before."""
        return any(reason.code == "APPEAL_OVERTURNED" for reason in self.reasons)


def scored_in(stored: bytes) -> Scored:
    """What the model said, out of what `answers` made."""
    return msgspec.json.decode(answer_in(stored, Language.EN), type=Scored)


def superseded(answered: bytes, decision_id: str | None) -> bytes:
    """The answer as it was, naming the decision that took its place; null leaves every byte."""
    if decision_id is None:
        return answered
    parts = msgspec.json.decode(answered, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(parts | {"superseded_by": msgspec.Raw(msgspec.json.encode(decision_id))})
