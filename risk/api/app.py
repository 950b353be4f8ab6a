"""The HTTP API. Every route is `async`; decisions run one after the other on a thread of their own, so the loop always answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
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
from risk.api.body import LabelBody, OrderEventBody, RefundRequestBody
from risk.api.calls import Gate, checked, language
from risk.api.edge import Edge
from risk.api.metrics import Metrics
from risk.api.openapi import document
from risk.engine import Engine
from risk.ingest import Ingest
from risk.ledger import Recorded

log = structlog.get_logger()
Given = ParamSpec("Given")
Result = TypeVar("Result")

JSON = "application/json"
REQUEST, ORDER, LABEL = TypeAdapter(RefundRequestBody), TypeAdapter(OrderEventBody), TypeAdapter(LabelBody)


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes need. `clock` says when a call arrives; `about` is what `/healthz` tells: versions, and whether a model is installed."""

    engine: Engine
    ingest: Ingest
    edge: Edge
    gate: Gate
    clock: Callable[[], datetime]
    about: dict[str, str]


def create_app(service: Service) -> FastAPI:
    """The application over a ready engine. Nothing is opened here, and nothing is left open when it stops."""
    worker = ThreadPoolExecutor(1, "decisions")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        worker.shutdown()  # finishes what was begun

    app = FastAPI(title="refund-risk", docs_url=None, redoc_url=None, lifespan=lifespan, version=service.about["code"])
    metrics = Metrics()
    errors.install(app, metrics)
    app.include_router(Routes(service, worker, metrics).router())
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
        self.service.gate.check_key(request)
        said = language(request)
        body = checked(REQUEST, await self.service.gate.body(request))
        request.state.refund_request_id = body.request_id
        question = self.service.edge.question(body, self.service.clock())
        recorded = await self._in_turn(self.service.engine.handle, question)
        took_s = perf_counter() - began
        self._note(recorded, took_s)
        return Response(recorded.in_language(said), media_type=JSON)

    async def decision(self, request: Request, decision_id: str) -> Response:
        """The stored answer, in either language."""
        self.service.gate.check_key(request)
        said = language(request)
        return Response(await self._in_turn(self.service.engine.ledger.answer_of, decision_id, said), media_type=JSON)

    async def order(self, request: Request) -> Response:
        """An order enters history."""
        self.service.gate.check_key(request)
        body = checked(ORDER, await self.service.gate.body(request))
        event = self.service.edge.order_event(body, self.service.clock())
        fresh = await self._in_turn(self.service.ingest.order, *event)
        return Response(msgspec.json.encode({"order_id": body.order_id, "new": fresh}), 201 if fresh else 200, media_type=JSON)

    async def label(self, request: Request) -> Response:
        """A label enters history; from now on it counts for others on the same timelines."""
        self.service.gate.check_key(request)
        body = checked(LABEL, await self.service.gate.body(request))
        request.state.refund_request_id = body.request_id
        fresh = await self._in_turn(self.service.ingest.label, self.service.edge.label(body, self.service.clock()))
        return Response(msgspec.json.encode({"request_id": body.request_id, "new": fresh}), 201 if fresh else 200, media_type=JSON)

    async def features(self, request: Request) -> Response:
        """The catalogue."""
        self.service.gate.check_key(request)
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
