"""A real server that speaks S3 for tests: `rclone serve s3` out of a wheel, over a folder, with keys that it checks."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from risk.stores.object_store import ObjectAccess

RCLONE = Path(sys.executable).with_name("rclone")
BUCKET = "evidence"
KEY, SECRET = "test-key", "test-secret-of-some-length"


class ObjectStore:
    """The server; what it holds lies in `folder` under the bucket's name."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.folder = Path(tempfile.mkdtemp(prefix="s3-"))
        (self.folder / BUCKET).mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def access(self) -> ObjectAccess:
        """How it is reached."""
        return ObjectAccess(f"http://127.0.0.1:{self.port}", "us-east-1", KEY, SECRET)

    def start(self) -> None:
        """Start it and wait until it listens."""
        options = ["--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY},{SECRET}", "--config", "/dev/null", "--log-level", "EMERGENCY"]
        self.process = subprocess.Popen([RCLONE, "serve", "s3", str(self.folder), *options])
        for _ in range(250):
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        message = f"the object store at port {self.port} did not start"
        raise RuntimeError(message)

    def stop(self) -> None:
        """End it; what it holds stays."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None

    def remove(self) -> None:
        """Stop it and leave nothing."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
