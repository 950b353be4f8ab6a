"""The demo's third story: a caller who cannot wait, a provisional answer in time, the final one by webhook."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any

from features.image.examples import jpeg, scene
from risk.client import Answer, Client, verify_webhook
from risk.clock import now
from risk.jobs.webhooks import add

DEADLINE_MS = 100
PATIENCE_S = 60.0
Letters = SimpleQueue[tuple[Mapping[str, str], bytes, float]]


@dataclass(frozen=True, slots=True)
class Hurried:
    """What came of it, with the milliseconds after the question. `told`: what the webhook said, null when none came in time."""

    first: Answer
    first_ms: float
    told: Mapping[str, Any] | None
    told_ms: float | None
    final: Answer


@contextmanager
def receiving() -> Iterator[tuple[str, Letters]]:
    """A receiver of webhooks on this machine: its address, and what comes with the moment that it came."""
    letters: Letters = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        """Takes everything."""

        def do_POST(self) -> None:
            """One message."""
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            letters.put((dict(self.headers), body, perf_counter()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", letters
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def hurry(client: Client, secret: str, letters: Letters) -> Hurried:
    """Send a photo and ask at once, with a tenth of a second to spare; then wait for the message."""
    sha256 = client.evidence(jpeg(scene(1600, 1200, seed=33), quality=90)).sha256
    claim = {
        "request_id": "req_hurry",
        "occurred_at": (now() - timedelta(hours=1)).isoformat(),
        "account_id": "acc_hurry",
        "seller_id": "sel_hurry",
        "claim_type": "damaged",
        "amount_minor": 4_200,
        "currency": "CNY",
        "evidence": [{"sha256": sha256, "kind": "photo"}],
    }
    began = perf_counter()
    first = client.score(claim, deadline_ms=DEADLINE_MS)
    first_ms = (perf_counter() - began) * 1000
    told, told_ms = _told(secret, letters, began) if first.provisional else (None, None)
    return Hurried(first, first_ms, told, told_ms, client.newest("req_hurry"))


def receiver_of(home: Path, address: str) -> str:
    """Tell that address of final decisions; the secret that proves them."""
    (endpoint,) = add(home, address, ["decision.final"]).endpoints
    return endpoint.secret or ""


def _told(secret: str, letters: Letters, began: float) -> tuple[Mapping[str, Any] | None, float | None]:
    """The message, proven to be the service's."""
    try:
        headers, body, came = letters.get(timeout=PATIENCE_S)
    except Empty:
        return None, None
    return verify_webhook(secret, headers, body), (came - began) * 1000
