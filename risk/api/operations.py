"""What operators and dashboards ask: what the service is, how it does, which features it computes."""

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from features.catalog import describe
from risk.api.service import JSON, Desk
from risk.keys import Scope


class OperationRoutes:
    """The routes of operations."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.service = desk.service
        self.catalogue = msgspec.json.encode({"features": describe()})

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.get("/v1/features", summary="Every feature: what it means, its unit, what null means", response_model=None)(self.features)
        router.get("/healthz", summary="Is the service up, and what does it serve", response_model=None)(self.healthz)
        router.get("/metrics", summary="Figures for Prometheus", response_model=None)(self.figures)
        return router

    async def features(self, request: Request) -> Response:
        """The catalogue."""
        self.service.gate.check_key(request, Scope.SCORE)
        return Response(self.catalogue, media_type=JSON)

    async def healthz(self) -> Response:
        """Open to all: it tells nothing but versions."""
        return Response(msgspec.json.encode({"status": "ok", **self.service.about}), media_type=JSON)

    async def figures(self) -> Response:
        """Open to all: it counts, it names nobody."""
        return Response(generate_latest(self.desk.metrics.of_all_workers()), headers={"Content-Type": CONTENT_TYPE_LATEST})
