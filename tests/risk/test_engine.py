from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from data_contracts.decision import Action
from data_contracts.errors import ConflictError
from data_contracts.label import Label, LabelSource, LabelValue
from data_contracts.reason import Language
from risk import engine as engine_module
from risk.added import added
from risk.jobs.replay import replay
from risk.ledger import Entry, OvertakenError
from risk.ledger_record import written
from risk.stores.database import Database
from tests.risk.builders import NOON, Fixed, a_question, an_engine, an_ingest

MINUTE = timedelta(minutes=1)


def test_the_spine_is_short() -> None:
    assert len(Path(str(engine_module.__file__)).read_text(encoding="utf-8").splitlines()) < 180


def test_a_request_becomes_history_for_the_next_one(database: Database) -> None:
    engine = an_engine(database, Fixed())
    facts = [engine.handle(a_question(f"r{day}", NOON + timedelta(days=day))).record.facts for day in range(3)]  # type: ignore[union-attr]  # fresh
    assert [each.values["account_requests_30d"] for each in facts] == [None, 1.0, 2.0]
    assert facts[2].values["account_amount_claimed_30d"] == 4_000.0


def test_links_tie_later_requests_of_other_accounts(database: Database) -> None:
    engine = an_engine(database, Fixed())
    card = [{"entity_type": "card", "entity_id": "4000 1234"}]
    engine.handle(a_question("first", links=card))
    record = engine.handle(a_question("second", NOON + MINUTE, account_id="other", links=card)).record
    assert record is not None
    assert record.facts.values["card_other_accounts_30d"] == 1.0
    assert record.facts.values["card_other_requests_30d"] == 1.0


def test_an_order_told_with_the_request_counts_as_known_just_before(database: Database) -> None:
    engine = an_engine(database, Fixed())
    order = {"order_id": "o", "occurred_at": (NOON - timedelta(days=2)).isoformat(), "amount_minor": 5_000, "currency": "CNY"}
    first = engine.handle(a_question("first", order=order)).record
    second = engine.handle(a_question("second", NOON + MINUTE, order_id="o")).record
    assert first is not None
    assert second is not None
    assert first.facts.values["account_orders_30d"] == second.facts.values["account_orders_30d"] == 1.0
    assert second.facts.values["order_amount"] == 5_000.0


def test_a_label_counts_for_later_requests_until_a_later_label(database: Database) -> None:
    engine, ingest = an_engine(database, Fixed()), an_ingest(database)
    engine.handle(a_question("judged"))

    def said(value: LabelValue, source: LabelSource, minutes: int) -> bool:
        moment = NOON + minutes * MINUTE
        return ingest.label(Label(request_id="judged", value=value, source=source, occurred_at=moment, known_at=moment))

    def abuse(name: str, minutes: int) -> object:
        record = engine.handle(a_question(name, NOON + minutes * MINUTE)).record
        assert record is not None
        return record.facts.values["account_abuse_365d"]

    assert said(LabelValue.ABUSE, LabelSource.VERDICT, 10)
    assert not said(LabelValue.ABUSE, LabelSource.VERDICT, 10)
    assert abuse("after verdict", 11) == 1.0
    assert said(LabelValue.HONEST, LabelSource.APPEAL, 20)
    assert abuse("after appeal", 21) == 0.0


def test_a_revision_is_no_evidence_against_itself(database: Database) -> None:
    engine = an_engine(database, Fixed())
    card = [{"entity_type": "card", "entity_id": "4000 1234"}]
    first = engine.handle(a_question("r", links=card))
    second = engine.handle(a_question("r", NOON + MINUTE, revision=2, amount_minor=3_000, links=card))
    later = engine.handle(a_question("other", NOON + 2 * MINUTE, links=card))
    assert second.record is not None
    assert second.record.supersedes == first.decision_id
    assert second.record.facts.values["account_requests_30d"] == 0.0
    assert second.record.facts.values["card_own_uses_365d"] == 0.0
    assert later.record is not None
    assert later.record.facts.values["account_requests_30d"] == 1.0
    assert later.record.facts.values["account_amount_claimed_30d"] == 3_000.0
    assert later.record.facts.values["card_own_uses_365d"] == 1.0


def test_asked_again_nothing_is_computed(database: Database) -> None:
    champion = Fixed()
    engine = an_engine(database, champion)
    first, again = engine.handle(a_question("r")), engine.handle(a_question("r", NOON))
    assert again.record is None
    assert again.answers == first.answers
    assert champion.asked == ["score"]


def test_another_payload_conflicts(database: Database) -> None:
    engine = an_engine(database, Fixed())
    engine.handle(a_question("r"))
    with pytest.raises(ConflictError, match="another payload"):
        engine.handle(a_question("r", amount_minor=1))


def test_contributions_are_asked_for_only_when_it_is_no_approval(database: Database) -> None:
    cheap, dear = Fixed(0.01), Fixed(0.8)
    an_engine(database, cheap).handle(a_question("cheap"))
    an_engine(database, dear).handle(a_question("dear"))
    assert (cheap.asked, dear.asked) == (["score"], ["score", "contributions"])


def test_an_amount_in_another_currency_goes_to_a_person(database: Database) -> None:
    answered = an_engine(database, Fixed()).handle(a_question("r", currency="USD"))
    assert b"AMOUNT_UNKNOWN" in answered.in_language(Language.EN)


def test_the_ledger_replays_to_the_byte(database: Database) -> None:
    champion = Fixed(0.995, ("image", "links"))
    engine = an_engine(database, champion)
    for number in range(5):
        engine.handle(a_question(f"r{number}", NOON + number * MINUTE, amount_minor=20_000 * number))
    assert replay(engine.ledger, {champion.version: champion}).checked == 5
    assert replay(engine.ledger, {champion.version: champion}).ok
    assert replay(engine.ledger, {}).skipped == 5
    other = replay(engine.ledger, {champion.version: Fixed(0.2)})
    assert len(other.different) == 5


def test_a_record_reads_back_as_it_was_written(database: Database) -> None:
    engine = an_engine(database, Fixed(0.995, ("image", "links")))
    recorded = engine.handle(a_question("r", amount_minor=20_000))
    assert recorded.record is not None
    assert recorded.record.decision.action is Action.BLOCK
    body, read = next(iter(engine.ledger.records()))
    assert written(read) == body == written(recorded.record)
    assert engine.ledger.read(recorded.decision_id) == read


def test_another_writer_that_was_first_stands(database: Database) -> None:
    engine = an_engine(database, Fixed())
    question = a_question("r")
    first = engine.handle(question)
    assert first.record is not None
    late = Entry(replace(first.record, decision_id="dec_other"), added(question, engine.source.gather(question)))
    with pytest.raises(OvertakenError):
        engine.ledger.append_all([late])
    assert engine.handle(question).decision_id == first.decision_id
    assert len(list(engine.ledger.records())) == 1
