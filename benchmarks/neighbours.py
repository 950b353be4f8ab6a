"""Neighbour aggregates: a year's requests in batch, one question live, and what a hub of a million accounts costs everybody else.

python -m benchmarks.neighbours [--links 5000000] [--accounts 1000000] [--requests 1000000] [--rounds 3000] [--json out.json]
"""

import argparse
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.graph import END, memory_gb, seconds, tables_of
from data_contracts.link import EntityType, Link
from data_contracts.tables import TIME
from data_contracts.timeline import Entity
from graph.live_neighbours import LiveNeighbours
from graph.neighbours import neighbour_facts

MILLION = 1_000_000


def batch(accounts: int, links: int, requests: int) -> dict[str, Any]:
    """All requests at once, and a fifth of everything: is it linear?"""
    found: dict[str, Any] = {"links": links, "requests": requests}
    took = {}
    neighbour_facts(tables_of(100, 500, 100))
    for share in (5, 1):
        tables = tables_of(accounts // share, links // share, requests // share)
        began = time.process_time()
        wall, _ = seconds(lambda tables=tables: neighbour_facts(tables))
        took[share] = time.process_time() - began
        found[f"seconds_at_1/{share}"] = {"wall": wall, "cpu": took[share]}
    return found | {"exponent": float(np.log(took[1] / took[5]) / np.log(5)), "memory_gb": memory_gb()}


def with_hub(tables: dict[str, pl.DataFrame], accounts: int) -> dict[str, pl.DataFrame]:
    """The same with one device that a million accounts used."""
    names = pl.Series([f"crowd{number}" for number in range(accounts)])
    moments = pl.Series(np.linspace(0, 360 * 86_400, accounts)).cast(pl.Int64) * MILLION
    at = (pl.lit(END - timedelta(days=365)) + moments.cast(pl.Duration("us"))).cast(TIME)
    crowd = pl.DataFrame({"account_id": names}).with_columns(known_at=at, entity_type=pl.lit("device"), entity_id=pl.lit("hub"))
    none = [pl.lit(None, kind).alias(name) for name, kind in tables["links"].schema.items() if name in ("request_id", "order_id")]
    return tables | {"links": pl.concat([tables["links"], crowd.with_columns(*none, occurred_at="known_at").select(tables["links"].columns)])}


def live(tables: dict[str, pl.DataFrame], accounts: int, rounds: int) -> dict[str, Any]:
    """Events and questions one by one, of ordinary accounts and of the hub's."""
    random = np.random.default_rng(3)
    wall, state = seconds(lambda: LiveNeighbours.of(tables))
    asked = tables["links"]["account_id"].drop_nulls().unique().sort().sample(rounds, seed=1, with_replacement=True).to_list()
    devices = tables["links"].filter(pl.col("entity_type") == "device")["entity_id"].sample(rounds, seed=2, with_replacement=True).to_list()
    timed: dict[str, list[float]] = {"link": [], "question": [], "late_link": [], "hub_link": [], "hub_question": []}

    def clocked(name: str, run: Any) -> None:  # noqa: ANN401  # anything that can be called
        began = time.perf_counter()
        run()
        timed[name].append((time.perf_counter() - began) * 1e3)

    for number, (account, device) in enumerate(zip(asked, devices, strict=True)):
        now = END + timedelta(seconds=number)
        late = END - timedelta(days=float(random.uniform(0, 30)))
        used = {"entity_type": EntityType.DEVICE, "account_id": account}
        clocked("question", lambda account=account, device=device, now=now: state.facts(account, [Entity(EntityType.DEVICE, device)], now))
        clocked("link", lambda used=used, now=now, device=device: state.add_link(Link(**used, entity_id=device, occurred_at=now, known_at=now)))
        clocked("late_link", lambda used=used, late=late, now=now: state.add_link(Link(**used, entity_id=f"x{now}", occurred_at=late, known_at=late)))
        clocked("hub_question", lambda account=account, now=now: state.facts(account, [Entity(EntityType.DEVICE, "hub")], now))
        clocked("hub_link", lambda used=used, now=now: state.add_link(Link(**used, entity_id="hub", occurred_at=now, known_at=now)))
    shown = {name: {"p50_ms": float(np.quantile(each, 0.5)), "p99_ms": float(np.quantile(each, 0.99))} for name, each in timed.items()}
    return {"start_s": wall, "hub_accounts": accounts, **shown}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("links", 5 * MILLION), ("accounts", MILLION), ("requests", MILLION), ("rounds", 3_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = {"batch": batch(arguments.accounts, arguments.links, arguments.requests)}
    print(json.dumps(found["batch"], indent=1), flush=True)
    tables = tables_of(arguments.accounts, arguments.links, arguments.requests // 10)
    plain, _ = seconds(lambda: neighbour_facts(tables))
    crowded = with_hub(tables, arguments.accounts)
    hub, _ = seconds(lambda: neighbour_facts(crowded))
    found["hub"] = {"without_s": plain, "with_a_device_of_everybody_s": hub, **live(crowded, arguments.accounts, arguments.rounds)}
    print(json.dumps(found["hub"], indent=1), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
