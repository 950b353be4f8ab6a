"""What the service reads for a request is what batch sees of it, to the bit."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import SourceUnavailableError
from data_contracts.link import EntityType
from data_contracts.question import Question
from data_contracts.tables import TIME
from data_contracts.timeline import Stream
from features.batch import compute_batch
from features.catalog import FEATURES, discounted
from features.online import compute
from features.projection import currency_of
from features.reach import LOOK_BACK
from risk.api.decisions import REQUEST
from risk.api.edge import Edge
from risk.gather import Gatherer
from risk.identity import Identifiers
from risk.jobs.bodies import bodies
from risk.jobs.build_features import discounts_for, graph_facts, publish_discounts
from risk.jobs.live_graph import LiveGraph
from risk.jobs.load_history import known_before, load_tables
from risk.simulator.simulate import simulate
from risk.sources import NO_ANSWER, NOT_CONNECTED, Components, SlowFeatures, degraded
from risk.stores.database import Database, open_database
from risk.stores.discounts import StoredDiscounts
from risk.stores.history import History

EDGE = Edge(Identifiers(lambda _, raw: raw), timedelta(0))
Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Market:
    """A small simulated market, loaded into a store."""

    tables: Tables
    database: Database

    def question(self, request_id: str) -> Question:
        """The request as its caller would have asked it at its own moment."""
        body = next(bodies(self.tables, [request_id]))
        as_of = self.tables["refund_requests"].row(by_predicate=pl.col("request_id") == request_id, named=True)["known_at"]
        return EDGE.question(REQUEST.validate_json(json.dumps(body)), as_of)

    def gatherer(self, slow: SlowFeatures | None = None, components: Components | None = None) -> Gatherer:
        return Gatherer(History(self.database), slow, components, currency_of(self.tables))


@pytest.fixture(scope="module")
def market(database_url: str) -> Iterator[Market]:
    tables = simulate(4_000, 120, 3, datetime(2026, 11, 1, tzinfo=UTC))
    database = open_database(database_url, 5_000)
    load_tables(tables, database, currency_of(tables), replayable=True)
    yield Market(tables, database)
    database.close()


def test_online_facts_equal_batch_facts(market: Market) -> None:
    known = {name: frame for name, frame in market.tables.items() if name != "truth"}
    batch = {row["request_id"]: row for row in compute_batch(known, graph_facts(known), None).iter_rows(named=True)}
    gatherer = market.gatherer(components=LiveGraph(History(market.database)))
    asked = _fully_known(market.tables)
    assert len(asked) > 50
    for request_id in asked:
        facts = compute(gatherer.gather(market.question(request_id)))
        wrong = {feature.name: (facts.values[feature.name], batch[request_id][feature.name]) for feature in FEATURES}
        assert {name: pair for name, pair in wrong.items() if _plain(pair[0]) != _plain(pair[1])} == {}, request_id


def test_online_facts_equal_batch_facts_where_shared_things_were_learned_about(market: Market, tmp_path: Path) -> None:
    known = {name: frame for name, frame in market.tables.items() if name != "truth"}
    moment, names = datetime(2026, 10, 31, tzinfo=UTC), [each.name for each in discounted()]
    late = known["labels"].with_columns(known_at=pl.lit(moment).cast(TIME), value=pl.lit("abuse"), source=pl.lit("appeal"))
    with_late = known | {"labels": pl.concat([known["labels"], late])}
    assert publish_discounts(known, moment, StoredDiscounts(tmp_path)) == len(discounts_for(known))
    batch = {row["request_id"]: row for row in compute_batch(known, discounts=discounts_for(with_late)).iter_rows(named=True)}
    source = Gatherer(History(market.database), None, None, currency_of(market.tables), discounts=StoredDiscounts(tmp_path))
    learned = 0
    for request_id in _fully_known(market.tables):
        seen = source.gather(market.question(request_id))
        found = compute(seen).values
        assert {name: found[name] for name in names} == {name: batch[request_id][name] for name in names}, request_id
        learned += found != compute(replace(seen, discount=None)).values
    assert learned > 5


def _fully_known(tables: Tables) -> list[str]:
    """Requests of which nothing became known after they were asked: a body says all that its caller knows."""
    asked = tables["refund_requests"].select("request_id", asked_at="known_at").sort("asked_at")
    late = [
        frame.join(asked, on="request_id").filter(pl.col("known_at") > pl.col("asked_at"))["request_id"]
        for frame in (tables[name] for name in ("evidence", "observations", "measurements", "links"))
    ]
    found: list[str] = asked.filter(~pl.col("request_id").is_in(pl.concat(late).implode()))["request_id"].to_list()
    return found


def _plain(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def test_loading_only_the_past_gives_the_same_snapshot(market: Market, database: Database) -> None:
    request_id = _fully_known(market.tables)[-1]
    question = market.question(request_id)
    load_tables(known_before(market.tables, question.as_of), database, currency_of(market.tables))
    past = Gatherer(History(database), None, None, currency_of(market.tables)).gather(question)
    assert compute(past) == compute(market.gatherer().gather(question))


def test_loading_twice_changes_nothing(market: Market, database: Database) -> None:
    for _ in range(2):
        load_tables(market.tables, database, currency_of(market.tables), replayable=True)
    with database.reading() as once, market.database.reading() as other:
        for table in ("timeline_events", "request_places", "links", "accounts", "labels", "deliveries", "orders"):
            count = f"SELECT COUNT(*) FROM {table}"  # noqa: S608  # our own tables
            assert once.exec_driver_sql(count).scalar_one() == other.exec_driver_sql(count).scalar_one()


def test_an_empty_store_makes_history_unknown_not_zero(database: Database) -> None:
    body = REQUEST.validate_json('{"request_id": "r", "account_id": "a", "occurred_at": "2026-01-01T00:00:00Z", "amount_minor": 5}')
    seen = Gatherer(History(database), None, None, None).gather(EDGE.question(body, datetime(2026, 1, 2, tzinfo=UTC)))
    facts = compute(seen)
    assert seen.sources == frozenset()
    assert facts.values["account_requests_30d"] is None
    assert facts.values["evidence_pieces"] is None
    assert facts.missing["account_requests_30d"] == NOT_CONNECTED


class Silent:
    """A source that does not answer."""

    read_to = 0

    def follow(self, *_: object) -> None:
        """There is nothing to read."""

    def online_each(self, *_: object) -> list[dict[str, float | None]]:
        raise SourceUnavailableError("gone")

    def facts(self, *_: object) -> None:
        raise SourceUnavailableError("gone")

    def near(self, *_: object, judged: bool) -> dict[str, float | None]:  # noqa: ARG002  # as Components says it
        raise SourceUnavailableError("gone")


def test_a_silent_source_is_named_and_its_features_are_null(market: Market) -> None:
    question = market.question(_fully_known(market.tables)[0])
    seen = market.gatherer(slow=Silent(), components=Silent()).gather(question)
    facts = compute(seen)
    assert degraded(seen) == ("neighbourhood", "slow")
    assert facts.values["component_accounts"] is None
    assert facts.missing["component_accounts"] == NO_ANSWER


def test_a_source_that_was_never_set_up_is_missing_but_not_degraded(market: Market) -> None:
    assert degraded(market.gatherer().gather(market.question(_fully_known(market.tables)[0]))) == ()


def test_only_timelines_that_features_read_are_read(market: Market) -> None:
    seen = market.gatherer().gather(market.question(_fully_known(market.tables)[0]))
    assert {(entity.type, stream) for entity, stream in seen.timelines} <= set(LOOK_BACK)
    assert (EntityType.SELLER, Stream.REQUEST) in LOOK_BACK
    assert LOOK_BACK[EntityType.SELLER, Stream.REQUEST] is not None
