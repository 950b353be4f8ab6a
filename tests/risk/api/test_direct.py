"""The short way to an endpoint answers as the framework's own way does."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from structlog.testing import capture_logs

from data_contracts.errors import BusyError
from risk.api.call_id import CallIds
from risk.api.direct import Direct, direct_routes
from risk.api.errors import install
from risk.api.metrics import Metrics


async def fixed(request: Request) -> Response:
    """Does what it is asked for."""
    asked = (await request.body()).decode()
    if asked == "refuse":
        request.state.refund_request_id = "r-1"
        raise BusyError("slow down")
    if asked == "surprise":
        raise ZeroDivisionError(asked)
    return Response(f"{request.url.path} {asked}", 201, media_type="text/plain")


async def placed(request: Request, place: str) -> Response:
    """Has something in its path."""
    return Response(f"{request.method} {place}")


async def alone() -> Response:
    """Takes nothing."""
    return Response("alone")


def an_app() -> tuple[FastAPI, Direct]:
    app, router = FastAPI(), APIRouter()
    answers = install(app, Metrics())
    router.post("/fixed", response_model=None)(fixed)
    router.get("/placed/{place}", response_model=None)(placed)
    router.get("/alone", response_model=None)(alone)
    app.include_router(router)
    return app, Direct(app, direct_routes([router]), *answers)


async def asked(app: Any, method: str, path: str, content: str) -> tuple[int, dict[str, str], bytes, list[Any]]:  # noqa: ANN401  # either
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    with capture_logs() as logs:
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            answer = await client.request(method, path, content=content)
    said = [{name: value for name, value in line.items() if name != "exc_info"} for line in logs]
    return answer.status_code, dict(answer.headers), answer.content, said


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/fixed", "hello"),
        ("POST", "/fixed?lang=zh", "hello"),
        ("POST", "/fixed", "refuse"),
        ("POST", "/fixed", "surprise"),
        ("GET", "/fixed", ""),
        ("HEAD", "/fixed", ""),
        ("POST", "/fixed/", "hello"),
        ("GET", "/placed/here", ""),
        ("GET", "/alone", ""),
        ("GET", "/nothing", ""),
    ],
)
def test_either_way_answers_and_logs_alike(method: str, path: str, content: str) -> None:
    framework, direct = an_app()
    assert asyncio.run(asked(direct, method, path, content)) == asyncio.run(asked(framework, method, path, content))


def test_only_fixed_paths_whose_endpoint_takes_the_request_are_short() -> None:
    assert set(an_app()[1].routes) == {("POST", "/fixed")}


def test_every_answer_says_its_call_also_of_a_surprise() -> None:
    app = CallIds(an_app()[1])
    for path, content, status in (("/fixed", "surprise", 500), ("/fixed", "refuse", 429), ("/nothing", "", 404)):
        found, headers, _, _ = asyncio.run(asked(app, "POST", path, content))
        assert (found, len(headers["x-call-id"])) == (status, 16)
