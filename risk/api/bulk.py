"""Many events in one call: a JSON array, or one JSON object a line. Every event is taken in or refused with its reason, in order.

Sending the whole of it again is harmless: what was taken in is known then. So a caller whose connection broke needs no bookkeeping.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from data_contracts.errors import RiskError, ScopeError
from risk.api.calls import checked, content_type
from risk.api.errors import MalformedError, TooLargeError, shown
from risk.api.events_body import BulkDelivery, BulkLabel, BulkLink, BulkOrder, BulkRefund, EventBody
from risk.api.json_response import JSON, json_response
from risk.api.once import Once
from risk.api.service import Desk
from risk.ingest import Event
from risk.keys import ApiKey, Scope

LINES = "application/x-ndjson"
LIMIT_BYTES = 8 << 20
"""Largest call: 5,000 orders of a few lines each; what is more comes as several calls, of which each can be sent again by itself."""
LIMIT_EVENTS = 5_000
TOGETHER = 100
"""Events that become durable with one commit; between two of them decisions take their turn."""

Body = BulkOrder | BulkDelivery | BulkRefund | BulkLink | BulkLabel
EVENT: TypeAdapter[Body] = TypeAdapter(EventBody)


@dataclass(frozen=True, slots=True)
class Read:
    """One event as it was read; `type` is null where it cannot be told."""

    type: str | None
    event: Event | RiskError


class BulkRoutes:
    """The route of many events."""

    def __init__(self, desk: Desk, once: Once) -> None:
        self.desk = desk
        self.service = desk.service
        self.once = once

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/events", summary="Many events in one call", response_model=None)(self.events)
        return router

    async def events(self, request: Request) -> Response:
        """Take events in, in their order; the answer says of each what became of it. SourceUnavailableError: of none, so send all of them again."""
        key = self.service.gate.check_key(request, Scope.EVENTS)
        raw = await self.service.gate.body(request, (JSON, LINES), LIMIT_BYTES)
        parts = list(_lines(raw)) if content_type(request) == LINES else _array(raw)
        if len(parts) > LIMIT_EVENTS:
            message = f"the body has {len(parts)} events; expected at most {LIMIT_EVENTS}, send them as several calls"
            raise TooLargeError(message)

        async def make() -> Response:
            items: list[dict[str, Any]] = []
            for start in range(0, len(parts), TOGETHER):
                items += await self.desk.in_turn(self._take, key, parts[start : start + TOGETHER], start)
            return json_response(_counted(items))

        return await self.once.answer(request, key, raw, make)

    def _take(self, key: ApiKey, parts: Sequence[bytes], first: int) -> list[dict[str, Any]]:
        """Take some events in and make them durable together."""
        read = [self._read(key, part, self.service.clock()) for part in parts]
        outcomes = iter(self.service.ingest.take_all([each.event for each in read if not isinstance(each.event, RiskError)]))
        told = [each.event if isinstance(each.event, RiskError) else next(outcomes) for each in read]
        return [_item(first + place, each.type, outcome) for place, (each, outcome) in enumerate(zip(read, told, strict=True))]

    def _read(self, key: ApiKey, part: bytes, now: datetime) -> Read:
        """One event as a record, or why it is none."""
        kind = None
        try:
            body = checked(EVENT, part)
            kind = body.type
            return Read(kind, self._event(key, body, now))
        except RiskError as refused:
            return Read(kind, refused)

    def _event(self, key: ApiKey, body: Body, now: datetime) -> Event:
        edge = self.service.edge
        match body:
            case BulkOrder():
                told = edge.read(body.links, body.account_id)
                self.desk.count(told)
                return edge.order_event(body, now, told)
            case BulkDelivery():
                return edge.delivery(body, now)
            case BulkRefund():
                return edge.refund(body, now)
            case BulkLink():
                told = edge.read([body], body.account_id)
                self.desk.count(told)
                return edge.link(body, now, told)
            case BulkLabel():
                if not key.allows(Scope.LABELS):
                    message = f"the key {key.name} is for {', '.join(sorted(key.scopes))}; a label needs {Scope.LABELS.value}"
                    raise ScopeError(message)
                return edge.label(body, now)


def _lines(raw: bytes) -> Iterator[bytes]:
    """Every line that is not empty."""
    return (line for line in raw.split(b"\n") if line.strip())


def _array(raw: bytes) -> list[bytes]:
    """The parts of a JSON array, unread. MalformedError: it is none."""
    try:
        return [bytes(part) for part in msgspec.json.decode(raw, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"the body is no JSON array: {error}; expected [{{...}}, ...], or one object a line as {LINES}"
        raise MalformedError(message) from None


def _item(index: int, kind: str | None, outcome: bool | RiskError) -> dict[str, Any]:  # noqa: FBT001  # an outcome
    """What became of one event."""
    if isinstance(outcome, RiskError):
        return {"index": index, "type": kind, "status": outcome.status, "new": False, "error": shown(outcome)}
    return {"index": index, "type": kind, "status": 201 if outcome else 200, "new": outcome, "error": None}


def _counted(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    counts = Counter("refused" if item["error"] else "new" if item["new"] else "known" for item in items)
    return {name: counts[name] for name in ("new", "known", "refused")} | {"items": items}
