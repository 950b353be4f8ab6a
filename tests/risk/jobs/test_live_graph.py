"""The live graph is what the store says: at the start, after a damage, and while several workers write."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import pytest
from sqlalchemy import text

from data_contracts.errors import SourceUnavailableError
from data_contracts.label import Label, LabelSource, LabelValue
from data_contracts.link import EntityType, Link
from data_contracts.snapshot import Neighbourhood
from data_contracts.timeline import Entity
from graph.judgements import Judgement, Subject, Verdict
from graph.live_components import LiveComponents
from graph.live_neighbours import LiveNeighbours
from risk.engine import Engine
from risk.gather import Gatherer
from risk.ingest import Ingest
from risk.jobs import live_graph
from risk.jobs.around_check import around_differences
from risk.jobs.live_check import differences
from risk.jobs.live_graph import LiveGraph
from risk.jobs.load_history import load_tables
from risk.ledger import Ledger
from risk.policy import load
from risk.stores.database import Database, open_database
from risk.stores.history import History
from risk.stores.ring_builds import RingBuilds
from risk.stores.turns import Feed
from tests.graph.histories import START, at, history, link, request
from tests.graph.ring_stories import ring_world
from tests.risk.builders import NOON, Fixed, a_question

MINUTE = timedelta(minutes=1)
CARD = [{"entity_type": "card", "entity_id": "4000 1234"}]


class Asked:
    """A live graph with its feed."""

    def __init__(self, database: Database) -> None:
        self._database, self._graph = database, LiveGraph(History(database))
        self._feed = Feed(database, self._graph.read_to)

    def of(self, account: str, hour: float = 9_000) -> Neighbourhood | None:
        with self._database.reading() as connection:
            self._graph.follow(connection, self._feed.news(connection))
        return self._graph.facts(account, [], at(hour))


@pytest.fixture
def workers(empty_url: str) -> Iterator[list[Engine]]:
    """Two workers over one store, each with a connection and a live graph of its own."""
    databases = [open_database(empty_url, 5_000) for _ in range(2)]
    policy = load(None)
    yield [Engine(Gatherer(History(each), None, LiveGraph(History(each)), "CNY"), Fixed(), policy, Ledger(History(each))) for each in databases]
    for each in databases:
        each.close()


def test_a_worker_sees_what_another_one_decided_before_it_answers(workers: list[Engine]) -> None:
    one, other = workers
    one.handle(a_question("r1", links=CARD))
    record = other.handle(a_question("r2", NOON + MINUTE, account_id="second", links=CARD)).record
    assert record is not None
    assert record.facts.values["component_accounts"] == 2.0
    ingest = Ingest(one.ledger.history, "CNY")
    moment = NOON + 2 * MINUTE
    assert ingest.label(Label(request_id="r1", value=LabelValue.ABUSE, source=LabelSource.VERDICT, occurred_at=moment, known_at=moment))
    for worker, request_id in ((other, "r3"), (one, "r4")):
        record = worker.handle(a_question(request_id, NOON + 3 * MINUTE, account_id="third", links=CARD)).record
        assert record is not None
        assert (record.facts.values["component_accounts"], record.facts.values["component_abuse"]) == (3.0, 1.0)


def test_a_refuted_link_joins_nobody_from_then_on(database: Database) -> None:
    load_tables(ring_world(), database, None)
    graph = Asked(database)
    before = graph.of("m0")
    word = {"verdict": Verdict.REFUTED, "by": "mei", "why": "A company card.", "at": at(8_000)}
    for name in ("ring-device", "ring-card"):
        kind = EntityType.CARD if name == "ring-card" else EntityType.DEVICE
        RingBuilds(database).judge(Judgement(subject=Subject.LINK, entity_type=kind, entity_id=name, account_id="m0", **word))  # type: ignore[arg-type]  # named above
    after = graph.of("m0")
    assert before is not None
    assert after is not None
    assert (before.accounts, after.accounts) == (4, 1)
    assert graph.of("m1") == Asked(database).of("m1")
    assert graph.of("m0", 7_000) == Neighbourhood(4, 2, (7_000 - 50) / 24, 2)


def test_much_news_at_once_is_read_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Asked(database)
    load_tables(ring_world(), database, None)
    assert graph.of("m2") == Asked(database).of("m2")
    for anew, name in ((2, "late"), (1, "later")):
        monkeypatch.setattr(live_graph, "ANEW", anew)
        with database.writing() as connection:
            History(database).take(connection, (), [Link(**link(name, "ring-device", 10), occurred_at=START)])
        assert graph.of(name) == Asked(database).of(name) != Neighbourhood(1, 0, None, 0)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE link_marks SET uses = uses + 1", "marked with"),
        ("UPDATE link_marks SET known_us = known_us - 3600000000", "marked with"),
    ],
)
def test_marks_that_count_wrongly_are_found_at_the_start(database: Database, damage: str, said: str) -> None:
    rows = [link(f"a{number}", "locker", number / 10, "address") for number in range(600)]
    load_tables(history([request("r", "a0", 0)], rows), database, None)
    LiveGraph(History(database))
    with database.writing() as connection:
        connection.execute(text(damage))
    with pytest.raises(SourceUnavailableError, match=said):
        LiveGraph(History(database))


def test_a_graph_that_missed_a_link_or_dates_one_otherwise_is_told_from_the_store(database: Database) -> None:
    tables = ring_world()
    load_tables(tables, database, None)
    links = tables["links"]
    m3 = pl.col("account_id") == "m3"
    with database.reading() as connection:
        assert differences(database, connection, LiveComponents.of(tables)) == []
        missed = differences(database, connection, LiveComponents.of({**tables, "links": links.filter(~m3)}))
        later = links.with_columns(known_at=pl.when(m3).then(pl.col("known_at") + timedelta(hours=1)).otherwise("known_at"))
        dated = differences(database, connection, LiveComponents.of({**tables, "links": later}))
        other = links.with_columns(account_id=pl.when(m3).then(pl.lit("x")).otherwise("account_id"))
        swapped = differences(
            database,
            connection,
            LiveComponents.of({**tables, "links": other.with_columns(entity_id=pl.when(m3).then(pl.lit("y")).otherwise("entity_id"))}),
        )
    assert "48 links" in missed[0]
    assert "checksum" in dated[0]
    assert any("component of account m" in line for line in swapped)


def test_neighbours_that_missed_something_are_told_from_the_store(database: Database) -> None:
    tables = ring_world()
    load_tables(tables, database, None)
    m3 = pl.col("account_id") == "m3"
    claims, labels, links = tables["refund_requests"], tables["labels"], tables["links"]
    later = links.with_columns(known_at=pl.when(m3).then(pl.col("known_at") + timedelta(hours=1)).otherwise("known_at"))
    other = links.with_columns(account_id=pl.when(m3).then(pl.lit("x")).otherwise("account_id"))
    said = {
        "came to": [{"links": links.filter(~m3)}, {"links": later}],
        "accounts came to it": [{"links": other}],
        "claims": [{"refund_requests": claims.with_columns(known_at=pl.col("known_at") + timedelta(hours=1))}],
        "labels where": [{"labels": labels.head(0)}],
    }
    with database.reading() as connection:
        assert around_differences(database, connection, LiveNeighbours.of(tables)) == []
        for words, changes in said.items():
            for change in changes:
                assert words in " ".join(around_differences(database, connection, LiveNeighbours.of({**tables, **change})))


def test_a_graph_of_nothing_starts(database: Database) -> None:
    assert Asked(database).of("nobody") == Neighbourhood(1, 0, None, 0)
    assert LiveGraph(History(database)).facts(None, [Entity(EntityType.IP, "n")], at(0)) is None


def test_the_neighbours_of_every_worker_are_those_that_the_store_tells(workers: list[Engine]) -> None:
    """Asked, bought, opened, judged by one worker: the other one knows, and one that starts later knows the same."""
    one, other = workers
    order = {"order_id": "o1", "occurred_at": NOON - 500 * MINUTE, "amount_minor": 900, "currency": "CNY"}
    assert one.handle(a_question("r1", links=CARD, account_opened_at=NOON - 1_000 * MINUTE, order=order)).record is not None
    moment = NOON + MINUTE
    ingest = Ingest(one.ledger.history, "CNY")
    assert ingest.label(Label(request_id="r1", value=LabelValue.ABUSE, source=LabelSource.VERDICT, occurred_at=moment, known_at=moment))
    record = other.handle(a_question("r2", NOON + 2 * MINUTE, account_id="second", links=CARD)).record
    assert record is not None
    found = record.facts.values
    assert (found["near_accounts"], found["near_claims_90_mean"], found["near_abuse"]) == (1.0, 1.0, 1.0)
    assert found["near_age_least"] == found["near_age_mean"] is not None
    assert found["near_share_pooled"] == 1.0
    cards = [Entity(link.entity_type, link.entity_id) for link in a_question("r3", links=CARD).links]
    asked = ("third", cards, NOON + 3 * MINUTE)
    for worker in workers:
        with worker.ledger.database.reading() as connection:
            worker.source.read(connection, [])
    said = [worker.source.components.near(*asked, judged=True) for worker in workers]  # type: ignore[union-attr]  # as above
    assert said[0]["near_accounts"] == 2.0
    assert said[0] == said[1] == LiveGraph(one.ledger.history).near(*asked, judged=True)


def test_a_label_on_a_request_that_changed_hands_counts_alike_told_and_built(workers: list[Engine]) -> None:
    """Neighbours count a request with the buyer of its first revision, components with that of its latest."""
    one = workers[0]
    one.handle(a_question("r1", links=CARD))
    one.handle(a_question("r1", NOON + MINUTE, revision=2, account_id="second", links=CARD))
    moment = NOON + 2 * MINUTE
    label = Label(request_id="r1", value=LabelValue.ABUSE, source=LabelSource.VERDICT, occurred_at=moment, known_at=moment)
    assert Ingest(one.ledger.history, "CNY").label(label)
    cards = [Entity(link.entity_type, link.entity_id) for link in a_question("r3", links=CARD).links]
    built = LiveGraph(one.ledger.history)
    for account in ("buyer", "second", "third"):
        asked = (account, cards, NOON + 3 * MINUTE)
        for worker in workers:
            with worker.ledger.database.reading() as connection:
                worker.source.read(connection, [])
            graph = worker.source.components
            assert graph is not None
            assert graph.near(*asked, judged=True) == built.near(*asked, judged=True)
            assert graph.facts(*asked) == built.facts(*asked)
    assert built.near("third", cards, NOON + 3 * MINUTE, judged=True)["near_abuse"] == 1.0
