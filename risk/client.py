"""The Python client of the service: `Client` for threads, `AsyncClient` for asyncio. Both send the same calls and read the same answers.

Every call is safe to send again: a request, an order and a label have identities of their own, and evidence is known by its content. So a call
that was not answered, or answered with 429 or 503, is sent again after the time that the service names, as often as `tries` allows.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import sleep
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from risk.clock import now
from risk.signature import TOLERANCE_S, NotGenuineError, verify

__all__ = ["Answer", "AsyncClient", "CallError", "Client", "Evidence", "NotGenuineError", "Reason", "verify_webhook"]

TRIES = 4
TIMEOUT_S = 10.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
AGAIN = frozenset({429, 503})
Body = Mapping[str, Any]


class Reason(msgspec.Struct, frozen=True):
    """One reason of a decision. Show a buyer nothing but `buyer`."""

    code: str
    family: str
    analyst: str
    buyer: str
    detail: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision. action: approve, review or block. score: 0 to 1, null without a model. raw: the bytes as answered.

    degraded: sources that did not answer. provisional: evidence was not measured in time, the final decision follows by itself.
    supersedes: the decision that this one replaces, null for none. superseded_by: the one that took its place since, null for none so far.
    """

    decision_id: str
    request_id: str
    action: str
    score: float | None
    rank_value: float
    reasons: tuple[Reason, ...]
    versions: dict[str, str]
    degraded: tuple[str, ...]
    provisional: bool
    supersedes: str | None
    superseded_by: str | None
    raw: bytes = b""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was taken in. status: `measured`, or how far it is; a request names the file by `sha256`."""

    evidence_id: str
    sha256: str
    status: str


class CallError(Exception):
    """The service refused, or could not be reached. status: of HTTP, null without an answer; code: ours, `UNREACHABLE` without an answer."""

    def __init__(self, code: str, message: str, status: int | None = None, field: str | None = None) -> None:
        super().__init__(f"{code}: {message}" if field is None else f"{code} ({field}): {message}")
        self.code = code
        self.message = message
        self.status = status
        self.field = field


@dataclass(frozen=True, slots=True)
class _Call:
    """One HTTP call, as `httpx` sends it."""

    method: str
    path: str
    json: Body | None = None
    params: Mapping[str, str] | None = None
    file: bytes | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        files = None if self.file is None else {"file": self.file}
        return {"method": self.method, "url": self.path, "json": self.json, "files": files, "params": dict(self.params or {})}


def _score(body: Body, lang: str) -> _Call:
    return _Call("POST", "/v1/refund-requests/score", body, {"lang": lang})


def _decision(decision_id: str, lang: str) -> _Call:
    return _Call("GET", f"/v1/decisions/{decision_id}", params={"lang": lang})


def _answer(response: httpx.Response) -> Answer:
    found = msgspec.json.decode(response.content, type=Answer)
    return msgspec.structs.replace(found, raw=response.content)


def _evidence(response: httpx.Response) -> Evidence:
    return msgspec.json.decode(response.content, type=Evidence)


def _is_new(response: httpx.Response) -> bool:
    return bool(response.json()["new"])


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


def _options(address: str, key: str, timeout_s: float) -> dict[str, Any]:
    return {"base_url": address, "headers": {"Authorization": f"Bearer {key}"}, "timeout": timeout_s}


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, tolerance_s: int = TOLERANCE_S) -> dict[str, Any]:
    """What a webhook says, when the service signed it just now. A message may come twice: drop one whose `webhook-id` was seen.

    `body` is the body as it came, byte for byte. NotGenuineError: it is not the service's, was changed, or is older than the tolerance.
    """
    verify(secret, headers, body, now().timestamp(), tolerance_s)
    said: dict[str, Any] = msgspec.json.decode(body)
    return said


class Client:
    """Calls that wait for their answer; safe to share between threads. Close it, or use it in a with statement.

    CallError: from every call, when the service refuses it or does not answer in all tries.
    """

    def __init__(self, address: str, key: str, *, timeout_s: float = TIMEOUT_S, tries: int = TRIES) -> None:
        self._http = httpx.Client(**_options(address, key, timeout_s))
        self._tries = tries

    def score(self, request: Body, *, lang: str = "en") -> Answer:
        """Decide one refund request."""
        return _answer(self._send(_score(request, lang)))

    def decision(self, decision_id: str, *, lang: str = "en") -> Answer:
        """A decision as it was answered."""
        return _answer(self._send(_decision(decision_id, lang)))

    def evidence(self, content: bytes) -> Evidence:
        """Send a photo, a film or a document; a request that names it by `sha256` is decided with what is seen in it."""
        return _evidence(self._send(_Call("POST", "/v1/evidence", file=content)))

    def order(self, order: Body) -> bool:
        """Tell of an order; false when it was known."""
        return _is_new(self._send(_Call("POST", "/v1/orders", order)))

    def label(self, label: Body) -> bool:
        """Tell what a request turned out to be; false when it was known."""
        return _is_new(self._send(_Call("POST", "/v1/labels", label)))

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _send(self, call: _Call) -> httpx.Response:
        response, failure = self._try(call)
        for planned in _pauses(self._tries):
            if response is not None and response.status_code not in AGAIN:
                break
            sleep(_pause(response, planned))
            response, failure = self._try(call)
        return _checked(response, failure)

    def _try(self, call: _Call) -> tuple[httpx.Response | None, httpx.TransportError | None]:
        try:
            return self._http.request(**call.arguments), None
        except httpx.TransportError as error:
            return None, error


class AsyncClient:
    """As `Client`, for asyncio: every call is awaited. Close it, or use it in an async with statement."""

    def __init__(self, address: str, key: str, *, timeout_s: float = TIMEOUT_S, tries: int = TRIES) -> None:
        self._http = httpx.AsyncClient(**_options(address, key, timeout_s))
        self._tries = tries

    async def score(self, request: Body, *, lang: str = "en") -> Answer:
        """Decide one refund request."""
        return _answer(await self._send(_score(request, lang)))

    async def decision(self, decision_id: str, *, lang: str = "en") -> Answer:
        """A decision as it was answered."""
        return _answer(await self._send(_decision(decision_id, lang)))

    async def evidence(self, content: bytes) -> Evidence:
        """Send a photo, a film or a document; a request that names it by `sha256` is decided with what is seen in it."""
        return _evidence(await self._send(_Call("POST", "/v1/evidence", file=content)))

    async def order(self, order: Body) -> bool:
        """Tell of an order; false when it was known."""
        return _is_new(await self._send(_Call("POST", "/v1/orders", order)))

    async def label(self, label: Body) -> bool:
        """Tell what a request turned out to be; false when it was known."""
        return _is_new(await self._send(_Call("POST", "/v1/labels", label)))

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _send(self, call: _Call) -> httpx.Response:
        response, failure = await self._try(call)
        for planned in _pauses(self._tries):
            if response is not None and response.status_code not in AGAIN:
                break
            await asyncio.sleep(_pause(response, planned))
            response, failure = await self._try(call)
        return _checked(response, failure)

    async def _try(self, call: _Call) -> tuple[httpx.Response | None, httpx.TransportError | None]:
        try:
            return await self._http.request(**call.arguments), None
        except httpx.TransportError as error:
            return None, error
