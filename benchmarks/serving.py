"""Servers as processes of their own, and what they are asked: the service as its operator starts it, and an endpoint that does nothing."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from benchmarks.load import Outcome, Plan
from benchmarks.service_world import World

SCORE = "/v1/refund-requests/score"
CONNECTIONS = 32
"""Callers at once when there is no rate."""
MOST_CALLS = 3_000
"""Calls a second for which questions are prepared when there is no rate."""
TICKS = os.sysconf("SC_CLK_TCK")


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

    def actions(self) -> dict[str, int]:
        """How often it decided what, all workers together."""
        told = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
        return {action: int(float(count)) for action, count in re.findall(r'^refund_risk_decisions_total{action="(\w+)"} (\S+)$', told, re.MULTILINE)}


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
        _until(f"{started['address']}/readyz", {HTTPStatus.OK})
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
        _until(f"http://127.0.0.1:{port}/noop", {HTTPStatus.METHOD_NOT_ALLOWED})
        yield Server(port, "none", process, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(timeout=60)


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


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until(address: str, wanted: Container[int]) -> None:
    """Ask until the answer is one of these."""
    for _ in range(2_000):
        try:
            if httpx.get(address, timeout=5).status_code in wanted:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.01)
    message = f"{address} does not answer as it should"
    raise RuntimeError(message)
