"""A worker that is killed in the middle of an update loses nothing that it said was kept, keeps nothing twice, and leaves no half of anything."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from risk.jobs.live_graph import LiveGraph
from risk.stores.database import open_database
from risk.stores.history import History
from tests.risk.stores.link_writer import a_link

WRITER = Path(__file__).with_name("link_writer.py")
PROJECT = WRITER.parents[3]
KILLS = 2


def write_and_kill(url: str, first: int, said_at_least: int) -> int:
    """The last number that the worker said is on disk before it was killed, at a moment of nobody's choosing."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), url, str(first)], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(PROJECT)}
    )
    assert writer.stdout is not None
    last = -1
    for line in writer.stdout:
        last = int(line)
        if last >= first + said_at_least:
            break
    time.sleep(0.003 * (first % 7))
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    said = [int(line) for line in rest.split()]
    assert writer.returncode == -signal.SIGKILL
    return said[-1] if said else last


def test_a_killed_writer_loses_and_doubles_nothing(empty_url: str) -> None:
    last = -2
    for _ in range(KILLS):
        database = open_database(empty_url, 5_000)
        with database.reading() as connection:
            begun = connection.execute(text("SELECT COUNT(*) FROM links")).scalar_one()
        database.close()
        last = write_and_kill(empty_url, begun, 450)
    database = open_database(empty_url, 5_000)
    with database.reading() as connection:
        kept = [int(name[1:]) for (name,) in connection.execute(text("SELECT order_id FROM links ORDER BY link_no"))]
        assert kept in (list(range(last + 2)), list(range(last + 4)))  # the last one may have been kept before it could be said
        assert connection.execute(text("SELECT COUNT(*) FROM turns")).scalar_one() == len(kept) // 2
        assert connection.execute(text("SELECT COUNT(*) FROM link_marks")).scalar_one() >= 1
        assert History(database).links(connection, order_id=f"o{last}") == [a_link(last)]
    LiveGraph(History(database))  # checks every link, sampled components and marks
    database.close()
