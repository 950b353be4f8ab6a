"""SQLite's log is copied back beside the work, not within a commit: a commit that does it itself keeps everybody waiting for a third of a second."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import structlog

from risk.stores.database import Database

log = structlog.get_logger()

EVERY_S = 0.1
"""Between two copies: at 200 decisions a second there are then some 3 MB to copy, which holds up no commit."""

ROUNDS = 4
"""Copies in a row at most: what came during one is copied by the next, which has much less to do."""


@contextmanager
def copied_back(database: Database) -> Iterator[None]:
    """While this lasts the log is copied back in the background. PostgreSQL does it by itself."""
    file = database.engine.url.database
    if not database.is_sqlite or not file:
        yield
        return
    over = Event()
    thread = Thread(target=_copy, args=(Path(file), over), name="checkpoints", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _copy(file: Path, over: Event) -> None:
    connection = sqlite3.connect(file)
    try:
        while not over.wait(EVERY_S):
            try:
                copy_all(connection)
            except sqlite3.Error as error:  # a full disk shows where decisions are kept; here it only waits for the next time
                log.warning("log_not_copied_back", reason=str(error))
    finally:
        connection.close()


def copy_all(connection: sqlite3.Connection) -> None:
    """Copy until no commit came in between: only then does the log begin anew. A commit costs twice as much in a file that grows."""
    copied = None
    for _ in range(ROUNDS):
        before = copied
        _, _, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if copied == before:
            return
