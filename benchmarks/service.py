"""The running service under load, over loopback, beside an endpoint of the same framework that does nothing.

A home is filled first: a trained model, buyers with a past of about 200 events a question, one measured photo a question. The load comes from a
process of its own (`benchmarks/load.py`). Every figure is given by the
clock and, since machines are shared, as the server's own processor time a call.

    python -m benchmarks.service [--model FOLDER] [--only sqlite|postgres|soak] [--soak MINUTES] [--seconds 15] [--json FILE]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.service_world import World, a_model, fill, the_moment
from benchmarks.serving import CONNECTIONS, MOST_CALLS, SCORE, Run, doing_nothing, serving
from benchmarks.soak import LOOKED_AT, events_seen, soaked
from tests.databases import postgres_database, postgres_server
from tests.redis_servers import RedisServer

RATE = 200
POSTGRES_RATE = 400
WARM_UP_S = 4


@dataclass(frozen=True)
class Row:
    """One figure: what is to be reached, `reached` null where it is only told."""

    what: str
    to_reach: str
    measured: str
    reached: bool | None


def on_sqlite(run: Run, home: Path, seconds: float) -> tuple[list[Row], dict[str, Any]]:
    """One worker, SQLite, a durable ledger; the endpoint that does nothing before and after."""
    found: dict[str, Any] = {}
    with serving(home, 1, {}) as server:
        run.ask(server, SCORE, WARM_UP_S, None)
        with doing_nothing() as nothing:
            found["noop"] = run.ask(nothing, "/noop", seconds / 3, None)
        found["at_200"] = run.ask(server, SCORE, seconds, RATE)
        found["saturated"] = run.ask(server, SCORE, seconds, None)
        found |= {"ready_s": server.ready_s, "resident_mb": server.resident_mb()}
        found["actions"] = server.actions()
    found["events_median"] = median(events_seen(home, range(LOOKED_AT)))
    return _sqlite_rows(found), found


def _sqlite_rows(found: Mapping[str, Any]) -> list[Row]:
    steady, full, nothing = found["at_200"], found["saturated"], found["noop"]
    share = full["rate"] / nothing["rate"]
    return [
        Row("SQLite, 200 calls/s: p50", "< 3 ms", _ms(steady, "p50_ms"), steady["p50_ms"] < 3 and not steady["errors"]),  # noqa: PLR2004  # as the line says
        Row("SQLite, 200 calls/s: p99", "< 10 ms", _ms(steady, "p99_ms"), steady["p99_ms"] < 10),  # noqa: PLR2004  # as the line says
        Row("SQLite, saturated", ">= 800 calls/s", _rate(full), full["rate"] >= 800 and not full["errors"]),  # noqa: PLR2004  # as the line says
        Row("endpoint that does nothing, saturated", "", _rate(nothing), None),
        Row("throughput beside it", ">= 1/5", f"1/{1 / share:.1f}", share >= 0.2),  # noqa: PLR2004  # as the line says
        Row("processor time beside it", "", f"{full['server_ms'] / nothing['server_ms']:.1f}x", None),
        Row("start to ready", "< 6 s", f"{found['ready_s']:.1f} s", found["ready_s"] < 6),  # noqa: PLR2004  # as the line says
        Row("memory of the worker", "< 600 MB", f"{found['resident_mb']:.0f} MB", found["resident_mb"] < 600),  # noqa: PLR2004  # as the line says
    ]


def on_postgres(run: Run, home: Path, seconds: float, environment: Mapping[str, str]) -> tuple[list[Row], dict[str, Any]]:
    """Two workers, PostgreSQL and Redis."""
    with serving(home, 2, environment) as server:
        run.ask(server, SCORE, WARM_UP_S, None)
        found = {"at_400": run.ask(server, SCORE, seconds, POSTGRES_RATE), "saturated": run.ask(server, SCORE, seconds, None)}
    steady, full = found["at_400"], found["saturated"]
    return [
        Row("PostgreSQL + Redis, 2 workers, 400 calls/s: p99", "< 20 ms", _ms(steady, "p99_ms"), steady["p99_ms"] < 20 and not steady["errors"]),  # noqa: PLR2004  # as the line says
        Row("PostgreSQL + Redis, 2 workers, saturated", ">= 1,000 calls/s", _rate(full), full["rate"] >= 1_000 and not full["errors"]),  # noqa: PLR2004  # as the line says
    ], found


def _soak_row(soak: Mapping[str, Any]) -> Row:
    measured = (
        f"{soak['growth']:+.1%} ({soak['growth_a_minute']:+.2%} a minute) after warm-up, {soak['errors']} errors in {soak['minutes']:g} minutes; "
        f"a question saw {soak['events'][0]:.0f} events at first, {soak['events'][1]:.0f} at last"
    )
    return Row("soak at 100 calls/s", "< 2% growth, 0 errors", measured, soak["growth"] < 0.02 and not soak["errors"])  # noqa: PLR2004  # as the line says


def _ms(told: Mapping[str, float], name: str) -> str:
    return f"{told[name]:.2f} ms (own {told['server_ms']:.2f}, {told['errors']:.0f} errors)"


def _rate(told: Mapping[str, float]) -> str:
    return f"{told['rate']:,.0f} calls/s (own {told['server_ms']:.2f} ms, {told['errors']:.0f} errors)"


def show(rows: Sequence[Row], console: Console) -> None:
    """The table for people."""
    table = Table("what", "to reach", "measured", "", title="The service under load")
    for row in rows:
        table.add_row(row.what, row.to_reach, row.measured, {True: "reached", False: "[bold red]missed[/]", None: ""}[row.reached])
    console.print(table)


def measure(chosen: argparse.Namespace, folder: Path) -> tuple[list[Row], dict[str, Any]]:
    """Everything that was asked for, one after the other."""
    model = chosen.model or a_model(folder / "training")
    world = World(chosen.buyers, the_moment())
    photos = int(chosen.seconds * (MOST_CALLS + RATE + POSTGRES_RATE)) + WARM_UP_S * MOST_CALLS + 8 * CONNECTIONS
    rows: list[Row] = []
    found: dict[str, Any] = {}
    if chosen.only in (None, "sqlite"):
        fill(folder / "sqlite", model, world, photos, {})
        some, found["sqlite"] = on_sqlite(Run(folder, world), folder / "sqlite", chosen.seconds)
        rows += some
    if chosen.soak:
        found["soak"] = soaked(folder / "soak", model, chosen.soak)
        rows.append(_soak_row(found["soak"]))
    if chosen.only in (None, "postgres"):
        with ExitStack() as stack:
            redis = RedisServer()
            stack.callback(redis.remove)
            redis.start()
            address = stack.enter_context(postgres_database(stack.enter_context(postgres_server())))
            environment = {"REFUND_RISK_DATABASE_URL": address, "REFUND_RISK_REDIS_URL": redis.url}
            fill(folder / "postgres", model, world, photos, environment)
            some, found["postgres"] = on_postgres(Run(folder, world), folder / "postgres", chosen.seconds, environment)
            rows += some
    return rows, found


def main() -> None:
    """Measure, print the table, keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of a trained model; without it one is trained")
    parser.add_argument("--only", choices=("sqlite", "postgres", "soak"), help="one of the two stores, or the soak alone")
    parser.add_argument("--seconds", type=float, default=15, help="of each run")
    parser.add_argument("--buyers", type=int, default=4_000)
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="of 100 calls a second about many buyers")
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="service-") as folder:
        rows, found = measure(chosen, Path(folder))
    show(rows, Console())
    if chosen.json:
        chosen.json.write_text(json.dumps({"rows": [asdict(row) for row in rows], **found}, indent=1), encoding="utf-8")
    sys.exit(0 if all(row.reached is not False for row in rows) else 1)


if __name__ == "__main__":
    main()
