"""A process that rehearses and then decides in earnest; it prints which compiled functions it had to make ready only then.

python -m tests.risk.jobs.rehearsed MODEL FOLDER
"""

import json
import random
import sys
from datetime import timedelta
from pathlib import Path

from numba.core.dispatcher import Dispatcher

from benchmarks.engine import EDGE, START, an_engine, body
from data_contracts.label import Label, LabelSource, LabelValue
from data_contracts.link import EntityType, Link
from models.ranker.artifact import load as load_model
from models.ranker.scorer import Scorer
from risk.api.decisions import REQUEST
from risk.ingest import Ingest
from risk.jobs.rehearsal import rehearse
from risk.policy import load

ROUNDS, TOGETHER, BUYERS = 40, 16, 300


def ready() -> dict[str, int]:
    """For how many types of values each compiled function of this process is ready."""
    found = [value for module in list(sys.modules.values()) for value in list(vars(module).values()) if isinstance(value, Dispatcher)]
    return {f"{each.py_func.__module__}.{each.py_func.__name__}": len(each.signatures) for each in found}


def decide(model: Path, folder: Path) -> None:
    """Requests of buyers who share things, with verdicts and uses that are told late."""
    engine = an_engine(folder, model)
    ingest, chance, numbers = Ingest(engine.source.history, "CNY"), random.Random(1), iter(range(ROUNDS * TOGETHER))  # noqa: S311  # a test, not a secret
    for turn in range(ROUNDS):
        moment = START + timedelta(minutes=turn)
        late = moment - timedelta(seconds=30)
        questions = [
            EDGE.question(REQUEST.validate_json(body(next(numbers), buyer, moment)), moment) for buyer in chance.sample(range(BUYERS), TOGETHER)
        ]
        for outcome in engine.handle_all(questions):
            assert not isinstance(outcome, Exception), outcome
        for asked in (question.request for question in questions[:3]):
            value, source = chance.choice(list(LabelValue)), chance.choice(list(LabelSource))
            ingest.take(Label(request_id=asked.request_id, value=value, source=source, occurred_at=moment, known_at=moment))
            ingest.take(
                Link(entity_type=EntityType.DEVICE, entity_id=f"late-{turn}", account_id=asked.account_id, occurred_at=late, known_at=late),
            )
    engine.ledger.database.close()


def main() -> None:
    """Rehearse, decide, tell."""
    model, folder = map(Path, sys.argv[1:])
    rehearse(Scorer(load_model(model)), load(None), "CNY")
    before = ready()
    decide(model, folder)
    print(json.dumps([before, {name: count for name, count in ready().items() if count != before.get(name, 0)}]))  # noqa: T201  # it speaks to the test


if __name__ == "__main__":
    main()
