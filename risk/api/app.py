"""The HTTP API. Every route is `async`; decisions are made in their order on a thread of their own, so the loop always answers.

The routes stand by family: `decisions`, `events`, `bulk`, `appeals`, `graph`, `evidence`, `images`, `webhooks`, `operations`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from risk.api import errors
from risk.api.appeals import AppealRoutes
from risk.api.bulk import BulkRoutes
from risk.api.call_id import CallIds
from risk.api.decisions import DecisionRoutes
from risk.api.direct import Direct, direct_routes
from risk.api.dispatch import Dispatcher
from risk.api.events import EventRoutes
from risk.api.evidence import EvidenceRoutes
from risk.api.finals import Finals
from risk.api.graph import Graph, GraphRoutes
from risk.api.images import ImageRoutes
from risk.api.metrics import Metrics
from risk.api.once import Once
from risk.api.openapi import document
from risk.api.operations import OperationRoutes
from risk.api.service import Desk, Service
from risk.api.webhooks import WebhookRoutes


def create_app(service: Service) -> ASGIApp:
    """The application over a ready engine. Nothing is opened here, and nothing is left open when it stops."""
    desk = Desk(service, Metrics())
    graph = Graph(service.ingest, service.clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(graph.recover)
        if service.intake is not None:
            service.intake.recover()
        tasks = [asyncio.create_task(Finals(desk).work())]
        if service.webhook_secret is not None:
            tasks.append(asyncio.create_task(Dispatcher(service.engine.ledger.outbox, service.webhook_secret).work()))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if service.intake is not None:
            await asyncio.get_running_loop().run_in_executor(None, service.intake.close)
        if service.checks is not None:
            await asyncio.get_running_loop().run_in_executor(None, service.checks.close)
        desk.close()

    app = FastAPI(title="refund-risk", docs_url=None, redoc_url=None, lifespan=lifespan, version=service.about["code"])
    refused, surprised = errors.install(app, desk.metrics)
    once = Once(desk)
    families = (
        DecisionRoutes(desk, once),
        EventRoutes(desk, once),
        BulkRoutes(desk, once),
        AppealRoutes(desk, once),
        OperationRoutes(desk),
        WebhookRoutes(desk),
        GraphRoutes(service.gate, graph, once),
    )
    routers = [family.router() for family in families]
    for router in routers:
        app.include_router(router)
    if service.intake is not None:
        app.include_router(EvidenceRoutes(service.gate, service.intake, service.clock).router())
    if service.checks is not None:
        app.include_router(ImageRoutes(service.gate, service.checks, service.intake).router())
    app.openapi = partial(document, app)  # type: ignore[method-assign]  # FastAPI's way to change it
    return CallIds(Direct(app, direct_routes(routers), refused, surprised))
