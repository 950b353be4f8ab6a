"""Events over HTTP, one a call: an order, a scan, a refund, a link, a label. Each is taken in once, however often it is sent."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, TypeAdapter

from risk.api.calls import checked
from risk.api.events_body import DeliveryEventBody, LabelBody, LinkEventBody, OrderEventBody, RefundBody
from risk.api.json_response import json_response
from risk.api.once import Once
from risk.api.service import Desk
from risk.ingest import Event
from risk.keys import Scope

ORDER, LABEL = TypeAdapter(OrderEventBody), TypeAdapter(LabelBody)
DELIVERY, REFUND, LINK = TypeAdapter(DeliveryEventBody), TypeAdapter(RefundBody), TypeAdapter(LinkEventBody)
Told = TypeVar("Told", bound=BaseModel)


class EventRoutes:
    """The routes of single events."""

    def __init__(self, desk: Desk, once: Once) -> None:
        self.desk = desk
        self.service = desk.service
        self.once = once

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/orders", summary="An order happened", response_model=None)(self.order)
        router.post("/v1/deliveries", summary="A carrier's scan ended a delivery", response_model=None)(self.delivery)
        router.post("/v1/refunds", summary="Money was paid back", response_model=None)(self.refund)
        router.post("/v1/links", summary="An account used a device, an address, a card ...", response_model=None)(self.link)
        router.post("/v1/labels", summary="A request turned out to be abuse or honest", response_model=None)(self.label)
        return router

    async def order(self, request: Request) -> Response:
        """An order enters history."""

        def read(body: OrderEventBody) -> Event:
            told = self.service.edge.read(body.links, body.account_id)
            event = self.service.edge.order_event(body, self.service.clock(), told)
            self.desk.count(told)
            return event

        return await self._taken(request, Scope.EVENTS, ORDER, read, "order_id")

    async def delivery(self, request: Request) -> Response:
        """A scan enters history."""
        return await self._taken(request, Scope.EVENTS, DELIVERY, lambda body: self.service.edge.delivery(body, self.service.clock()), "order_id")

    async def refund(self, request: Request) -> Response:
        """A refund enters history; it says nothing of abuse or honesty, which is a label's to say."""
        return await self._taken(request, Scope.EVENTS, REFUND, lambda body: self.service.edge.refund(body, self.service.clock()), "refund_id")

    async def link(self, request: Request) -> Response:
        """A link enters history; from now on it ties its account to others."""

        def read(body: LinkEventBody) -> Event:
            told = self.service.edge.read([body], body.account_id)
            self.desk.count(told)
            return self.service.edge.link(body, self.service.clock(), told)

        return await self._taken(request, Scope.EVENTS, LINK, read, "entity_type")

    async def label(self, request: Request) -> Response:
        """A label enters history; from now on it counts for others on the same timelines."""

        def read(body: LabelBody) -> Event:
            request.state.refund_request_id = body.request_id
            return self.service.edge.label(body, self.service.clock())

        return await self._taken(request, Scope.LABELS, LABEL, read, "request_id")

    async def _taken(self, request: Request, scope: Scope, adapter: TypeAdapter[Told], read: Callable[[Told], Event], name: str) -> Response:
        """Take one event in: 201 when it is new, 200 when it was known; the answer says which one it was."""
        key = self.service.gate.check_key(request, scope)
        raw = await self.service.gate.body(request)
        body = checked(adapter, raw)
        event = read(body)

        async def make() -> Response:
            fresh = await self.desk.in_turn(self.service.ingest.take, event)
            said: dict[str, Any] = {name: getattr(body, name), "new": fresh}
            return json_response(said, 201 if fresh else 200)

        return await self.once.answer(request, key, raw, make)
