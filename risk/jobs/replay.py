"""Does the ledger still give the same decisions? Every record is scored and decided again from its facts, and compared to the byte."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from data_contracts.decision import DecisionRecord
from risk import policy_file
from risk.home import existing_home, load_champion
from risk.jobs.model_registry import kept_models
from risk.judge import Champion, decide
from risk.ledger import Ledger
from risk.ledger_record import encode
from risk.policy import Circumstances
from risk.settings import read_settings
from risk.stores.history import History
from risk.terms import Policy


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """`checked` decisions came out the same or are named in `different`; `skipped` were made by a model that is not at hand.

    `by_people` were decided by a person on an appeal: there is nothing to compute again.
    """

    checked: int
    skipped: int
    different: tuple[str, ...]
    by_people: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything that could be checked is the same."""
        return not self.different


def replay_home(home: Path, since: datetime | None = None) -> ReplayReport:
    """Replay the ledger of an installation with the model that it has now and those that are registered. NotFoundError: there is no installation."""
    opened = existing_home(home, read_settings(os.environ))
    try:
        champion = load_champion(opened)
        champions: dict[str, Champion | None] = {"none": None, **kept_models(home), **({champion.version: champion} if champion else {})}
        return replay(Ledger(History(opened.database)), champions, since)
    finally:
        opened.database.close()


def replay(ledger: Ledger, champions: Mapping[str, Champion | None], since: datetime | None = None) -> ReplayReport:
    """Decide every record since that moment again. `champions` holds the models at hand by version; the version `none` is no model."""
    policies: dict[str, Policy] = {}
    checked, skipped, by_people, different = 0, 0, 0, []
    for _, record in ledger.records(since):
        if record.person is not None:
            by_people += 1
            continue
        model, version = record.versions["model"], record.versions["policy"]
        text = ledger.policy(version)
        if model not in champions or text is None:
            skipped += 1
            continue
        if version not in policies:
            policies[version] = policy_file.parse(text, f"policy {version} of the ledger")
        checked += 1
        if not same(record, champions[model], policies[version]):
            different.append(record.decision_id)
    return ReplayReport(checked, skipped, tuple(different), by_people)


def same(record: DecisionRecord, champion: Champion | None, policy: Policy) -> bool:
    """Whether score and decision come out as recorded, to the byte."""
    seen: Mapping[str, Any] = record.snapshot
    score, decision = decide(
        champion, record.facts, seen["amount_minor"], policy, Circumstances(seen["details"], record.degraded, seen.get("awaited", 0))
    )
    return encode([score, decision]) == encode([record.score, record.decision])
