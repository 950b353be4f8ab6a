"""Events over HTTP, one a call: an order happened, a request turned out to be abuse or honest."""

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from risk.api.body import LabelBody, OrderEventBody
from risk.api.calls import checked
from risk.api.service import JSON, Desk
from risk.keys import Scope

ORDER, LABEL = TypeAdapter(OrderEventBody), TypeAdapter(LabelBody)


class EventRoutes:
    """The routes of events."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.service = desk.service

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/orders", summary="An order happened", response_model=None)(self.order)
        router.post("/v1/labels", summary="A request turned out to be abuse or honest", response_model=None)(self.label)
        return router

    async def order(self, request: Request) -> Response:
        """An order enters history."""
        self.service.gate.check_key(request, Scope.EVENTS)
        body = checked(ORDER, await self.service.gate.body(request))
        event = self.service.edge.order_event(body, self.service.clock())
        self.desk.count(body.links, body.account_id)
        fresh = await self.desk.in_turn(self.service.ingest.order, *event)
        return Response(msgspec.json.encode({"order_id": body.order_id, "new": fresh}), 201 if fresh else 200, media_type=JSON)

    async def label(self, request: Request) -> Response:
        """A label enters history; from now on it counts for others on the same timelines."""
        self.service.gate.check_key(request, Scope.LABELS)
        body = checked(LABEL, await self.service.gate.body(request))
        request.state.refund_request_id = body.request_id
        fresh = await self.desk.in_turn(self.service.ingest.label, self.service.edge.label(body, self.service.clock()))
        return Response(msgspec.json.encode({"request_id": body.request_id, "new": fresh}), 201 if fresh else 200, media_type=JSON)
