"""One entity that a million accounts used: what comes out is defined, and nobody else waits for it.

Beside it, the same million uses on things of four accounts each: what the crowd costs is measured against that, in processor time.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from time import process_time

import polars as pl
import pytest

from data_contracts.link import EntityType, Link
from data_contracts.tables import TIME, schema
from data_contracts.timeline import Entity
from graph.components import component_facts
from graph.live_components import LiveComponents
from graph.live_neighbours import LiveNeighbours
from graph.neighbour_kernel import LATEST
from graph.neighbourhood import MOST_NODES, neighbourhood
from graph.neighbours import all_aggregates, neighbour_facts
from graph.rings import build_rings
from graph.union_find import HUB_ACCOUNTS
from risk.stores import tables as stored
from risk.stores.database import Database, open_sqlite
from risk.stores.links import StoredLinks
from tests.graph.histories import START, history, label, request

pytestmark = pytest.mark.large

MILLION = 1_000_000
HUB = Entity(EntityType.ADDRESS, "tower")
PLAIN = Entity(EntityType.ADDRESS, "house-7")
NOW = START + timedelta(days=400)
MOST = 3.0
"""How much more processor time the crowd may cost than the same uses on things of their own."""

Tables = dict[str, pl.DataFrame]


def world(entity_id: pl.Expr) -> Tables:
    """A million uses of addresses in a year, one a person; 400 of the people claim, and every fourth claim is abuse."""
    number = pl.int_range(MILLION)
    moment = (pl.lit(START) + (number * 31).cast(pl.Duration("ms")) * 1_000).cast(TIME)
    links = pl.select(entity_type=pl.lit("address"), entity_id=entity_id, account_id=pl.lit("c") + number.cast(pl.String), known_at=moment)
    blank = [pl.lit(None, kind).alias(name) for name, kind in schema("links").items() if name not in links.columns and name != "occurred_at"]
    whole = links.with_columns(*blank, occurred_at="known_at").select(list(schema("links")))
    asked = [request(f"r{place}", f"c{place * 2_500}", 24 * 380 + place / 10) for place in range(400)]
    return history(asked, [], [label(f"r{place}", "abuse", 24 * 399) for place in range(0, 400, 4)]) | {"links": whole}


@pytest.fixture(scope="module")
def crowd() -> Tables:
    return world(pl.lit(HUB.id).repeat_by(1).list.first())


@pytest.fixture(scope="module")
def spread() -> Tables:
    return world(pl.lit("house-") + (pl.int_range(MILLION) // 4).cast(pl.String))


def used(run: Callable[[], object]) -> float:
    """Seconds of processor time, the shorter of two runs."""
    found = []
    for _ in range(2):
        began = process_time()
        run()
        found.append(process_time() - began)
    return min(found)


JOBS = {"components": component_facts, "neighbours": neighbour_facts, "rings": lambda tables: build_rings(tables, NOW)}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_crowd_costs_a_batch_job_no_more_than_the_same_uses_apart(crowd: Tables, spread: Tables, job: Callable[[Tables], object]) -> None:
    job(history([request("r", "a", 1)], [], []) | {"links": crowd["links"].head(3)})
    assert used(lambda: job(crowd)) < MOST * used(lambda: job(spread))


def test_a_crowd_joins_its_first_accounts_shows_its_latest_and_makes_no_ring(crowd: Tables) -> None:
    sizes = dict(component_facts(crowd).select("request_id", "component_accounts").rows())
    assert sizes.pop("r0") == HUB_ACCOUNTS
    assert set(sizes.values()) == {1.0}
    near = neighbour_facts(crowd, aggregates=all_aggregates())
    assert set(near["address_near_accounts"]) == {float(LATEST)}
    assert set(near["address_near_unseen"]) == {float(MILLION - LATEST)}  # the one who asks is among them
    assert [ring for ring in build_rings(crowd, NOW).rings if any(held.entity_id == HUB.id for held in ring.entities)] == []


def asked_live(add: Callable[[Link], None], ask: Callable[[str, Entity], object], entity: Entity, first: int) -> None:
    """Two hundred newcomers at an entity, each asked about with it."""
    for number in range(first, first + 200):
        moment = NOW + timedelta(seconds=number)
        add(Link(entity_type=entity.type, entity_id=entity.id, account_id=f"new{number}", occurred_at=moment, known_at=moment))
        ask(f"c{number * 2_000}", entity)


def test_newcomers_at_a_crowd_are_told_live_as_quickly_as_anywhere(crowd: Tables) -> None:
    components, neighbours = LiveComponents.of(crowd), LiveNeighbours.of(crowd)
    for add, ask in (
        (components.add_link, lambda account, entity: components.facts(account, [entity], NOW + timedelta(days=1))),
        (neighbours.add_link, lambda account, entity: neighbours.facts(account, [entity], NOW + timedelta(days=1))),
    ):
        asked_live(add, ask, PLAIN, 0)
        plain = used(lambda add=add, ask=ask: asked_live(add, ask, PLAIN, 200))  # type: ignore[misc]  # a default binds it
        assert used(lambda add=add, ask=ask: asked_live(add, ask, HUB, 400)) < MOST * plain  # type: ignore[misc]  # as above
    found = components.facts("c500000", [HUB], NOW + timedelta(days=2))
    assert found is not None
    assert found.accounts == 1


@pytest.fixture(scope="module")
def store(crowd: Tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The crowd, and one address of 400 people, in a store; indexes are made when all links are there."""
    database = open_sqlite(Path(tmp_path_factory.mktemp("crowd")) / "risk.db", 5_000)
    rows = crowd["links"].select(
        "entity_type", "entity_id", "account_id", occurred_us=pl.col("known_at").dt.epoch("us"), known_us=pl.col("known_at").dt.epoch("us")
    )
    rows = pl.concat([rows, rows.head(400).with_columns(entity_id=pl.lit(PLAIN.id))])
    with database.writing() as connection:
        for index in stored.links.indexes:
            index.drop(connection)
        database.add_many(connection, stored.links, rows.columns, rows.rows())
        for index in stored.links.indexes:
            index.create(connection)
        StoredLinks(database, connection).mark_all()
    yield database
    database.close()


def test_the_view_of_a_crowd_is_bounded_counts_the_rest_and_costs_what_others_cost(store: Database) -> None:
    with store.reading() as connection:
        links = StoredLinks(store, connection)
        shown = neighbourhood(links, HUB, NOW)
        assert len(shown.nodes) <= MOST_NODES
        assert shown.nodes[0].uses == MILLION
        assert shown.unread > MILLION - 1_000
        for node in (HUB, Entity(EntityType.ACCOUNT, "c999999")):
            crowded = used(lambda node=node: [neighbourhood(links, node, NOW) for _ in range(20)])  # type: ignore[misc]  # a default binds it
            assert crowded < MOST * used(lambda: [neighbourhood(links, PLAIN, NOW) for _ in range(20)])
    with store.writing() as connection:
        links = StoredLinks(store, connection)
        new = [Link(entity_type=HUB.type, entity_id=HUB.id, account_id=f"n{number}", occurred_at=NOW, known_at=NOW) for number in range(200)]
        other = [Link(entity_type=PLAIN.type, entity_id=PLAIN.id, account_id=f"n{number}", occurred_at=NOW, known_at=NOW) for number in range(200)]
        began = process_time()
        links.add(other)
        plain = process_time() - began
        began = process_time()
        links.add(new)
        assert process_time() - began < MOST * plain
        assert links.counts([HUB], 2**62) == {HUB: MILLION + 200}
