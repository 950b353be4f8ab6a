"""Questions that are decided together get what they would get one after the other, whoever else writes to the store meanwhile."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from data_contracts.errors import ConflictError, SourceUnavailableError
from data_contracts.question import Question
from risk.engine import Engine, apart
from risk.gather import Gatherer
from risk.ingest import OrderTold
from risk.jobs.live_graph import LiveGraph
from risk.ledger import Entry, Ledger, OvertakenError, Recorded
from risk.ledger_chain import verify
from risk.policy import load
from risk.stores.database import Database, open_database
from risk.stores.history import History
from tests.databases import address
from tests.risk.builders import NOON, Fixed, a_question, an_ingest

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path, postgres: str) -> Iterator[tuple[Database, Database]]:
    """Two empty stores of one kind."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with address(request.param, tmp_path / "a", postgres) as first, address(request.param, tmp_path / "b", postgres) as second:
        opened = open_database(first, 5_000), open_database(second, 5_000)
        yield opened
        for each in opened:
            each.close()


def a_worker(database: Database) -> Engine:
    """A worker with a live graph of its own."""
    history = History(database)
    return Engine(Gatherer(history, None, LiveGraph(history), "CNY"), Fixed(0.3), load(None), Ledger(history))


def stories() -> list[Question]:
    """Six buyers, some behind one device or address, of two sellers; some ask again, one with another payload, one about another's order."""

    def asked(name: str, second: int, buyer: int, **more: object) -> Question:
        links = [{"entity_type": "device", "entity_id": f"d{buyer % 2}"}, {"entity_type": "address", "entity_id": f"street {buyer % 3}"}]
        order = {
            "order_id": f"order of {name}",
            "occurred_at": (NOON - timedelta(days=2)).isoformat(),
            "amount_minor": 4_000 + buyer,
            "currency": "CNY",
            "lines": [{"line_no": 1, "sku_id": "crab", "quantity": 3}],
        }
        evidence = [{"sha256": f"{buyer:064x}", "kind": "photo"}]
        told: dict[str, object] = {
            "occurred_at": NOON.isoformat(),
            "account_id": f"buyer {buyer}",
            "seller_id": f"shop {buyer % 2}",
            "links": links,
            "order": order,
            "evidence": evidence,
        }
        return a_question(name, NOON + second * SECOND, **{**told, **more})

    return [
        asked("a", 1, 0),
        asked("b", 2, 1),
        asked("c", 3, 2),
        asked("a", 4, 0),
        asked("b", 5, 1, amount_minor=1),
        asked("d", 6, 3, order=None, order_id="order of a"),
        asked("e", 7, 4, order={"order_id": "order of c", "occurred_at": NOON.isoformat(), "amount_minor": 7, "currency": "CNY"}),
        asked("c", 8, 2, revision=2, amount_minor=3_000),
        asked("f", 9, 5),
        asked("g", 10, 0),
        asked("h", 11, 1),
    ]


def told(outcome: Recorded | Exception) -> object:
    """What a decision was made from; for an error what it says."""
    if isinstance(outcome, Exception):
        return type(outcome), str(outcome)
    record = outcome.record
    return None if record is None else (record.request_id, record.facts, record.decision, record.degraded, record.snapshot)


def test_together_is_one_after_the_other(two: tuple[Database, Database]) -> None:
    together, alone = a_worker(two[0]), a_worker(two[1])
    found = together.handle_all(stories())
    expected = [alone.handle_all([question])[0] for question in stories()]
    assert [told(each) for each in found] == [told(each) for each in expected]
    assert [type(each) for each in found].count(ConflictError) == 2
    assert verify(together.ledger.links()).ok
    assert len(list(together.ledger.records())) == len(list(alone.ledger.records()))


def test_two_workers_on_one_store_see_what_one_would_see(two: tuple[Database, Database]) -> None:
    first, second, alone = a_worker(two[0]), a_worker(two[0]), a_worker(two[1])
    ingest, other = an_ingest(two[0]), an_ingest(two[1])
    found, expected = [], []
    for number, question in enumerate(stories()):
        found.append((first if number % 2 else second).handle_all([question])[0])
        expected.append(alone.handle_all([question])[0])
        if number == 5:
            for each in (ingest, other):
                each.take(_an_order())
    assert [told(each) for each in found] == [told(each) for each in expected]
    assert verify(first.ledger.links()).ok


def _an_order() -> OrderTold:
    from risk.api.events import ORDER
    from tests.risk.builders import EDGE

    said = f'{{"order_id": "late", "account_id": "buyer 5", "seller_id": "shop 1", "amount_minor": 9, "occurred_at": "{NOON.isoformat()}"}}'
    return EDGE.order_event(ORDER.validate_json(said), NOON + 8.5 * SECOND)


def test_what_could_not_be_written_never_was(two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    engine, alone = a_worker(two[0]), a_worker(two[1])
    questions = stories()
    with monkeypatch.context() as broken:

        def fails(*_: object) -> None:
            raise SourceUnavailableError("the disk is full")

        broken.setattr(engine.ledger, "_settle", fails)
        assert [type(each) for each in engine.handle_all(questions[:3])] == [SourceUnavailableError] * 3
    found = engine.handle_all(questions)
    assert [told(each) for each in found] == [told(each) for each in alone.handle_all(questions)]


def test_what_was_decided_before_is_told_while_nothing_can_be_written(two: tuple[Database, Database]) -> None:
    hasty = open_database(two[0].engine.url.render_as_string(hide_password=False), 100)
    try:
        engine, (known, fresh, other) = a_worker(hasty), stories()[:3]
        first = engine.handle(known)
        with two[0].writing():  # somebody else writes, for longer than this worker waits
            again, *refused = engine.handle_all([known, fresh, other])
        assert isinstance(again, Recorded)
        assert again.answers == first.answers
        assert [type(each) for each in refused] == [SourceUnavailableError] * 2
        assert all(isinstance(each, Recorded) for each in engine.handle_all([fresh, other]))
    finally:
        hasty.close()


def test_a_question_that_was_overtaken_is_read_again(two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    engine, alone = a_worker(two[0]), a_worker(two[1])
    append, first = engine.ledger.append_all, [True]

    def overtaken(entries: Sequence[Entry], signature: bytes) -> list[Recorded]:
        if first:
            first.clear()
            raise OvertakenError("somebody was first")
        return append(entries, signature)

    monkeypatch.setattr(engine.ledger, "append_all", overtaken)
    questions = stories()[:3]
    assert [told(each) for each in engine.handle_all(questions)] == [told(each) for each in alone.handle_all(questions)]


def test_a_batch_is_cut_where_questions_hang_together() -> None:
    names = [[question.request.request_id for question in some] for some in apart(stories())]
    assert names == [["a", "b", "c"], ["a", "b"], ["d", "e"], ["c"], ["f", "g", "h"]]
