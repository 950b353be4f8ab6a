"""Decisions over HTTP: decide a refund request, read what was decided."""

import asyncio
from dataclasses import replace
from time import perf_counter

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from risk.api.body import RefundRequestBody
from risk.api.calls import checked, language
from risk.api.deadline import DECIDE_S, deadline_ms, unmeasured
from risk.api.edge import buyer_of
from risk.api.json_response import JSON
from risk.api.once import Once
from risk.api.service import Desk
from risk.gather import UnmeasuredError
from risk.keys import Scope

REQUEST = TypeAdapter(RefundRequestBody)


class DecisionRoutes:
    """The routes of decisions, each a few lines: key, body, one call, answer."""

    def __init__(self, desk: Desk, once: Once) -> None:
        self.desk = desk
        self.once = once
        self.service = desk.service

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/refund-requests/score", summary="Decide one refund request", response_model=None)(self.score)
        router.get("/v1/refund-requests/{request_id}", summary="The newest decision of a refund request", response_model=None)(self.newest)
        router.get("/v1/decisions/{decision_id}", summary="A decision as it was answered", response_model=None)(self.decision)
        return router

    async def score(self, request: Request) -> Response:
        """Decide one refund request; asked again with the same payload, the same bytes come back."""
        began = perf_counter()
        key = self.service.gate.check_key(request, Scope.SCORE)
        said = language(request)
        raw = await self.service.gate.body(request)
        body = checked(REQUEST, raw)
        request.state.refund_request_id = body.request_id
        within_ms = deadline_ms(request, body.deadline_ms)

        async def make() -> Response:
            edge, clock = self.service.edge, self.service.clock
            told = edge.read(body.links, buyer_of(body))
            question = edge.question(body, clock(), told, only_measured=self.service.intake is not None)
            self.desk.count(told)
            try:  # files are nearly always measured by then; the decision, which reads them anyway, says when they are not
                recorded = await self.desk.decide(question)
            except UnmeasuredError:
                awaiting = await self._awaiting(body, within_ms, began)
                recorded = await self.desk.decide(replace(edge.question(body, clock(), told), awaiting=awaiting))
            asyncio.get_running_loop().call_soon(self.desk.note, recorded, "score", perf_counter() - began)  # whoever asked is answered first
            return Response(recorded.in_language(said), media_type=JSON)

        return await self.once.answer(request, key, raw, make)

    async def newest(self, request: Request, request_id: str) -> Response:
        """The newest decision of a request, whether it is provisional, final or a person's."""
        self.service.gate.check_key(request, Scope.SCORE)
        said = language(request)
        return Response(await self.desk.in_turn(self.service.engine.ledger.newest_answer, request_id, said), media_type=JSON)

    async def decision(self, request: Request, decision_id: str) -> Response:
        """A decision as it was answered, in either language; `superseded_by` names the one that took its place since."""
        self.service.gate.check_key(request, Scope.SCORE)
        said = language(request)
        return Response(await self.desk.in_turn(self.service.engine.ledger.answer_of, decision_id, said), media_type=JSON)

    async def _awaiting(self, body: RefundRequestBody, within_ms: int | None, began: float) -> tuple[str, ...]:
        """Wait for looks at the request's files that are under way. Only a call with a deadline gets a provisional answer when that is not enough."""
        if not body.evidence or self.service.intake is None:
            return ()
        shas = list(dict.fromkeys(piece.sha256 for piece in body.evidence))
        if within_ms is None:
            await unmeasured(self.service.intake, shas, self.service.evidence_wait_s)
            return ()
        return await unmeasured(self.service.intake, shas, within_ms / 1000 - DECIDE_S - (perf_counter() - began))
