"""The log is copied back while work goes on, and nothing is lost by it."""

import sqlite3
import time
from pathlib import Path

from risk.stores import tables
from risk.stores.checkpoints import copied_back
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
