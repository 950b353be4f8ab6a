"""The disk of PostgreSQL is full, its tables and its log on it: 503 with Retry-After, nothing half kept, and well again when there is room."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.databases import postgres_server, start_again
from tests.faults.answers import SCORE, assert_come_again, until
from tests.faults.conftest import Serve
from tests.faults.mounts import Mounts, fill
from tests.faults.test_disks import ask_until_refused, tell_until_refused
from tests.service.load import Told, a_body, under_load
from tests.service.promises import kept_promises, the_same_answers

DISK_MB = 128
"""A new server takes 40 MB, of which 16 are its log."""

NEW_LOGS = """DO $$ BEGIN FOR turn IN 1..8 LOOP PERFORM pg_switch_wal(); PERFORM pg_logical_emit_message(true, 'disk', 'full'); END LOOP; END $$"""
"""More than one: the first may find a file that was made ahead."""


@dataclass(frozen=True)
class SmallServer:
    """A PostgreSQL that has that disk to itself; `folder` is that of its socket."""

    disk: Path
    folder: str

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    @property
    def runs(self) -> bool:
        """Whether it does: it takes its file away when it ends."""
        return Path(self.folder, "postmaster.pid").exists()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short path, as a socket needs it; named before `mounts`, it goes after them."""
    made = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def small(place: Path, mounts: Mounts) -> Iterator[SmallServer]:
    """A server of this test's own, with all its files on a small disk."""
    disk = mounts.small_disk(place / "disk", DISK_MB)
    with postgres_server(disk) as folder:
        yield SmallServer(disk, folder)


def test_a_full_disk_of_the_database_refuses_and_room_heals(small: SmallServer, serve_home: Serve) -> None:
    told = Told()
    service = serve_home(REFUND_RISK_DATABASE_URL=small.url)
    with service.client() as client, under_load(service, told, 0, callers=3):
        for turn in range(2):
            before = len(told.answered)
            until(lambda before=before: len(told.answered) > before + 20, 30, "it does not answer")
            name, (known, answer) = next(iter(told.answered.items()))
            ballast = fill(small.disk)
            assert_come_again(ask_until_refused(client, told, 100_000 * (turn + 1)))
            assert_come_again(tell_until_refused(client, f"full-{turn}"))
            assert client.post(SCORE, json=known).content == answer, "what is known is still told"
            assert client.get(f"/v1/refund-requests/{name}").status_code == 200
            assert client.get("/healthz").status_code == 200
            ballast.unlink()
        before = len(told.answered)
        until(lambda: len(told.answered) > before + 20, 30, "it did not recover by itself")
    assert told.refused
    assert not told.in_doubt
    kept_promises(small.url, told)
    the_same_answers(service, told, 50)
    kept_promises(small.url, told)
    assert small.runs, "a table that cannot grow ends nobody"


def test_a_database_that_its_full_log_ended_and_somebody_started_again(small: SmallServer, serve_home: Serve) -> None:
    told = Told()
    service = serve_home(REFUND_RISK_DATABASE_URL=small.url)
    with service.client() as client, under_load(service, told, 0, callers=3):
        until(lambda: len(told.answered) > 20, 30, "it does not answer")
        ballast = fill(small.disk)
        begin_a_new_log(small)
        until(lambda: not small.runs, 30, "a log that cannot be written ends PostgreSQL, and so does its recovery")
        for number in range(3):
            assert_come_again(client.post(SCORE, json=a_body(f"meanwhile {number}")))
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        ballast.unlink()
        before = len(told.answered)
        start_again(small.folder)  # as whoever watches over it does; the service itself is not touched
        until(lambda: len(told.answered) > before + 20, 30, "it did not recover by itself")
    assert told.refused
    assert not told.in_doubt
    kept_promises(small.url, told)
    the_same_answers(service, told, 50)
    kept_promises(small.url, told)
    assert service.popen.poll() is None


def begin_a_new_log(small: SmallServer) -> None:
    """Let PostgreSQL ask for the next 16 MB of its log, which it otherwise does some thousand decisions later."""
    connecting = psycopg.connect(host=small.folder, user="postgres", dbname="postgres", autocommit=True)
    with connecting as connection, pytest.raises(psycopg.OperationalError):
        connection.execute(NEW_LOGS)
