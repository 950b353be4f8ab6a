"""The log is copied back while work goes on, and nothing is lost by it."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from risk.stores import tables
from risk.stores.checkpoints import copied_back, copy_all
from risk.stores.database import Database, open_sqlite


def kept(file: Path) -> set[str]:
    """What the file itself holds, its log left aside."""
    connection = sqlite3.connect(f"file:{file}?immutable=1", uri=True)
    try:
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'policies'").fetchall()
        return {version for (version,) in connection.execute("SELECT version FROM policies")} if there else set()
    finally:
        connection.close()


def test_what_was_committed_reaches_the_file_while_the_store_is_open(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "risk.db", 5_000)
    with copied_back(database):
        for number in range(20):
            with database.writing() as connection:
                database.add_many(connection, tables.policies, ("version", "body"), [(f"v{number}", "x")])
        until = time.monotonic() + 10
        while "v19" not in kept(tmp_path / "risk.db") and time.monotonic() < until:
            time.sleep(0.05)
        assert kept(tmp_path / "risk.db") == {f"v{number}" for number in range(20)}
    database.close()


def test_it_leaves_other_databases_alone(database: Database) -> None:
    with copied_back(database), database.writing() as connection:
        database.add_many(connection, tables.policies, ("version", "body"), [("v", "x")])
    with database.reading() as connection:
        assert database.fetch(connection, "SELECT version FROM policies", ()) == [("v",)]


def test_the_log_begins_anew_although_something_is_committed_while_it_is_copied(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "risk.db", 5_000)
    log, numbers = tmp_path / "risk.db-wal", iter(range(100))

    def commit() -> None:
        with database.writing() as connection:
            database.add_many(connection, tables.policies, ("version", "body"), [(f"v{next(numbers)}", "x" * 9_000)])

    class Overtaken(sqlite3.Connection):
        """After its first copy somebody commits, twice: the first of these begins the log anew."""

        copies = 0

        def execute(self, *asked: Any) -> sqlite3.Cursor:  # noqa: ANN401  # as the driver has it
            done = super().execute(*asked)
            Overtaken.copies += 1
            if Overtaken.copies == 1:
                commit()
                commit()
            return done

    database.scrub(())  # else the first log, with all tables, is long enough for everything
    commit()
    copier = sqlite3.connect(tmp_path / "risk.db", factory=Overtaken)
    copy_all(copier)
    size = log.stat().st_size
    commit()
    assert log.stat().st_size == size
    copier.close()
    database.close()
