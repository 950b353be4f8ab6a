"""Decisions over HTTP: decide a refund request, read what was decided."""

from time import perf_counter

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from risk.api.body import RefundRequestBody
from risk.api.calls import checked, language
from risk.api.evidence import looked_at
from risk.api.service import JSON, Desk
from risk.keys import Scope
from risk.ledger import Recorded

log = structlog.get_logger()

REQUEST = TypeAdapter(RefundRequestBody)


class DecisionRoutes:
    """The routes of decisions, each a few lines: key, body, one call, answer."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.service = desk.service

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/refund-requests/score", summary="Decide one refund request", response_model=None)(self.score)
        router.get("/v1/decisions/{decision_id}", summary="A decision as it was answered", response_model=None)(self.decision)
        return router

    async def score(self, request: Request) -> Response:
        """Decide one refund request; asked again with the same payload, the same bytes come back."""
        began = perf_counter()
        self.service.gate.check_key(request, Scope.SCORE)
        said = language(request)
        body = checked(REQUEST, await self.service.gate.body(request))
        request.state.refund_request_id = body.request_id
        if body.evidence and self.service.intake is not None:
            await looked_at(self.service.intake, [piece.sha256 for piece in body.evidence], self.service.evidence_wait_s)
        question = self.service.edge.question(body, self.service.clock())
        self.desk.count(body.links, question.request.account_id)
        recorded = await self.desk.in_turn(self.service.engine.handle, question)
        self._note(recorded, perf_counter() - began)
        return Response(recorded.in_language(said), media_type=JSON)

    async def decision(self, request: Request, decision_id: str) -> Response:
        """The stored answer, in either language."""
        self.service.gate.check_key(request, Scope.SCORE)
        said = language(request)
        return Response(await self.desk.in_turn(self.service.engine.ledger.answer_of, decision_id, said), media_type=JSON)

    def _note(self, recorded: Recorded, took_s: float) -> None:
        """Count and log a decision, without anything personal."""
        metrics, record = self.desk.metrics, recorded.record
        metrics.latency.labels("score").observe(took_s)
        if record is None:
            metrics.repeated.inc()
            log.info("decision_repeated", decision_id=recorded.decision_id, ms=round(took_s * 1000, 2))
            return
        metrics.decisions.labels(record.decision.action.value).inc()
        for code in {finding.code for finding in record.decision.findings}:
            metrics.reasons.labels(code).inc()
        for source in record.degraded:
            metrics.degraded.labels(source).inc()
        for stage, took_ms in record.timings_ms.items():
            metrics.stages.labels(stage).observe(took_ms / 1000)
        log.info(
            "decision_made",
            decision_id=record.decision_id,
            action=record.decision.action.value,
            score=record.score and round(record.score.probability, 3),
            degraded=list(record.degraded),
            ms=round(took_s * 1000, 2),
        )
