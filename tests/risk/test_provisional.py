"""Two speeds: a provisional decision, then the final one of the same question; the engine, the ledger and the policy, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from data_contracts.decision import Action, DecisionRecord
from data_contracts.errors import ConflictError
from data_contracts.question import Question
from data_contracts.reason import Language
from features.streams import micros
from risk import policy_file
from risk.added import added
from risk.api.finals import finished
from risk.engine import Engine
from risk.gather import Gatherer
from risk.jobs.live_graph import LiveGraph
from risk.jobs.replay import replay
from risk.ledger import FINAL_WITHIN, Entry, Ledger, OvertakenError
from risk.ledger_chain import verify
from risk.ledger_record import written
from risk.stores.database import Database, open_database
from risk.stores.history import History
from risk.stores.pending import Waiting
from risk.terms import Policy
from tests.databases import KINDS, address
from tests.risk.builders import NOON, Fixed, a_question

MINUTE = timedelta(minutes=1)
CARD = [{"entity_type": "card", "entity_id": "4000 1234"}]
PHOTO = "a" * 64


def policy(up_to: int = 0) -> Policy:
    text = policy_file.default_text().replace("[provisional]\napprove_up_to_minor = 0", f"[provisional]\napprove_up_to_minor = {up_to}")
    return policy_file.parse(text, "a test")


def engine(database: Database, champion: Fixed | None = None, up_to: int = 0) -> Engine:
    history = History(database)
    return Engine(Gatherer(history, None, LiveGraph(history), "CNY"), champion or Fixed(), policy(up_to), Ledger(history))


def hurried(request_id: str, at: datetime = NOON, **body: object) -> Question:
    """A question whose photo is not measured when its deadline passes."""
    said = {"occurred_at": NOON.isoformat(), "evidence": [{"sha256": PHOTO, "kind": "photo"}], **body}
    return replace(a_question(request_id, at, **said), awaiting=(PHOTO,))


def waiting(made: Engine) -> list[Waiting]:
    with made.ledger.database.reading() as connection:
        return made.ledger.pending.free(connection, micros(NOON), 10)


def finish(made: Engine, at: datetime) -> DecisionRecord:
    """The final decision of the one that waits."""
    (one,) = waiting(made)
    record = made.handle(finished(one, at)).record
    assert record is not None
    return record


def codes(record: DecisionRecord) -> set[str]:
    return {finding.code for finding in record.decision.findings}


def test_a_provisional_decision_is_marked_and_approves_nothing(database: Database) -> None:
    record = engine(database).handle(hurried("r")).record
    assert record is not None
    assert (record.provisional, record.turn, record.decision.action) == (True, 0, Action.REVIEW)
    assert "EVIDENCE_PENDING" in codes(record)


@pytest.mark.parametrize(("amount", "action"), [(2_000, Action.APPROVE), (2_001, Action.REVIEW), (None, Action.REVIEW)])
def test_a_small_amount_may_be_approved_where_the_policy_says_so(database: Database, amount: int | None, action: Action) -> None:
    record = engine(database, up_to=2_000).handle(hurried("r", amount_minor=amount)).record
    assert record is not None
    assert record.decision.action is action
    assert "EVIDENCE_PENDING" in codes(record)


def test_nothing_is_blocked_before_its_evidence_was_looked_at(database: Database) -> None:
    made = engine(database, Fixed(0.999, ("image", "links")))
    record = made.handle(hurried("r", amount_minor=50_000)).record
    assert record is not None
    assert record.decision.action is Action.REVIEW
    assert finish(made, NOON + MINUTE).decision.action is Action.BLOCK


def test_the_final_decision_supersedes_and_is_what_comes_back(database: Database) -> None:
    made = engine(database)
    first = made.handle(hurried("r"))
    assert b'"provisional":true' in made.handle(hurried("r")).in_language(Language.EN)
    final = finish(made, NOON + MINUTE)
    assert (final.provisional, final.turn, final.supersedes, final.as_of) == (False, 1, first.decision_id, NOON + MINUTE)
    assert waiting(made) == []
    for question in (hurried("r"), hurried("r", NOON + 2 * MINUTE), replace(hurried("r"), awaiting=())):
        again = made.handle(question)
        assert (again.decision_id, again.record) == (final.decision_id, None)
    assert made.ledger.newest_answer("r", Language.EN) == again.in_language(Language.EN)
    told = made.ledger.answer_of(first.decision_id, Language.EN)
    assert f'"superseded_by":"{final.decision_id}"'.encode() in told
    assert b'"superseded_by":null' in made.ledger.answer_of(final.decision_id, Language.EN)


def test_finished_twice_is_finished_once(database: Database) -> None:
    made = engine(database)
    made.handle(hurried("r"))
    (one,) = waiting(made)
    question = finished(one, NOON + MINUTE)
    first, again = made.handle(question), made.handle(replace(question, as_of=NOON + 2 * MINUTE))
    assert again.decision_id == first.decision_id
    seen = made.source.gather(question)
    assert first.record is not None
    with pytest.raises(OvertakenError):
        made.ledger.append_all([Entry(replace(first.record, decision_id="dec_late"), added(question, seen))])
    assert made.handle(question).decision_id == first.decision_id
    assert len(list(made.ledger.records())) == 2


def test_another_payload_conflicts_also_while_one_waits(database: Database) -> None:
    made = engine(database)
    made.handle(hurried("r"))
    with pytest.raises(ConflictError, match="another payload"):
        made.handle(a_question("r", amount_minor=1))


def test_a_revision_takes_the_place_of_a_final_decision_that_is_still_due(database: Database) -> None:
    made = engine(database)
    first = made.handle(hurried("r"))
    (one,) = waiting(made)
    second = made.handle(a_question("r", NOON + MINUTE, revision=2)).record
    assert second is not None
    assert second.supersedes == first.decision_id
    with pytest.raises(ConflictError, match="comes too late"):
        made.handle(finished(one, NOON + 2 * MINUTE))


def test_the_ledger_holds_and_replays_with_both(database: Database) -> None:
    champion = Fixed(0.995, ("image", "links"))
    made = engine(database, champion)
    made.ledger.keep_policy(made.policy.version, policy_file.default_text())
    for number in range(3):
        made.handle(hurried(f"r{number}", NOON + number * MINUTE, amount_minor=20_000))
        finish(made, NOON + number * MINUTE + MINUTE / 2)
    assert verify(made.ledger.links()).ok
    report = replay(made.ledger, {champion.version: champion})
    assert (report.checked, report.ok) == (6, True)
    for body, record in made.ledger.records():
        assert written(record) == body


def test_a_row_whose_turn_was_edited_is_named(database: Database) -> None:
    made = engine(database)
    first = made.handle(hurried("r"))
    finish(made, NOON + MINUTE)
    assert verify(made.ledger.links()).ok
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE decisions SET turn = 5 WHERE decision_id = '{first.decision_id}'")  # noqa: S608  # our own id
    assert [each.decision_id for each in verify(made.ledger.links()).breaks] == [first.decision_id]


@pytest.fixture(params=KINDS)
def twin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A second empty database of each kind."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with address(request.param, tmp_path_factory.mktemp("twin"), server) as url:
        opened = open_database(url, 5_000)
        yield opened
        opened.close()


def test_a_final_decision_sees_what_a_first_one_would_have_seen(database: Database, twin: Database) -> None:
    """The provisional decision leaves nothing behind that the final one holds against the buyer, and later requests count it once."""
    order = {"order_id": "o", "occurred_at": (NOON - 2 * MINUTE).isoformat(), "amount_minor": 5_000, "currency": "CNY"}
    body = {"links": CARD, "order": order, "account_opened_at": (NOON - timedelta(days=30)).isoformat(), "text": "all six were dead on arrival"}
    hasty, patient = engine(database), engine(twin)
    for made in (hasty, patient):
        for number in range(3):
            made.handle(a_question(f"before-{number}", NOON - timedelta(days=number + 1), account_id=f"a{number}", links=CARD))
        made.handle(a_question("own", NOON - timedelta(hours=2), links=CARD))
    hasty.handle(hurried("r", **body))
    final = finish(hasty, NOON + MINUTE)
    plain = patient.handle(replace(hurried("r", NOON + MINUTE, **body), awaiting=())).record
    assert plain is not None
    assert final.facts.values == plain.facts.values
    later = [made.handle(a_question("later", NOON + 2 * MINUTE, links=CARD)).record for made in (hasty, patient)]
    assert later[0] is not None
    assert later[1] is not None
    assert later[0].facts.values == later[1].facts.values


def test_a_question_waits_as_it_was_asked(database: Database) -> None:
    made = engine(database)
    question = hurried("r", links=CARD, attributes={"word": "x", "number": 1.5, "none": None}, text="dead")
    made.handle(question)
    (one,) = waiting(made)
    assert one.question == question
    assert one.due_us == micros(NOON + FINAL_WITHIN)
