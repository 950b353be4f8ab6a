"""PostgreSQL is killed under load and started again: 503 with Retry-After meanwhile, then all is well without a hand on the service."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.databases import crash_and_return, postgres_server
from tests.faults.answers import SCORE, assert_come_again, until
from tests.faults.conftest import Serve
from tests.faults.test_disks import wait_measured
from tests.faults.test_image_worker_killed import lookers, send
from tests.service.load import Told, a_body, under_load
from tests.service.processes import Process
from tests.service.promises import kept_promises, the_same_answers


@pytest.fixture
def database_server() -> Iterator[str]:
    """A PostgreSQL of this test's own, since it is killed."""
    with postgres_server() as folder:
        yield folder


def test_a_look_that_could_not_be_kept_is_made_again(database_server: str, serve_home: Serve) -> None:
    service = serve_home(REFUND_RISK_DATABASE_URL=f"postgresql+psycopg://postgres@/postgres?host={database_server}")
    wait_measured(service, send(service, 1))
    (looker,) = lookers(service)
    os.kill(looker, signal.SIGSTOP)
    sha256 = send(service, 2)
    come_back = crash_and_return(database_server)
    os.kill(looker, signal.SIGCONT)
    until(lambda: sha256 in not_measured(service), 30, "the look was kept without a database")
    come_back()
    with service.client() as client:
        until(lambda: client.get("/readyz").status_code == 200, 30, "it did not recover")
    assert wait_measured(service, sha256)["unreadable"] is None


def not_measured(service: Process) -> str:
    """The log's lines of looks of which nothing came."""
    return "\n".join(line for line in service.said.read_text(encoding="utf-8").splitlines() if "evidence_not_measured" in line)


def test_a_database_that_crashes_and_comes_back(database_server: str, serve_home: Serve) -> None:
    told = Told()
    url = f"postgresql+psycopg://postgres@/postgres?host={database_server}"
    service = serve_home(REFUND_RISK_DATABASE_URL=url)
    with service.client() as client, under_load(service, told, 0, callers=3):
        until(lambda: len(told.answered) > 20, 30, "it does not answer")
        come_back = crash_and_return(database_server)
        for number in range(3):
            assert_come_again(client.post(SCORE, json=a_body(f"meanwhile {number}")))
        assert client.get("/healthz").status_code == 200
        time.sleep(0.3)
        before = len(told.answered)
        come_back()
        until(lambda: len(told.answered) > before + 20, 20, "it did not recover by itself")
    assert told.refused
    assert not told.in_doubt
    kept_promises(url, told)
    the_same_answers(service, told, 50)
    kept_promises(url, told)
    assert service.popen.poll() is None
