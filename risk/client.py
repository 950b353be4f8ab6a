"""The Python client of the service: `Client` for threads, `AsyncClient` for asyncio. Both send the same calls (`client_calls.py`).

A call that was not answered, or answered with 429 or 503, is sent again after the time that the service names, as often as `tries` and the time of
all tries together allow. Every call is safe to send again.
"""

import asyncio
from collections.abc import Iterable, Mapping
from time import sleep
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

from risk import client_calls as calls
from risk.client_calls import Answer, Appeal, AppealPage, Body, Call, Evidence, Item, Reason, Taken
from risk.client_tries import CallError, Tries
from risk.clock import now
from risk.signature import TOLERANCE_S, NotGenuineError, verify

__all__ = [
    "Answer",
    "Appeal",
    "AppealPage",
    "AsyncClient",
    "CallError",
    "Client",
    "Evidence",
    "Item",
    "NotGenuineError",
    "Reason",
    "Taken",
    "verify_webhook",
]

TRIES = 4
TIMEOUT_S = 10.0
TOTAL_S = 60.0
Answered = TypeVar("Answered")


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, tolerance_s: int = TOLERANCE_S) -> dict[str, Any]:
    """What a webhook says, when the service signed it just now. A message may come twice: drop one whose `webhook-id` was seen.

    `body` is the body as it came, byte for byte. NotGenuineError: it is not the service's, was changed, or is older than the tolerance.
    """
    verify(secret, headers, body, now().timestamp(), tolerance_s)
    said: dict[str, Any] = msgspec.json.decode(body)
    return said


def _options(address: str, key: str) -> dict[str, Any]:
    return {"base_url": address, "headers": {"Authorization": f"Bearer {key}"}}


class Client:
    """Calls that wait for their answer; safe to share between threads. Close it, or use it in a with statement.

    A try takes at most `timeout_s`, all tries of a call together `total_s`.
    CallError: from every call, when the service refuses it or does not answer in all tries.
    """

    def __init__(self, address: str, key: str, *, timeout_s: float = TIMEOUT_S, tries: int = TRIES, total_s: float = TOTAL_S) -> None:
        self._http = httpx.Client(**_options(address, key))
        self._patience = (tries, timeout_s, total_s)

    def score(self, request: Body, *, lang: str = "en", deadline_ms: int | None = None, key: str | None = None) -> Answer:
        """Decide one refund request, if it must be provisionally when its deadline passes."""
        return self._send(calls.score(request, lang, deadline_ms, key))

    def decision(self, decision_id: str, *, lang: str = "en") -> Answer:
        """A decision as it was answered, with what superseded it since."""
        return self._send(calls.decision(decision_id, lang))

    def newest(self, request_id: str, *, lang: str = "en") -> Answer:
        """The newest decision of a request."""
        return self._send(calls.newest(request_id, lang))

    def evidence(self, content: bytes) -> Evidence:
        """Send a photo, a film or a document; a request that names it by `sha256` is decided with what is seen in it."""
        return self._send(calls.evidence(content))

    def order(self, order: Body, *, key: str | None = None) -> bool:
        """Tell of an order; false when it was known."""
        return self._send(calls.event("/v1/orders", order, key))

    def delivery(self, scan: Body, *, key: str | None = None) -> bool:
        """Tell of a carrier's scan; false when it was known."""
        return self._send(calls.event("/v1/deliveries", scan, key))

    def refund(self, refund: Body, *, key: str | None = None) -> bool:
        """Tell of money that was paid back; false when it was known."""
        return self._send(calls.event("/v1/refunds", refund, key))

    def link(self, link: Body, *, key: str | None = None) -> bool:
        """Tell that an account used a device, an address, a card; false when it was known."""
        return self._send(calls.event("/v1/links", link, key))

    def label(self, label: Body, *, key: str | None = None) -> bool:
        """Tell what a request turned out to be; false when it was known."""
        return self._send(calls.event("/v1/labels", label, key))

    def events(self, events: Iterable[Body], *, key: str | None = None) -> Taken:
        """Tell of many events, each with its `type`; what became of each comes back."""
        return self._send(calls.events(events, key))

    def appeal(self, appeal: Body, *, key: str | None = None) -> Appeal:
        """Object to a decision."""
        return self._send(calls.appeal(appeal, key))

    def read_appeal(self, appeal_id: str) -> Appeal:
        """An appeal with all that was said of it."""
        return self._send(calls.read_appeal(appeal_id))

    def appeals(self, *, offset: int = 0, limit: int = 50, still_open: bool = True) -> AppealPage:
        """A page of appeals, the oldest first."""
        return self._send(calls.appeals(offset, limit, still_open=still_open))

    def verdict(self, appeal_id: str, verdict: Body, *, key: str | None = None) -> Appeal:
        """Say a verdict on an appeal."""
        return self._send(calls.verdict(appeal_id, verdict, key))

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _send(self, call: Call[Answered]) -> Answered:
        tries = Tries(*self._patience)
        pause_s: float | None = 0.0
        while pause_s is not None:
            sleep(pause_s)
            try:
                tries.answered(self._http.request(**call.arguments, timeout=tries.timeout_s))
            except httpx.TransportError as error:
                tries.failed(error)
            pause_s = tries.pause_s()
        return call.read(tries.result())


class AsyncClient:
    """As `Client`, for asyncio: every call is awaited. Close it, or use it in an async with statement."""

    def __init__(self, address: str, key: str, *, timeout_s: float = TIMEOUT_S, tries: int = TRIES, total_s: float = TOTAL_S) -> None:
        self._http = httpx.AsyncClient(**_options(address, key))
        self._patience = (tries, timeout_s, total_s)

    async def score(self, request: Body, *, lang: str = "en", deadline_ms: int | None = None, key: str | None = None) -> Answer:
        """Decide one refund request, if it must be provisionally when its deadline passes."""
        return await self._send(calls.score(request, lang, deadline_ms, key))

    async def decision(self, decision_id: str, *, lang: str = "en") -> Answer:
        """A decision as it was answered, with what superseded it since."""
        return await self._send(calls.decision(decision_id, lang))

    async def newest(self, request_id: str, *, lang: str = "en") -> Answer:
        """The newest decision of a request."""
        return await self._send(calls.newest(request_id, lang))

    async def evidence(self, content: bytes) -> Evidence:
        """Send a photo, a film or a document; a request that names it by `sha256` is decided with what is seen in it."""
        return await self._send(calls.evidence(content))

    async def order(self, order: Body, *, key: str | None = None) -> bool:
        """Tell of an order; false when it was known."""
        return await self._send(calls.event("/v1/orders", order, key))

    async def delivery(self, scan: Body, *, key: str | None = None) -> bool:
        """Tell of a carrier's scan; false when it was known."""
        return await self._send(calls.event("/v1/deliveries", scan, key))

    async def refund(self, refund: Body, *, key: str | None = None) -> bool:
        """Tell of money that was paid back; false when it was known."""
        return await self._send(calls.event("/v1/refunds", refund, key))

    async def link(self, link: Body, *, key: str | None = None) -> bool:
        """Tell that an account used a device, an address, a card; false when it was known."""
        return await self._send(calls.event("/v1/links", link, key))

    async def label(self, label: Body, *, key: str | None = None) -> bool:
        """Tell what a request turned out to be; false when it was known."""
        return await self._send(calls.event("/v1/labels", label, key))

    async def events(self, events: Iterable[Body], *, key: str | None = None) -> Taken:
        """Tell of many events, each with its `type`; what became of each comes back."""
        return await self._send(calls.events(events, key))

    async def appeal(self, appeal: Body, *, key: str | None = None) -> Appeal:
        """Object to a decision."""
        return await self._send(calls.appeal(appeal, key))

    async def read_appeal(self, appeal_id: str) -> Appeal:
        """An appeal with all that was said of it."""
        return await self._send(calls.read_appeal(appeal_id))

    async def appeals(self, *, offset: int = 0, limit: int = 50, still_open: bool = True) -> AppealPage:
        """A page of appeals, the oldest first."""
        return await self._send(calls.appeals(offset, limit, still_open=still_open))

    async def verdict(self, appeal_id: str, verdict: Body, *, key: str | None = None) -> Appeal:
        """Say a verdict on an appeal."""
        return await self._send(calls.verdict(appeal_id, verdict, key))

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _send(self, call: Call[Answered]) -> Answered:
        tries = Tries(*self._patience)
        pause_s: float | None = 0.0
        while pause_s is not None:
            await asyncio.sleep(pause_s)
            try:
                tries.answered(await self._http.request(**call.arguments, timeout=tries.timeout_s))
            except httpx.TransportError as error:
                tries.failed(error)
            pause_s = tries.pause_s()
        return call.read(tries.result())
