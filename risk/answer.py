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
    return bytes(msgspec.json.decode(stored, type=dict[str, msgspec.Raw])[language.value])


def superseded(answered: bytes, decision_id: str | None) -> bytes:
    """The answer as it was, naming the decision that took its place; null leaves every byte."""
    if decision_id is None:
        return answered
    parts = msgspec.json.decode(answered, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(parts | {"superseded_by": msgspec.Raw(msgspec.json.encode(decision_id))})
