"""The HTTP API. Every route is `async`; decisions run one after the other on a thread of their own, so the loop always answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import ParamSpec, TypeVar

import msgspec
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import TypeAdapter

from features.catalog import describe
from risk.api import errors
from risk.api.body import LabelBody, LinkBody, OrderEventBody, RefundRequestBody
from risk.api.calls import Gate, checked, language
from risk.api.edge import Edge
from risk.api.evidence import EvidenceRoutes, looked_at
from risk.api.graph import Graph, GraphRoutes
from risk.api.images import Checks, ImageRoutes
from risk.api.metrics import Metrics
from risk.api.openapi import document
from risk.engine import Engine
from risk.evidence.intake import Intake
from risk.ingest import Ingest
from risk.keys import Scope
from risk.ledger import Recorded

log = structlog.get_logger()
Given = ParamSpec("Given")
Result = TypeVar("Result")

JSON = "application/json"
REQUEST, ORDER, LABEL = TypeAdapter(RefundRequestBody), TypeAdapter(OrderEventBody), TypeAdapter(LabelBody)


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes need. `clock` says when a call arrives; `about` is what `/healthz` tells: versions, and whether a model is installed.

    `intake` is null where no files are taken in, `checks` where no pictures are checked.
    A question waits at most `evidence_wait_s` for looks at its files that are under way.
    """

    engine: Engine
    ingest: Ingest
    edge: Edge
    gate: Gate
    clock: Callable[[], datetime]
    about: dict[str, str]
    intake: Intake | None = None
    evidence_wait_s: float = 3.0
    checks: Checks | None = None


def create_app(service: Service) -> FastAPI:
    """The application over a ready engine. Nothing is opened here, and nothing is left open when it stops."""
    worker = ThreadPoolExecutor(1, "decisions")
    graph = Graph(service.ingest, service.clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(graph.recover)
        if service.intake is not None:
            service.intake.recover()
        yield
        if service.intake is not None:
            await asyncio.get_running_loop().run_in_executor(None, service.intake.close)
        if service.checks is not None:
            await asyncio.get_running_loop().run_in_executor(None, service.checks.close)
        worker.shutdown()  # finishes what was begun

    app = FastAPI(title="refund-risk", docs_url=None, redoc_url=None, lifespan=lifespan, version=service.about["code"])
    metrics = Metrics()
    errors.install(app, metrics)
    app.include_router(Routes(service, worker, metrics).router())
    app.include_router(GraphRoutes(service.gate, graph).router())
    if service.intake is not None:
        app.include_router(EvidenceRoutes(service.gate, service.intake).router())
    if service.checks is not None:
        app.include_router(ImageRoutes(service.gate, service.checks, service.intake).router())
    app.openapi = partial(document, app)  # type: ignore[method-assign]  # FastAPI's way to change it
    return app


class Routes:
    """The routes, each a few lines: key, body, one call, answer."""

    def __init__(self, service: Service, worker: ThreadPoolExecutor, metrics: Metrics) -> None:
        self.service = service
        self.worker = worker
        self.metrics = metrics
        self.catalogue = msgspec.json.encode({"features": describe()})

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/refund-requests/score", summary="Decide one refund request", response_model=None)(self.score)
        router.get("/v1/decisions/{decision_id}", summary="A decision as it was answered", response_model=None)(self.decision)
        router.post("/v1/orders", summary="An order happened", response_model=None)(self.order)
        router.post("/v1/labels", summary="A request turned out to be abuse or honest", response_model=None)(self.label)
        router.get("/v1/features", summary="Every feature: what it means, its unit, what null means", response_model=None)(self.features)
        router.get("/healthz", summary="Is the service up, and what does it serve", response_model=None)(self.healthz)
        router.get("/metrics", summary="Figures for Prometheus", response_model=None)(self.figures)
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
        self._count(body.links, question.request.account_id)
        recorded = await self._in_turn(self.service.engine.handle, question)
        took_s = perf_counter() - began
        self._note(recorded, took_s)
        return Response(recorded.in_language(said), media_type=JSON)

    async def decision(self, request: Request, decision_id: str) -> Response:
        """The stored answer, in either language."""
        self.service.gate.check_key(request, Scope.SCORE)
        said = language(request)
        return Response(await self._in_turn(self.service.engine.ledger.answer_of, decision_id, said), media_type=JSON)

    async def order(self, request: Request) -> Response:
        """An order enters history."""
        self.service.gate.check_key(request, Scope.EVENTS)
        body = checked(ORDER, await self.service.gate.body(request))
        event = self.service.edge.order_event(body, self.service.clock())
        self._count(body.links, body.account_id)
        fresh = await self._in_turn(self.service.ingest.order, *event)
        return Response(msgspec.json.encode({"order_id": body.order_id, "new": fresh}), 201 if fresh else 200, media_type=JSON)

    async def label(self, request: Request) -> Response:
        """A label enters history; from now on it counts for others on the same timelines."""
        self.service.gate.check_key(request, Scope.LABELS)
        body = checked(LABEL, await self.service.gate.body(request))
        request.state.refund_request_id = body.request_id
        fresh = await self._in_turn(self.service.ingest.label, self.service.edge.label(body, self.service.clock()))
        return Response(msgspec.json.encode({"request_id": body.request_id, "new": fresh}), 201 if fresh else 200, media_type=JSON)

    async def features(self, request: Request) -> Response:
        """The catalogue."""
        self.service.gate.check_key(request, Scope.SCORE)
        return Response(self.catalogue, media_type=JSON)

    async def healthz(self) -> Response:
        """Open to all: it tells nothing but versions."""
        return Response(msgspec.json.encode({"status": "ok", **self.service.about}), media_type=JSON)

    async def figures(self) -> Response:
        """Open to all: it counts, it names nobody."""
        return Response(generate_latest(self.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _in_turn(self, call: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """Run it after what came before: a decision sees every earlier one, and SQLite has one writer."""
        return await asyncio.get_running_loop().run_in_executor(self.worker, partial(call, *given, **named))

    def _count(self, links: Iterable[LinkBody], account_id: str | None) -> None:
        """What became of the identifiers of a call: those that name nobody are left out, and that can be seen."""
        for kind, found in self.service.edge.read(links, account_id):
            self.metrics.identifiers.labels(kind.value, found.outcome.value).inc()
            if found.id is None:
                log.info("identifier_left_out", entity_type=kind.value, outcome=found.outcome.value)

    def _note(self, recorded: Recorded, took_s: float) -> None:
        """Count and log a decision, without anything personal."""
        self.metrics.latency.labels("score").observe(took_s)
        record = recorded.record
        if record is None:
            self.metrics.repeated.inc()
            log.info("decision_repeated", decision_id=recorded.decision_id, ms=round(took_s * 1000, 2))
            return
        self.metrics.decisions.labels(record.decision.action.value).inc()
        for code in {finding.code for finding in record.decision.findings}:
            self.metrics.reasons.labels(code).inc()
        for source in record.degraded:
            self.metrics.degraded.labels(source).inc()
        for stage, took_ms in record.timings_ms.items():
            self.metrics.stages.labels(stage).observe(took_ms / 1000)
        log.info(
            "decision_made",
            decision_id=record.decision_id,
            action=record.decision.action.value,
            score=record.score and round(record.score.probability, 3),
            degraded=list(record.degraded),
            ms=round(took_s * 1000, 2),
        )
