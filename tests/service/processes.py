"""The service as an operator runs it: a process of its own, started by the command line, killed by tests."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Process:
    """A running service. `said`: the file that takes its standard error."""

    popen: subprocess.Popen[str]
    address: str
    key: str
    said: Path

    def client(self, timeout: float = 30) -> httpx.Client:
        """A client with the key."""
        return httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {self.key}"}, timeout=timeout)

    def kill(self) -> None:
        """End it and all its children at once, without a word."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


def command(home: Path, *more: str) -> list[str]:
    """How the service is started."""
    return [sys.executable, "-m", "risk", "serve", "--home", str(home), "--port", "0", "--json", *more]


@contextmanager
def a_process(home: Path, key: str | None = None, environment: Mapping[str, str] | None = None, *more: str) -> Iterator[Process]:
    """A service that listens, ended with the block; `key` is needed where the home has one already."""
    home.mkdir(parents=True, exist_ok=True)
    said = home.parent / f"{home.name}.stderr"
    with said.open("a", encoding="utf-8") as errors:
        popen = subprocess.Popen(
            command(home, *more),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"PYTHONPATH": str(PROJECT)} | dict(environment or {}),
            start_new_session=True,
        )
    try:
        assert popen.stdout is not None
        line = popen.stdout.readline()
        assert line.startswith("{"), f"it did not start: {line}{said.read_text(encoding='utf-8')[-2_000:]}"
        started = json.loads(line)
        yield Process(popen, started["address"], key or started["api_key"], said)
    finally:
        if popen.poll() is None:
            os.killpg(popen.pid, signal.SIGKILL)
        popen.communicate()
