"""What tests of faults ask and wait for."""

import time
from collections.abc import Callable

import httpx

from tests.risk.api.test_every_route import assert_error

SCORE = "/v1/refund-requests/score"


def assert_come_again(answer: httpx.Response) -> None:
    """The clean answer of a service that cannot do it now: nothing was done, ask again."""
    assert_error(answer, 503, "SOURCE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) >= 1
    assert "/" not in answer.json()["error"]["message"]  # nor is anything said of hosts and folders: that stands in the log


def until(holds: Callable[[], bool], within_s: float, what: str) -> float:
    """Wait until it holds; how long it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, what
        time.sleep(0.05)
    return time.monotonic() - began
