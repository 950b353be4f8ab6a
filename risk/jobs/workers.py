"""Several workers on one store and one socket: each a process of its own, started again when it dies, stopped together.

This process only watches: it opens no store and holds no model. What a worker needs to know of the others is in the store.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import structlog
from prometheus_client.multiprocess import mark_process_dead

from data_contracts.errors import RiskError
from risk.jobs.listening import address_of, listen
from risk.logs import configure_logs
from risk.settings import read_settings

log = structlog.get_logger()

TICK_S = 0.1
STOP_S = 40
"""How long workers may take to stop: twenty seconds for calls in progress, as long again for a look at a file that was begun."""

SOON_S = 10
"""A worker that dies within that time of its start has failed to start."""

PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""How long the first pause before a new try is; it doubles with each failure to start, up to the second."""


@dataclass
class Worker:
    """A place for a worker: the process in it, when that was started, and how often in a row it failed to start."""

    process: subprocess.Popen[str]
    since: float
    failures: int = 0
    again_at: float | None = None


@dataclass
class Workers:
    """The running workers. `started` is what the first of them said of the service."""

    home: Path
    count: int
    listening: socket.socket
    figures: TemporaryDirectory[str]
    started: dict[str, Any] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start the first, then the others; all of them answer when this returns. RiskError: what the first could not do."""
        try:
            self._begin()
            self.started = {**_heard(self.workers[0].process), "workers": self.count}  # an empty home is made by one
            for _ in range(1, self.count):
                self._begin()
            for worker in self.workers[1:]:
                _heard(worker.process)
        except BaseException:
            self.stop()
            self._end()
            raise

    def stop(self) -> None:
        """Take no new calls, finish those in progress, and let `wait` return."""
        self.stopping.set()

    def wait(self) -> None:
        """Watch over the workers until stopped."""
        try:
            while not self.stopping.wait(TICK_S):
                for number, worker in enumerate(self.workers):
                    self._look_after(number, worker)
        finally:
            self._end()

    def _look_after(self, number: int, worker: Worker) -> None:
        """Start it again if it died, at once the first time, later if it keeps dying."""
        code, now = worker.process.poll(), monotonic()
        if code is None:
            return
        if worker.again_at is None:
            worker.failures = worker.failures + 1 if now - worker.since < SOON_S else 0
            pause_s = 0.0 if not worker.failures else min(LONGEST_PAUSE_S, PAUSE_S * 2 ** (worker.failures - 1))
            worker.again_at = now + pause_s
            mark_process_dead(worker.process.pid, self.figures.name)  # type: ignore[no-untyped-call]  # ships no types
            log.error("worker_died", number=number, pid=worker.process.pid, exit_code=code, again_in_s=pause_s)
        if now >= worker.again_at:
            _close(worker.process)
            self.workers[number] = Worker(self._process(), now, worker.failures)
            log.info("worker_started", number=number, pid=self.workers[number].process.pid)

    def _begin(self) -> None:
        self.workers.append(Worker(self._process(), monotonic()))
        log.info("worker_started", number=len(self.workers) - 1, pid=self.workers[-1].process.pid)

    def _process(self) -> subprocess.Popen[str]:
        number = self.listening.fileno()
        return subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "risk.jobs.worker", str(self.home), str(number), str(self.count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(number,),
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": self.figures.name},
        )

    def _end(self) -> None:
        """Ask all to stop, wait for them, end those that do not."""
        self.listening.close()
        running = [worker.process for worker in self.workers]
        for process in running:
            if process.poll() is None:
                process.terminate()
        until = monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.0, until - monotonic()))
            except subprocess.TimeoutExpired:
                log.error("worker_killed", pid=process.pid, after_s=STOP_S)  # noqa: TRY400  # an expected failure is one line
                process.kill()
                process.wait()
            _close(process)
        self.figures.cleanup()


def serve_with_workers(home: Path, *, host: str, port: int, workers: int) -> Workers:
    """Open, check and listen in that many processes. Errors as `risk.jobs.serve.serve`."""
    configure_logs(read_settings(os.environ).log_level)
    running = Workers(home, workers, listen(host, port), TemporaryDirectory(prefix="refund-risk-figures-"))
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda _number, _frame: running.stop())
    running.start()
    running.started["address"] = address_of(running.listening)
    return running


def _heard(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    """What a worker says when it answers. RiskError: why it cannot."""
    assert process.stdout is not None  # noqa: S101  # it was asked for
    line = process.stdout.readline()
    said: dict[str, Any] = json.loads(line) if line else {"error": {"message": f"a worker ended with {process.wait()} before it answered; see above"}}
    if "error" in said:
        told = said["error"]
        error = RiskError(told["message"], field=told.get("field"))
        error.code, error.exit_code = told.get("code", error.code), told.get("exit_code", error.exit_code)
        raise error
    return said


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
