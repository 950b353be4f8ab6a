"""Webhooks over HTTP: what was given up. Endpoints are made on the command line only, since whoever sets one says where our messages go."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from risk.api.calls import whole
from risk.api.json_response import json_response
from risk.api.service import Desk
from risk.keys import Scope
from risk.stores.history import moment
from risk.stores.outbox import Message


class WebhookRoutes:
    """The routes of webhooks."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.service = desk.service

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.get("/v1/webhooks/dead", summary="Webhook messages that were given up", response_model=None)(self.dead)
        return router

    async def dead(self, request: Request) -> Response:
        """What no receiver took; `refund-risk webhooks retry` sends it again."""
        self.service.gate.check_key(request, Scope.ADMIN)
        most = whole(request, "limit", 50, (1, 200))
        found = await self.desk.in_turn(self.service.engine.ledger.outbox.dead, most)
        return json_response({"messages": [told(each) for each in found]})


def told(message: Message) -> dict[str, object]:
    """A dead message as JSON is made of it."""
    return {
        "message_id": message.message_id,
        "endpoint_id": message.endpoint_id,
        "kind": message.kind,
        "made_at": moment(message.made_us),
        "dead_at": moment(message.dead_us or 0),
        "attempts": message.attempts,
        "failure": message.failure or "",
    }
