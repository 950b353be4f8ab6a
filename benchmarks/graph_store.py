"""The account graph through its databases: links with their indexes, durable updates, questions, and views next to a hub.

python -m benchmarks.graph_store [--links N] [--accounts N] [--rounds N] [--only views] [--keep DIR] [--url postgresql+psycopg://...] [--json FILE]
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Table

from benchmarks.graph import END, memory_gb, seconds, tables_of
from data_contracts.link import EntityType, Link
from data_contracts.timeline import COLUMNS, Entity, Stream
from features.projection import Projection
from graph.neighbourhood import neighbourhood
from risk.jobs.live_graph import LiveGraph
from risk.stores import tables as stored
from risk.stores.database import Database, open_database
from risk.stores.history import EVENT_COLUMNS, History
from risk.stores.links import LABEL_COLUMNS, LINK_COLUMNS, StoredLinks
from risk.stores.turns import Feed

HUB = Entity(EntityType.IP, "hub")
HUB_ACCOUNTS = 100_000
PART = 100_000


def with_hub(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables, and one network that a hundred thousand accounts use."""
    links = tables["links"]
    hub = links.sample(HUB_ACCOUNTS, seed=5).with_columns(entity_type=pl.lit(HUB.type.value), entity_id=pl.lit(HUB.id))
    return {**tables, "links": pl.concat([links, hub])}


def fill(database: Database, tables: Mapping[str, pl.DataFrame]) -> None:
    """Links, labels and the accounts' timelines, as loading a data set leaves them; indexes are made when all links are there."""
    times = (pl.col("occurred_at").dt.epoch("us").alias("occurred_us"), pl.col("known_at").dt.epoch("us").alias("known_us"))
    projection = Projection(tables, None)
    with database.writing() as connection:

        def add(table: Table, columns: tuple[str, ...], frame: pl.DataFrame) -> None:
            told = [name for name in columns if frame[name].null_count() < frame.height]
            for part in frame.select(told).iter_slices(PART):
                database.add_many(connection, table, told, part.rows())

        for index in stored.links.indexes:
            index.drop(connection)
        add(stored.links, LINK_COLUMNS, tables["links"].with_columns(times).sort("known_us"))
        for index in stored.links.indexes:
            index.create(connection)
        add(stored.labels, LABEL_COLUMNS, tables["labels"].with_columns(times))
        for stream in (Stream.REQUEST, Stream.LABEL):
            events = projection.events(EntityType.ACCOUNT, stream, COLUMNS).sort("entity_id", "known_us", "event_id")
            events = events.with_columns(entity_type=pl.lit("account"), stream=pl.lit(stream.value))
            add(stored.timeline_events, EVENT_COLUMNS, events)
        StoredLinks(database, connection).mark_all()
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def clocked(run: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor."""
    began, used = perf_counter(), thread_time()
    run()
    return (perf_counter() - began) * 1_000, (thread_time() - used) * 1_000


def measured(run: Callable[[int], object], rounds: int) -> list[tuple[float, float]]:
    """Milliseconds of each of several rounds, the first few left out."""
    return [clocked(lambda number=number: run(number)) for number in range(rounds + WARM)][WARM:]  # type: ignore[misc]  # a default binds it


WARM = 20


def told(name: str, found: list[tuple[float, float]], goal: str) -> dict[str, float]:
    """The usual and the slowest; beside it by processor time, which others on the machine disturb less."""
    wall, used = zip(*found, strict=True)
    return {
        f"{name}, p50, ms": float(np.percentile(wall, 50)),
        f"{name}, p99, ms{goal}": float(np.percentile(wall, 99)),
        f"{name}, p99 of processor time, ms": float(np.percentile(used, 99)),
    }


def updates(database: Database, live: LiveGraph, rounds: int) -> dict[str, Any]:
    """One durable link, then the link features of one request that must see it, as a decision would ask for them."""
    rng = np.random.default_rng(3)
    wrote: list[tuple[float, float]] = []
    asked: list[tuple[float, float]] = []
    history, feed = History(database), Feed(database, live.read_to)
    with database.reading() as connection:
        since = END + timedelta(
            seconds=database.fetch(connection, "SELECT MAX(link_no) FROM links", ())[0][0]
        )  # a store that is kept has links from before

    def write(number: int) -> None:
        moment = since + timedelta(seconds=number)
        name, account = f"e{rng.integers(0, 1_000)}", f"a{rng.integers(0, 1_000)}"
        link = Link(entity_type=EntityType.DEVICE, entity_id=name, account_id=account, occurred_at=moment, known_at=moment)
        with database.writing() as connection:
            history.take(connection, (), [link])

    def ask(number: int) -> None:
        with database.reading() as connection:
            live.follow(connection, feed.news(connection))
        own = [Entity(EntityType.DEVICE, f"e{rng.integers(0, 1_000)}")]
        live.facts(f"a{rng.integers(0, 1_000)}", own, since + timedelta(seconds=number, milliseconds=1))

    for number in range(rounds + WARM):
        wrote.append(clocked(lambda number=number: write(number)))  # type: ignore[misc]  # a default binds it
        asked.append(clocked(lambda number=number: ask(number)))  # type: ignore[misc]  # as above
    return told("durable update of a link", wrote[WARM:], "") | told("link features of one request", asked[WARM:], " (to reach < 2)")


def views(database: Database, accounts: int, rounds: int) -> dict[str, Any]:
    """Two hops around accounts (all of them near the large networks of `tables_of`), around the hub, and around accounts behind it."""
    rng = np.random.default_rng(4)
    moments = [END - timedelta(days=int(days)) for days in rng.integers(0, 300, rounds + WARM)]
    with database.reading() as connection:
        links = StoredLinks(database, connection)
        behind = [use.account_id for use in links.latest([HUB], 2**62, rounds + WARM)[HUB]]

    def view(node: Entity, number: int, *, past: bool = False) -> int:
        with database.reading() as connection:
            return len(neighbourhood(StoredLinks(database, connection), node, moments[number] if past else END).nodes)

    nodes = [Entity(EntityType.ACCOUNT, f"a{number}") for number in rng.integers(0, accounts, rounds + WARM)]
    goal = " (to reach < 10)"
    shown = [view(node, 0) for node in nodes[:WARM]]
    return (
        {"nodes shown around an account, median": float(np.median(shown)), "nodes shown around the hub": view(HUB, 0)}
        | told("around an account", measured(lambda number: view(nodes[number], number), rounds), goal)
        | told("around an account, in the past", measured(lambda number: view(nodes[number], number, past=True), rounds), goal)
        | told("around the hub", measured(lambda number: view(HUB, number), rounds // 4), goal)
        | told("around the hub, in the past", measured(lambda number: view(HUB, number, past=True), rounds // 4), goal)
        | told("behind the hub", measured(lambda number: view(Entity(EntityType.ACCOUNT, behind[number]), number), rounds // 4), goal)
    )


def through(url: str, tables: Mapping[str, pl.DataFrame], asked: argparse.Namespace) -> dict[str, Any]:
    """Everything through one database; views alone when nothing else is asked for."""
    accounts, rounds, only = asked.accounts, asked.rounds, asked.only
    database = open_database(url, 60_000)
    with database.reading() as connection:
        there = database.fetch(connection, "SELECT link_no FROM links LIMIT 1", ())
    filled_s = 0.0 if there else seconds(lambda: fill(database, tables))[0]
    found = {"links": tables["links"].height, "filled, s (0: it was full)": filled_s}
    if only == "views":
        return found | views(database, accounts, rounds)
    started_s, live = seconds(lambda: LiveGraph(History(database)))
    found |= {"live graph built and checked, s": started_s, **views(database, accounts, rounds), **updates(database, live, rounds)}
    database.close()
    return found | {"peak memory so far, GB": memory_gb()}


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=5_000_000)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--url", help="An empty PostgreSQL database to measure as well.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=("views",), help="Measure views alone, without building the live graph.")
    parser.add_argument("--keep", type=Path, help="A folder for the SQLite file, so that the next run need not fill it.")
    asked = parser.parse_args()
    tables = with_hub(tables_of(asked.accounts, asked.links, asked.accounts // 5))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        file = (asked.keep or Path(folder)) / "risk.db"
        found["SQLite"] = through(f"sqlite:///{file}", tables, asked) | {"file, GB": file.stat().st_size / 1e9}
    if asked.url:
        found["PostgreSQL"] = through(asked.url, tables, asked)
    for title, lines in found.items():
        print(title)
        for name, value in lines.items():
            print(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
