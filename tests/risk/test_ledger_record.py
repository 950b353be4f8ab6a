import json
from dataclasses import replace

from data_contracts.decision import DecisionRecord
from data_contracts.score import Score
from data_contracts.snapshot import Facts
from risk.ledger_record import encode, read, written
from risk.stores.database import Database
from tests.risk.builders import Fixed, a_question, an_engine


def a_record(database: Database) -> DecisionRecord:
    made = an_engine(database, Fixed(0.8, ("image", "links"))).handle(a_question("r", amount_minor=20_000)).record
    assert made is not None
    return replace(made, snapshot=json.loads(encode(made.snapshot)))


def test_every_feature_is_named_once(database: Database) -> None:
    record = a_record(database)
    facts = json.loads(written(record))["facts"]
    assert None not in facts["values"].values()
    named = [*facts["values"], *(name for names in facts["missing"].values() for name in names)]
    assert sorted(named) == sorted(record.facts.values)
    assert read(written(record)) == record


def test_a_null_without_a_reason_is_not_lost(database: Database) -> None:
    record = replace(a_record(database), facts=Facts({"a": None, "b": 1.0, "c": None}, {"c": "not_said"}))
    assert read(written(record)) == record


def test_equal_records_give_equal_bytes(database: Database) -> None:
    record = a_record(database)
    lines = record.snapshot["order_lines"], record.snapshot["evidence"]
    turned = dict(reversed(record.snapshot.items())) | {"order_lines": lines[0], "evidence": lines[1]}
    assert written(replace(record, snapshot=turned)) == written(record)


def test_the_bytes_of_earlier_versions_are_read_alike(database: Database) -> None:
    """They named every feature without a value twice, and listed contributions with family, reason and value."""
    record = a_record(database)
    assert record.score is not None
    listed = [
        {"feature": name, "family": name, "reason": "IMAGE_SHARED", "value": 2.0, "log_odds": log_odds + 1e-9}
        for name, log_odds in record.score.contributions.items()
    ]
    early = json.loads(encode(record)) | {"score": {"probability": 0.8, "contributions": listed}}
    assert record.score == Score(0.8, {"image": 1.0, "links": 1.0})
    assert read(json.dumps(early).encode()) == record
