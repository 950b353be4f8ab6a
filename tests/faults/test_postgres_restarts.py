"""PostgreSQL is killed under load and started again: 503 with Retry-After meanwhile, then all is well without a hand on the service."""

import time
from collections.abc import Iterator

import pytest

from tests.databases import crash_and_return, postgres_server
from tests.faults.answers import SCORE, assert_come_again, until
from tests.faults.conftest import Serve
from tests.service.load import Told, a_body, under_load
from tests.service.promises import kept_promises, the_same_answers


@pytest.fixture
def database_server() -> Iterator[str]:
    """A PostgreSQL of this test's own, since it is killed."""
    with postgres_server() as folder:
        yield folder


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
