"""The account graph through its databases: links with their indexes, durable updates, questions, and views next to a hub.

python -m benchmarks.graph_store [--links 5000000] [--accounts 1000000] [--rounds 500] [--url postgresql+psycopg://...] [--json out.json]
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from benchmarks.graph import END, memory_gb, seconds, tables_of
from data_contracts.link import EntityType, Link
from data_contracts.timeline import Entity, Stream
from features.projection import Projection
from graph.neighbourhood import neighbourhood
from risk.jobs.live_graph import LiveGraph
from risk.stores import tables as stored
from risk.stores.database import Database, open_database
from risk.stores.history import EVENT_COLUMNS, History
from risk.stores.links import LABEL_COLUMNS, LINK_COLUMNS, StoredLinks

HUB = Entity(EntityType.IP, "hub")
HUB_ACCOUNTS = 100_000
PART = 100_000


def with_hub(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables, and one network that a hundred thousand accounts use."""
    links = tables["links"]
    hub = links.sample(HUB_ACCOUNTS, seed=5).with_columns(entity_type=pl.lit(HUB.type.value), entity_id=pl.lit(HUB.id))
    return {**tables, "links": pl.concat([links, hub])}


def fill(database: Database, tables: Mapping[str, pl.DataFrame]) -> None:
    """Links, labels and the accounts' timelines, as loading a data set leaves them."""
    times = (pl.col("occurred_at").dt.epoch("us").alias("occurred_us"), pl.col("known_at").dt.epoch("us").alias("known_us"))
    projection = Projection(tables, None)
    with database.writing() as connection:

        def add(table: Any, columns: tuple[str, ...], frame: pl.DataFrame) -> None:  # noqa: ANN401  # a table
            for part in frame.select(columns).iter_slices(PART):
                database.add_many(connection, table, columns, part.rows())

        add(stored.links, LINK_COLUMNS, tables["links"].with_columns(times))
        add(stored.labels, LABEL_COLUMNS, tables["labels"].with_columns(times))
        for stream in (Stream.REQUEST, Stream.LABEL):
            events = projection.events(EntityType.ACCOUNT, stream).with_columns(entity_type=pl.lit("account"), stream=pl.lit(stream.value))
            add(stored.timeline_events, EVENT_COLUMNS, events)
        StoredLinks(database, connection).mark_all()


def measured(run: Callable[[int], object], rounds: int) -> list[float]:
    """Milliseconds of each of several rounds, the first few left out."""
    found = []
    for number in range(rounds + WARM):
        began = perf_counter()
        run(number)
        found.append((perf_counter() - began) * 1_000)
    return found[WARM:]


WARM = 20


def told(name: str, found: list[float], goal: str) -> dict[str, float]:
    """The usual and the slowest."""
    return {f"{name}, p50, ms": float(np.percentile(found, 50)), f"{name}, p99, ms{goal}": float(np.percentile(found, 99))}


def updates(database: Database, live: LiveGraph, rounds: int) -> dict[str, Any]:
    """One durable link, then the link features of one request that must see it, as a decision would ask for them."""
    rng = np.random.default_rng(3)
    wrote: list[float] = []

    def write(number: int) -> None:
        moment = END + timedelta(seconds=number)
        name, account = f"e{rng.integers(0, 1_000)}", f"a{rng.integers(0, 1_000)}"
        link = Link(entity_type=EntityType.DEVICE, entity_id=name, account_id=account, occurred_at=moment, known_at=moment)
        with database.writing() as connection:
            StoredLinks(database, connection).add([link])

    def ask(number: int) -> None:
        began = perf_counter()
        write(number)
        wrote.append((perf_counter() - began) * 1_000)
        began = perf_counter()
        with database.reading() as connection:
            live.follow(connection)
        live.facts(
            f"a{rng.integers(0, 1_000)}", [Entity(EntityType.DEVICE, f"e{rng.integers(0, 1_000)}")], END + timedelta(seconds=number, milliseconds=1)
        )
        asked.append((perf_counter() - began) * 1_000)

    asked: list[float] = []
    measured(ask, rounds)
    return told("durable update of a link", wrote[WARM:], " (to reach < 2)") | told("link features of one request", asked[WARM:], " (to reach < 2)")


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


def through(url: str, tables: Mapping[str, pl.DataFrame], accounts: int, rounds: int) -> dict[str, Any]:
    """Everything through one database."""
    database = open_database(url, 60_000)
    filled_s, _ = seconds(lambda: fill(database, tables))
    started_s, live = seconds(lambda: LiveGraph(History(database)))
    found = {
        "links": tables["links"].height,
        "filled, s": filled_s,
        "live graph built and checked, s": started_s,
        **views(database, accounts, rounds),
        **updates(database, live, rounds),
        "peak memory so far, GB": memory_gb(),
    }
    database.close()
    return found


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=5_000_000)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--url", help="An empty PostgreSQL database to measure as well.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    tables = with_hub(tables_of(asked.accounts, asked.links, asked.accounts // 5))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "risk.db"
        found["SQLite"] = through(f"sqlite:///{file}", tables, asked.accounts, asked.rounds) | {"file, GB": file.stat().st_size / 1e9}
    if asked.url:
        found["PostgreSQL"] = through(asked.url, tables, asked.accounts, asked.rounds)
    for title, lines in found.items():
        print(title)
        for name, value in lines.items():
            print(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
