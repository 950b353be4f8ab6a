"""What another model would have decided: the recorded facts of every final decision, scored and decided by it, beside what was decided.

Each under the policy that it was decided under, so a difference is the model's. Nothing is changed and nobody is told.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from data_contracts.decision import Action, DecisionRecord
from data_contracts.errors import NotFoundError
from data_contracts.label import LabelValue
from risk import policy_file
from risk.home import existing_home
from risk.jobs.model_registry import kept_models
from risk.judge import CATALOGUE, Champion, decide
from risk.ledger import Ledger
from risk.policy import Circumstances
from risk.settings import read_settings
from risk.stores.history import History
from risk.terms import Policy

EXAMPLES = 20
"""Changed decisions that are named."""


@dataclass(frozen=True, slots=True)
class Move:
    """Requests that were decided `was` and would be decided `would`; of them so many are known to be abuse, and honest."""

    was: Action
    would: Action
    requests: int
    abuse: int
    honest: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """`skipped` were decided by a person, provisionally, or from facts of another catalogue; `changed` are the first decisions that would differ.

    score_shift: how far the two scores lie apart on average; null where no decision had a score.
    """

    model: str
    compared: int
    skipped: int
    score_shift: float | None
    moves: tuple[Move, ...]
    changed: tuple[str, ...]


def shadow_home(home: Path, version: str, since: datetime | None = None) -> Shadow:
    """Let a registered model look at the ledger of an installation. NotFoundError: none of that version fits this code."""
    opened = existing_home(home, read_settings(os.environ))
    try:
        model = kept_models(home).get(version)
        if model is None:
            message = f"no model {version} that this code can run is registered; `refund-risk models list` shows those that are"
            raise NotFoundError(message, field="version")
        return shadow(Ledger(History(opened.database)), model, since)
    finally:
        opened.database.close()


def shadow(ledger: Ledger, model: Champion, since: datetime | None = None) -> Shadow:
    """The same over a ledger."""
    policies: dict[str, Policy | None] = {}
    shifts: list[float] = []
    changed: list[tuple[DecisionRecord, Action]] = []
    compared = skipped = 0
    for _, record in ledger.records(since):
        name = record.versions["policy"]
        if name not in policies:
            text = ledger.policy(name)
            policies[name] = None if text is None else policy_file.parse(text, f"policy {name} of the ledger")
        policy = policies[name]
        if policy is None or record.person is not None or record.provisional or record.versions["catalogue"] != CATALOGUE:
            skipped += 1
            continue
        compared += 1
        seen: Mapping[str, Any] = record.snapshot
        score, decision = decide(model, record.facts, seen["amount_minor"], policy, Circumstances(seen["details"], record.degraded))
        if score is not None and record.score is not None:
            shifts.append(abs(score.probability - record.score.probability))
        if decision.action is not record.decision.action:
            changed.append((record, decision.action))
    shift = sum(shifts) / len(shifts) if shifts else None
    return Shadow(model.version, compared, skipped, shift, _moves(ledger.history, changed), tuple(each.decision_id for each, _ in changed[:EXAMPLES]))


def _moves(history: History, changed: Iterable[tuple[DecisionRecord, Action]]) -> tuple[Move, ...]:
    """How many went which way, with what is known of them by now; the largest first."""
    counted: Counter[tuple[Action, Action, LabelValue | None]] = Counter()
    with history.database.reading() as connection:
        for record, would in changed:
            labels = history.labels(connection, record.request_id)
            latest = max(labels, key=lambda label: (label.known_at, label.occurred_at)).value if labels else None
            counted[record.decision.action, would, latest] += 1
    pairs = {(was, would) for was, would, _ in counted}
    moves = [
        Move(
            was,
            would,
            sum(count for (first, second, _), count in counted.items() if (first, second) == (was, would)),
            counted[was, would, LabelValue.ABUSE],
            counted[was, would, LabelValue.HONEST],
        )
        for was, would in pairs
    ]
    return tuple(sorted(moves, key=lambda move: (-move.requests, move.was, move.would)))
