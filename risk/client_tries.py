"""One call of the client in as many tries as it takes; how its refusals are told."""

import random
from collections.abc import Iterator
from time import monotonic

import httpx

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
AGAIN = frozenset({429, 503})


class CallError(Exception):
    """The service refused, or could not be reached. status: of HTTP, null without an answer; code: ours, `UNREACHABLE` without an answer."""

    def __init__(self, code: str, message: str, status: int | None = None, field: str | None = None) -> None:
        super().__init__(f"{code}: {message}" if field is None else f"{code} ({field}): {message}")
        self.code = code
        self.message = message
        self.status = status
        self.field = field


class Tries:
    """One call in as many tries as it takes: what a transport asks before each, and what it tells of each."""

    def __init__(self, tries: int, timeout_s: float, total_s: float) -> None:
        self._left, self._timeout_s, self._ends_at = tries, timeout_s, monotonic() + total_s
        self._planned = _pauses(tries)
        self._response: httpx.Response | None = None
        self._failure: httpx.TransportError | None = None

    @property
    def timeout_s(self) -> float:
        """How long a try may take now."""
        return max(0.001, min(self._timeout_s, self._ends_at - monotonic()))

    def answered(self, response: httpx.Response) -> None:
        """An answer came to the try."""
        self._left, self._response, self._failure = self._left - 1, response, None

    def failed(self, failure: httpx.TransportError) -> None:
        """None came."""
        self._left, self._response, self._failure = self._left - 1, None, failure

    def pause_s(self) -> float | None:
        """How long to wait before the next try; null when there is none: it is answered, or tries or time are over."""
        if self._left <= 0 or (self._response is not None and self._response.status_code not in AGAIN):
            return None
        pause = _pause(self._response, next(self._planned))
        return pause if monotonic() + pause < self._ends_at else None

    def result(self) -> httpx.Response:
        """The answer. CallError: it is a refusal, or none came."""
        return _checked(self._response, self._failure)


def _pauses(tries: int) -> Iterator[float]:
    """Seconds before each further try: twice as long each time, spread so that many callers do not come back together."""
    for number in range(tries - 1):
        yield min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number) * random.uniform(0.5, 1.5)  # noqa: S311  # no secret


def _pause(response: httpx.Response | None, otherwise: float) -> float:
    """What the service asks for, else what was planned."""
    said = "" if response is None else response.headers.get("retry-after", "")
    return min(LONGEST_PAUSE_S, float(said)) if said.isdigit() else otherwise


def _checked(response: httpx.Response | None, failure: httpx.TransportError | None) -> httpx.Response:
    """The answer, when it is one."""
    if response is None:
        raise CallError("UNREACHABLE", f"no answer from the service: {failure}") from failure
    if response.is_success:
        return response
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        raise CallError("NOT_OURS", f"an answer that is not the service's: {response.text[:200]!r}", response.status_code) from None
    raise CallError(error["code"], error["message"], response.status_code, error["field"])
