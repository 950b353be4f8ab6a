"""What operators and dashboards ask: what the service is, how it does, which features it computes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from data_contracts.errors import SourceUnavailableError
from features.catalog import describe
from risk.api.json_response import JSON, json_response
from risk.api.service import Desk
from risk.keys import Scope

READY_S = 2.0
"""How long the parts may take to answer; who asks whether a service is ready waits a few seconds at most."""


class NotReadyError(SourceUnavailableError):
    """The service should not be sent calls now; the message names parts, not places."""

    code = "NOT_READY"

    def __init__(self, message: str) -> None:
        super().__init__(message, outside=message)


class OperationRoutes:
    """The routes of operations."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.service = desk.service
        self._prober = ThreadPoolExecutor(1, "ready")  # of its own: what hangs here must not hold up anything else
        self.catalogue = msgspec.json.encode({"features": describe()})

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.get("/v1/features", summary="Every feature: what it means, its unit, what null means", response_model=None)(self.features)
        router.get("/healthz", summary="Is the service up, and what does it serve", response_model=None)(self.healthz)
        router.get("/readyz", summary="May the service be sent calls, and what is not well", response_model=None)(self.readyz)
        router.get("/metrics", summary="Figures for Prometheus", response_model=None)(self.figures)
        return router

    async def features(self, request: Request) -> Response:
        """The catalogue."""
        self.service.gate.check_key(request, Scope.SCORE)
        return Response(self.catalogue, media_type=JSON)

    async def healthz(self) -> Response:
        """Open to all: it tells nothing but versions."""
        return json_response({"status": "ok", **self.service.about})

    async def readyz(self) -> Response:
        """Open to all: it names parts, not places. NotReadyError: what keeps it from deciding."""
        trying = asyncio.get_running_loop().run_in_executor(self._prober, self.service.ready)
        try:
            found = await asyncio.wait_for(trying, READY_S)
        except TimeoutError:
            message = f"the parts did not answer within {READY_S:.0f} s"
            raise NotReadyError(message) from None
        if found.missing:
            raise NotReadyError("; ".join(f"{name}: {said}" for name, said in found.missing.items()))
        parts = {**found.needed, **found.besides}
        status = "ready" if set(parts.values()) == {"ok"} else "degraded"
        return json_response({"status": status, "parts": parts})

    async def figures(self) -> Response:
        """Open to all: it counts, it names nobody."""
        self.desk.gauge()
        return Response(generate_latest(self.desk.metrics.of_all_workers()), headers={"Content-Type": CONTENT_TYPE_LATEST})
