"""A real service over a real socket, started and stopped by tests."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from time import sleep
from uuid import uuid4

import httpx

from risk import clock
from risk.jobs.api_keys import make
from risk.jobs.serve import RunningServer, serve


@dataclass(frozen=True)
class Running:
    """A service that runs, a client that has its key and one that has none."""

    home: Path
    server: RunningServer
    client: httpx.Client
    stranger: httpx.Client
    key: str


@contextmanager
def running(home: Path, key: str | None = None, now: Callable[[], datetime] = clock.now) -> Iterator[Running]:
    """Start, wait until it answers, stop at the end."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    server = serve(home, port=0, now=now)
    for number, handler in kept.items():
        signal.signal(number, handler)  # the test run keeps its own way to stop
    thread = Thread(target=server.wait)
    thread.start()
    address = server.started.address
    try:
        key = key or server.started.api_key
        assert key is not None
        with (
            httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client,
            httpx.Client(base_url=address) as stranger,
        ):
            assert client.get("/healthz").status_code == 200
            yield Running(home, server, client, stranger, key)
    finally:
        server.stop()
        thread.join()


def another_key(service: Running, scope: str) -> str:
    """A key for that alone, once the service knows it: it reads its keys every other second."""
    name = f"{scope}-{uuid4().hex[:8]}"
    key = make(service.home, name, [scope]).keys[0].api_key
    assert key is not None
    headers = {"Authorization": f"Bearer {key}"}
    while service.stranger.get("/v1/features", headers=headers).status_code == HTTPStatus.UNAUTHORIZED:
        sleep(0.1)
    return key
