"""A load generator as a process of its own: HTTP/1.1 over kept connections, requests encoded before the clock starts, a few microseconds a call.

With a rate the loop is open: a call's latency counts from the moment at which it was due, so a server that falls behind cannot slow the questions
down. Without one every connection asks again as soon as it is answered. The event loop's own clock and timers know whole milliseconds only, so
neither is used.

    python -m benchmarks.load < plan.json
"""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import cast

import uvloop

END = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(frozen=True)
class Plan:
    """What to send where: bodies are one a line. `rate`: calls a second, null for as many as are answered; `seconds` at most."""

    port: int
    path: str
    key: str
    bodies: str
    seconds: float
    connections: int
    rate: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it; latencies in milliseconds, `own_ms` is this process's work for one call."""

    calls: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    own_ms: float

    @property
    def rate(self) -> float:
        """Calls answered a second."""
        return self.calls / self.seconds


class Connection(asyncio.Protocol):
    """One kept connection with at most one call on it."""

    def __init__(self, done: "Callable[[Connection, int], None]") -> None:
        self._done = done
        self._read = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, request: bytes) -> None:
        """Ask."""
        assert self._transport is not None  # noqa: S101  # connected before anything is sent
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take in an answer, in however many parts it comes."""
        self._read += data
        head = self._read.find(END)
        if head < 0:
            return
        at = self._read.lower().find(LENGTH) + len(LENGTH)
        if len(self._read) >= head + len(END) + int(self._read[at : self._read.index(b"\r", at)]):
            status, self._read = int(self._read[9:12]), b""
            self._done(self, status)

    def connection_lost(self, _error: Exception | None) -> None:
        """A call on it is an error."""
        self._done(self, 0)


class Load:
    """One run of a plan."""

    def __init__(self, plan: Plan, requests: list[bytes]) -> None:
        self.plan, self._left = plan, deque(requests)
        self._due: deque[float] = deque()
        self._idle: deque[Connection] = deque()
        self._asked: dict[Connection, float] = {}
        self._took: list[float] = []
        self._errors = 0
        self._stop_at = 0.0
        self._all_due = plan.rate is None
        self._over = asyncio.Event()

    async def run(self) -> Outcome:
        """Send everything, or until the time is over, and wait for the last answer."""
        loop, plan = asyncio.get_running_loop(), self.plan
        for _ in range(plan.connections):
            _, connection = await loop.create_connection(lambda: Connection(self._answered), "127.0.0.1", plan.port)
            self._idle.append(connection)
        own, begin = time.process_time(), perf_counter()
        self._stop_at = begin + plan.seconds
        if plan.rate is None:
            for connection in list(self._idle):
                self._ask(connection, perf_counter())
            self._idle.clear()
        else:
            calls = min(len(self._left), int(plan.rate * plan.seconds))
            for number in range(calls):
                due = begin + number / plan.rate
                if (wait := due - perf_counter()) > 0:
                    await asyncio.to_thread(time.sleep, wait)
                if self._idle:
                    self._ask(self._idle.popleft(), due)
                else:
                    self._due.append(due)
            self._all_due = True
        if self._asked or self._due:
            await self._over.wait()
        took = sorted(self._took)
        seconds, own = perf_counter() - begin, time.process_time() - own
        p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
        return Outcome(len(took), self._errors, seconds, p50, p99, took[-1] * 1000, own / len(took) * 1000)

    def _ask(self, connection: Connection, due: float) -> None:
        self._asked[connection] = due
        connection.send(self._left.popleft())

    def _answered(self, connection: Connection, status: int) -> None:
        due = self._asked.pop(connection, None)
        if due is None:
            return  # closed at the end
        now = perf_counter()
        self._took.append(now - due)
        self._errors += status != 200  # noqa: PLR2004  # all went well
        if status and self.plan.rate is None and now < self._stop_at and self._left:
            self._ask(connection, now)
        elif status and self._due:
            self._ask(connection, self._due.popleft())
        elif status:
            self._idle.append(connection)
        if self._all_due and not self._asked:
            self._over.set()  # also where calls are due and no connection is left to make them


def encoded(plan: Plan, body: bytes) -> bytes:
    """One request as it goes over the wire."""
    head = (
        f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {plan.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Read the plan, run it, print what came of it."""
    plan = Plan(**json.load(sys.stdin))
    requests = [encoded(plan, line) for line in Path(plan.bodies).read_bytes().splitlines()]

    async def run() -> Outcome:
        return await Load(plan, requests).run()

    outcome = uvloop.run(run())
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
