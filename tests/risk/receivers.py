"""A real local receiver of webhooks, which can be told how to behave."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import monotonic, sleep


@dataclass
class Receiver:
    """What came, and what is answered: `statuses` one after the other, then 204. `holds`: how long each answer takes."""

    statuses: list[int] = field(default_factory=list)
    holds: float = 0.0
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)
    address: str = ""

    def wait_for(self, count: int, timeout_s: float = 60.0) -> list[tuple[dict[str, str], bytes]]:
        """What came, once it is that many."""
        until = monotonic() + timeout_s
        while len(self.came) < count:
            assert monotonic() < until, f"{len(self.came)} of {count} messages came"
            sleep(0.05)
        return list(self.came)


@contextmanager
def receiving(statuses: list[int] | None = None, holds: float = 0.0, port: int = 0) -> Iterator[Receiver]:
    """A receiver that stops with the block."""
    receiver = Receiver(statuses or [], holds)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            receiver.stopped.wait(receiver.holds)
            try:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", f"{receiver.address}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                self.close_connection = True  # whoever sent it went away

        def log_message(self, *_said: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    receiver.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
