"""Appeals over HTTP: object to a decision, look at what is open, say a verdict. Filing needs `events`, all else `labels`."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from risk.api.body import AppealBody, VerdictBody
from risk.api.calls import checked, whole
from risk.api.json_response import json_response
from risk.api.once import Once
from risk.api.service import Desk
from risk.appeals import Appeals, Filed, Said
from risk.keys import Scope

APPEAL, VERDICT = TypeAdapter(AppealBody), TypeAdapter(VerdictBody)


class AppealRoutes:
    """The routes of appeals."""

    def __init__(self, desk: Desk, once: Once) -> None:
        self.desk = desk
        self.service = desk.service
        self.once = once
        self.appeals = Appeals(desk.service.engine.ledger, desk.service.ingest)

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/appeals", summary="Somebody objects to a decision", response_model=None)(self.file)
        router.get("/v1/appeals", summary="Appeals, the oldest first", response_model=None)(self.listed)
        router.get("/v1/appeals/{appeal_id}", summary="An appeal with all that was said of it", response_model=None)(self.read)
        router.post("/v1/appeals/{appeal_id}/verdict", summary="A second person's verdict on an appeal", response_model=None)(self.judge)
        return router

    async def file(self, request: Request) -> Response:
        """Keep an objection. One is open for a request at a time."""
        key = self.service.gate.check_key(request, Scope.EVENTS)
        raw = await self.service.gate.body(request)
        filed = Filed(**checked(APPEAL, raw).model_dump())

        async def make() -> Response:
            return await self._kept(lambda: self.appeals.file(filed, self.service.clock()))

        return await self.once.answer(request, key, raw, make)

    async def listed(self, request: Request) -> Response:
        """A page of appeals."""
        self.service.gate.check_key(request, Scope.LABELS)
        offset, limit = whole(request, "offset", 0, (0, 10**9)), whole(request, "limit", 50, (1, 200))
        still_open = request.query_params.get("open") == "" or bool(whole(request, "open", 0, (0, 1)))
        return json_response(await self.desk.in_turn(self.appeals.listed, still_open=still_open, offset=offset, limit=limit))

    async def read(self, request: Request, appeal_id: str) -> Response:
        """One appeal."""
        self.service.gate.check_key(request, Scope.LABELS)
        return json_response(await self.desk.in_turn(self.appeals.read, appeal_id))

    async def judge(self, request: Request, appeal_id: str) -> Response:
        """A verdict is kept with its label; an overturned decision is superseded by a person's."""
        key = self.service.gate.check_key(request, Scope.LABELS)
        raw = await self.service.gate.body(request)
        said = Said(**checked(VERDICT, raw).model_dump())

        async def make() -> Response:
            return await self._kept(lambda: self.appeals.judge(appeal_id, said, self.service.clock()))

        return await self.once.answer(request, key, raw, make)

    async def _kept(self, keep: Callable[[], tuple[dict[str, Any], bool]]) -> Response:
        shown, fresh = await self.desk.in_turn(keep)
        return json_response(shown, 201 if fresh else 200)
