"""The running service under load, over loopback, beside an endpoint of the same framework that does nothing.

A home is filled first: a trained model, buyers with a past of about 200 events a question, one measured photo a question. The load comes from a
process of its own (`benchmarks/load.py`). Every figure is given by the
clock and, since machines are shared, as the server's own processor time a call.

    python -m benchmarks.service [--model FOLDER] [--only sqlite|postgres] [--soak MINUTES] [--seconds 15] [--json FILE]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.load import Outcome, Plan
from benchmarks.service_world import World, a_model, fill, the_moment
from tests.databases import postgres_database, postgres_server
from tests.redis_servers import RedisServer

SCORE = "/v1/refund-requests/score"
CONNECTIONS = 32
"""Callers at once when there is no rate."""
RATE, SOAK_RATE = 200, 100
POSTGRES_RATE = 400
WARM_UP_S = 4
TICKS = os.sysconf("SC_CLK_TCK")
MOST_CALLS = 3_000
"""Calls a second for which questions are prepared when there is no rate."""


@dataclass(frozen=True)
class Row:
    """One figure: what is to be reached, `reached` null where it is only told."""

    what: str
    to_reach: str
    measured: str
    reached: bool | None


@dataclass
class Server:
    """A server that runs, with its processes."""

    port: int
    key: str
    process: subprocess.Popen[str]
    ready_s: float

    def pids(self) -> list[int]:
        """The process and all that it started."""
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, task.read_text(encoding="ascii").split())
        return found

    def own_s(self) -> float:
        """Processor time of all of them so far."""
        return sum(sum(map(int, _stat(pid)[11:13])) for pid in self.pids()) / TICKS

    def resident_mb(self) -> float:
        """Memory of the largest of them, in megabytes."""
        return max(int(_stat(pid)[21]) * os.sysconf("SC_PAGE_SIZE") for pid in self.pids()) / 1e6


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()


@contextmanager
def serving(home: Path, workers: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """The service over a home, as its operator starts it."""
    program = [sys.executable, "-m", "risk", "serve", "--home", str(home), "--port", "0", "--json"]
    program += ["--workers", str(workers)] if workers > 1 else []
    began = time.perf_counter()
    with (home / "serve.log").open("w", encoding="utf-8") as log:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "REFUND_RISK_CALLS_PER_SECOND": "100000", **environment}
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)  # our own program
    try:
        started = json.loads(process.stdout.readline() or "{}") if process.stdout else {}
        if "address" not in started:
            message = f"the service did not start; {home / 'serve.log'} says why"
            raise RuntimeError(message)
        _until_it_answers(f"{started['address']}/healthz")
        yield Server(int(started["address"].rpartition(":")[2]), started["api_key"], process, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@contextmanager
def doing_nothing() -> Iterator[Server]:
    """The endpoint that does nothing, in the same framework."""
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.noop", str(port)], text=True)  # our own program
    try:
        began = time.perf_counter()
        _until_it_answers(f"http://127.0.0.1:{port}/noop")
        yield Server(port, "none", process, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until_it_answers(address: str) -> None:
    for _ in range(2_000):
        try:
            if httpx.get(address, timeout=5).status_code < 500:  # noqa: PLR2004  # it is up
                return
        except httpx.TransportError:
            time.sleep(0.01)
    message = f"{address} does not answer"
    raise RuntimeError(message)


class Run:
    """Questions that are asked once each, and the servers that they are asked of."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world, self._next = folder, world, 0

    def ask(self, server: Server, path: str, seconds: float, rate: float | None) -> dict[str, float]:
        """One run of the load generator, with the server's own time for a call."""
        count = int(seconds * (rate or MOST_CALLS)) + CONNECTIONS
        bodies = self.folder / "bodies"
        bodies.write_bytes(b"\n".join(self.world.bodies(self._next, count)))
        if path == SCORE:
            self._next += count
        plan = Plan(server.port, path, server.key, str(bodies), seconds, CONNECTIONS, rate)
        own = server.own_s()
        told = subprocess.run(  # our own program
            [sys.executable, "-m", "benchmarks.load"], input=json.dumps(asdict(plan)), stdout=subprocess.PIPE, text=True, check=True
        )
        outcome = Outcome(**json.loads(told.stdout))
        return {**asdict(outcome), "rate": outcome.rate, "server_ms": (server.own_s() - own) / outcome.calls * 1000}


def on_sqlite(run: Run, home: Path, seconds: float, soak_minutes: float) -> tuple[list[Row], dict[str, Any]]:
    """One worker, SQLite, a durable ledger; the endpoint that does nothing before and after."""
    found: dict[str, Any] = {}
    with serving(home, 1, {}) as server:
        run.ask(server, SCORE, WARM_UP_S, None)
        with doing_nothing() as nothing:
            found["noop"] = run.ask(nothing, "/noop", seconds / 3, None)
        found["at_200"] = run.ask(server, SCORE, seconds, RATE)
        found["saturated"] = run.ask(server, SCORE, seconds, None)
        found |= {"ready_s": server.ready_s, "resident_mb": server.resident_mb()}
        rows = _sqlite_rows(found)
        if soak_minutes:
            found["soak"] = soaked(run, server, soak_minutes)
            rows.append(_soak_row(found["soak"]))
    found["actions"] = _actions(home)
    return rows, found


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


def soaked(run: Run, server: Server, minutes: float) -> dict[str, Any]:
    """Memory and errors over a long run, minute by minute; the first sixth is warm-up."""
    steps = max(6, round(minutes))
    memory, errors, p99 = [], 0, []
    for _ in range(steps):
        told = run.ask(server, SCORE, minutes * 60 / steps, SOAK_RATE)
        memory.append(server.resident_mb())
        errors += int(told["errors"])
        p99.append(told["p99_ms"])
    warm = memory[len(memory) // 6]
    return {"minutes": minutes, "resident_mb": memory, "growth": max(memory[len(memory) // 6 :]) / warm - 1, "errors": errors, "p99_ms": p99}


def _soak_row(soak: Mapping[str, Any]) -> Row:
    measured = f"{soak['growth']:+.1%}, {soak['errors']} errors in {soak['minutes']:g} minutes"
    return Row("soak at 100 calls/s", "< 2% growth, 0 errors", measured, soak["growth"] < 0.02 and not soak["errors"])  # noqa: PLR2004  # as the line says


def _ms(told: Mapping[str, float], name: str) -> str:
    return f"{told[name]:.2f} ms (own {told['server_ms']:.2f}, {told['errors']:.0f} errors)"


def _rate(told: Mapping[str, float]) -> str:
    return f"{told['rate']:,.0f} calls/s (own {told['server_ms']:.2f} ms, {told['errors']:.0f} errors)"


def _actions(home: Path) -> dict[str, int]:
    """What was decided, and how many events questions saw in the median."""
    import sqlite3

    with sqlite3.connect(home / "risk.db") as connection:
        actions = "SELECT record ->> '$.decision.action', COUNT(*) FROM decisions GROUP BY 1"
        events = "SELECT record ->> '$.snapshot.events' AS seen FROM decisions ORDER BY seen LIMIT 1 OFFSET (SELECT COUNT(*) / 2 FROM decisions)"
        return {**dict(connection.execute(actions).fetchall()), "events_median": connection.execute(events).fetchone()[0]}


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
    if chosen.only != "postgres":
        fill(folder / "sqlite", model, world, photos + int(chosen.soak * 60 * SOAK_RATE), {})
        some, found["sqlite"] = on_sqlite(Run(folder, world), folder / "sqlite", chosen.seconds, chosen.soak)
        rows += some
    if chosen.only != "sqlite":
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
    parser.add_argument("--only", choices=("sqlite", "postgres"), help="one of the two stores")
    parser.add_argument("--seconds", type=float, default=15, help="of each run")
    parser.add_argument("--buyers", type=int, default=4_000)
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="of 100 calls a second at the end")
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
