"""Links in the store say what the same links in memory say, on both databases."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from sqlalchemy import text

from data_contracts.link import EntityType, Link
from data_contracts.timeline import NEVER, Entity
from features.streams import link_events
from graph.events import microseconds
from graph.neighbourhood import neighbourhood
from risk.jobs.load_history import load_tables
from risk.stores.database import Database
from risk.stores.history import History
from risk.stores.links import EVERY, StoredLinks
from tests.graph.histories import START, at, history, label, link, request
from tests.graph.ring_stories import ring_world
from tests.graph.table_links import TableLinks

NOW = at(10_000)
HUB = Entity(EntityType.ADDRESS, "locker")
BUSY = Entity(EntityType.ACCOUNT, "busy")


def a_hub(seed: int, uses: int) -> list[Link]:
    """Uses of a locker by many and of many devices by one account, half of them told late, several at one moment."""
    rng = np.random.default_rng(seed)
    hours = rng.integers(0, 300, uses)
    rows = [link(f"a{rng.integers(60)}", "locker", float(hour), "address") for hour in hours]
    rows += [link("busy", f"d{rng.integers(500)}", float(hour)) for hour in hours]
    return [Link(**row, occurred_at=START) for row in rows]


def told(links: list[Link]) -> Mapping[str, pl.DataFrame]:
    rows = [
        {name: getattr(each, name) for name in ("entity_type", "entity_id", "account_id", "request_id", "known_at", "occurred_at")} for each in links
    ]
    return history([request("r", "busy", 0)], rows)  # type: ignore[arg-type]  # rows of plain values


@pytest.mark.parametrize("at_once", [True, False])
def test_counts_and_latest_uses_as_of_any_moment_equal_those_in_memory(database: Database, *, at_once: bool) -> None:
    links = a_hub(1, 3 * EVERY)
    if at_once:
        load_tables(told(links), database, None)
    for start in range(0, 0 if at_once else len(links), 40):
        with database.writing() as connection:
            StoredLinks(database, connection).add(links[start : start + 40])
    memory = TableLinks(told(links), NOW)
    with database.reading() as connection:
        stored = StoredLinks(database, connection)
        assert connection.execute(text("SELECT COUNT(*) FROM link_marks")).scalar_one() >= 2
        for hour in (0, 1, 77, 150, 299, 300, 9_999):
            before_us = microseconds(at(hour))
            assert stored.counts([HUB, BUSY], before_us) == memory.counts([HUB, BUSY], before_us)
            assert stored.latest([HUB, BUSY], before_us, 50) == memory.latest([HUB, BUSY], before_us, 50)
        unknown = Entity(EntityType.DEVICE, "nobody's")
        assert stored.counts([unknown], microseconds(NOW)) == {unknown: 0}


def test_the_same_link_is_kept_once_and_its_marks_count_it_once(database: Database) -> None:
    links = a_hub(2, EVERY)
    with database.writing() as connection:
        fresh = StoredLinks(database, connection).add(links)
        assert StoredLinks(database, connection).add(links[::2]) == 0
    assert fresh == len(set(links))
    with database.reading() as connection:
        counted = StoredLinks(database, connection).counts([HUB, BUSY], microseconds(NOW))
    assert counted == TableLinks(told(links), NOW).counts([HUB, BUSY], microseconds(NOW))


def test_a_link_without_an_account_is_kept_and_ties_nobody(database: Database) -> None:
    nameless = Link(entity_type=EntityType.IP, entity_id="n", order_id="o", occurred_at=START, known_at=START)
    with database.writing() as connection:
        stored = StoredLinks(database, connection)
        assert (stored.add([nameless]), stored.add([nameless])) == (1, 0)
        assert History(database).links(connection, order_id="o") == [nameless]
        node = Entity(EntityType.IP, "n")
        assert (stored.counts([node], microseconds(NOW)), stored.latest([node], microseconds(NOW), 5)) == ({node: 0}, {node: []})


def as_events(links: list[Link], node: Entity) -> list[tuple[object, ...]]:
    """What links leave on the timeline of a node, in its order."""
    rows = {row for each in links for entity, _, row in link_events(each) if entity == node}
    return sorted(rows, key=lambda row: (row[2], row[0]))


@pytest.mark.parametrize("node", [HUB, BUSY])
def test_links_are_the_events_of_both_sides_bounded_from_a_moment_on_and_by_their_number(database: Database, node: Entity) -> None:
    links = a_hub(3, 90)
    with database.writing() as connection:
        stored = StoredLinks(database, connection)
        stored.add(links)
        due, since_us = as_events(links, node), microseconds(at(150))
        found = {most: stored.events([(7, node, since_us), (8, node, 0)], most) for most in (1, 20, 500)}
    for most, rows in found.items():
        first = due[-most][2] if len(due) > most else 0  # and all that became known together with it
        for number, begin in ((7, max(first, since_us)), (8, first)):
            mine = sorted((row[1:] for row in rows if row[0] == number), key=lambda row: (row[2], row[0]))
            assert mine == [row for row in due if row[2] >= begin]


def test_a_revision_ends_the_links_of_its_request_once(database: Database) -> None:
    rows = [Link(**link("a", name, 1, request="r"), occurred_at=START) for name in ("d1", "d2")]
    other = Link(**link("a", "d1", 1, request="other"), occurred_at=START)
    device = Entity(EntityType.DEVICE, "d1")
    with database.writing() as connection:
        stored = StoredLinks(database, connection)
        stored.add([*rows, other])
        assert set(stored.end("r", 5)) == {device, Entity(EntityType.DEVICE, "d2"), Entity(EntityType.ACCOUNT, "a")}
        assert stored.end("r", 9) == []
        assert sorted((row[1].split("|")[3], row[4]) for row in stored.events([(0, device, 0)], 10)) == [("other", NEVER), ("r", 5)]
        assert [stored.has(each) for each in (rows[0], Link(**link("b", "d1", 1, request="r"), occurred_at=START))] == [True, False]


def test_views_from_the_store_equal_views_from_memory(database: Database) -> None:
    tables = ring_world()
    tables["labels"] = pl.concat([tables["labels"], history([], [], [label(tables["labels"]["request_id"][0], "honest", 70, "appeal")])["labels"]])
    load_tables(tables, database, None, replayable=True)
    memory = TableLinks(tables, NOW)
    with database.reading() as connection:
        stored = StoredLinks(database, connection)
        for moment in [at(0), at(30), at(52), at(60), at(71), at(200), NOW]:
            for node in (Entity(EntityType.ACCOUNT, "m0"), Entity(EntityType.DEVICE, "ring-device"), Entity(EntityType.IP, "nobody's")):
                assert neighbourhood(stored, node, moment) == neighbourhood(memory, node, moment)


def test_every_text_is_ordered_by_its_bytes(database: Database) -> None:
    """Upper case before lower case, letters of other scripts last: so events of one moment have one order on both databases."""
    names = ["b", "B", "a", "A", "é", "龙", "_", "~"]
    rows = [Link(**link(name, "shared", 1), occurred_at=START) for name in names]
    with database.writing() as connection:
        stored = StoredLinks(database, connection)
        stored.add(rows)
        found = stored.latest([Entity(EntityType.DEVICE, "shared")], microseconds(at(1) + timedelta(seconds=1)), 50)
        if not database.is_sqlite:
            by_language = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text'"
            assert connection.execute(text(f"{by_language} AND collation_name IS DISTINCT FROM 'C'")).all() == []
    assert [use.account_id for use in next(iter(found.values()))] == sorted(names, key=str.encode, reverse=True)
