"""Every error in one JSON shape: {"error": {"code", "message", "field", "request_id"}}.

Messages say what does not hold; values that may be personal stay out.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from data_contracts.errors import BusyError, ContractError, NotAllowedError, RiskError, SourceUnavailableError
from risk.api.json_response import json_response
from risk.api.metrics import Metrics

log = structlog.get_logger()
Answer = Callable[[Request, Exception], Awaitable[Response]]


class MalformedError(ContractError):
    """The body is no JSON."""

    status = 400
    code = "MALFORMED"


class TooLargeError(ContractError):
    """The body is larger than any honest request."""

    status = 413
    code = "TOO_LARGE"


class MediaTypeError(ContractError):
    """The body is not declared as JSON."""

    status = 415
    code = "MEDIA_TYPE"


def shown(error: RiskError, request_id: str | None = None) -> dict[str, str | None]:
    """The one shape of an error; `request_id` is the refund request's, where it could be read."""
    message = error.outside if isinstance(error, SourceUnavailableError) else error.message
    return {"code": error.code, "message": message, "field": error.field, "request_id": request_id}


def respond(error: RiskError, request_id: str | None = None) -> Response:
    """The error as a response; `request_id` is the refund request's, where it could be read."""
    body = {"error": shown(error, request_id)}
    headers: dict[str, str] = {}
    if isinstance(error, NotAllowedError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, SourceUnavailableError):
        headers["Retry-After"] = "1"
    if isinstance(error, BusyError):
        headers["Retry-After"] = str(error.retry_after_s)
    return json_response(body, error.status, headers)


def from_validation(error: ValidationError) -> ContractError:
    """The first thing that does not hold, by field. The value itself stays out: it may be personal."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    more = error.error_count() - 1
    if first["type"] == "json_invalid":
        return MalformedError(f"the body is no JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "union_tag_invalid":  # whose words repeat the tag
        said = f"is of no known type; expected one of {first['ctx']['expected_tags']}"
    message = f"{field or 'the body'}: {said}"
    return ContractError(message if not more else f"{message} (and {more} more)", field=field)


def _route(request: Request) -> str:
    """The path as it is documented; what stood in its places may be personal. Empty where no route was found."""
    return str(getattr(request.scope.get("route"), "path", ""))


def install(app: FastAPI, metrics: Metrics) -> tuple[Answer, Answer]:
    """Catch everything, in one shape. What answers one of our errors, and what answers a surprise."""

    async def on_risk_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RiskError)  # noqa: S101  # registered for it alone
        metrics.errors(str(error.status)).inc()
        if isinstance(error, SourceUnavailableError):
            log.warning("source_unavailable", reason=error.message, route=_route(request))
        else:
            log.info("request_refused", code=error.code, status=error.status, route=_route(request))
        return respond(error, getattr(request.state, "refund_request_id", None))

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for it alone
        status = HTTPStatus(error.status_code)
        metrics.errors(str(error.status_code)).inc()
        message = {404: "there is nothing at this path; see /openapi.json", 405: "this path does not take this method; see /openapi.json"}
        body = {"code": status.name, "message": message.get(error.status_code, status.phrase.lower()), "field": None, "request_id": None}
        headers = dict(error.headers or {}) | (_allowed(request) if status is HTTPStatus.METHOD_NOT_ALLOWED else {})
        return json_response({"error": body}, error.status_code, headers)

    async def on_surprise(request: Request, error: Exception) -> Response:
        metrics.errors("500").inc()
        log.error("request_failed", route=_route(request), kind=type(error).__name__, exc_info=error)
        return respond(RiskError("something went wrong on our side; nothing was decided"), getattr(request.state, "refund_request_id", None))

    app.add_exception_handler(RiskError, on_risk_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_surprise)
    return on_risk_error, on_surprise


def _allowed(request: Request) -> dict[str, str]:
    """Every method that the path takes, on whichever of its routes; nothing to say where it has but one."""
    methods = request.app.openapi()["paths"].get(_route(request).replace(":path", ""), {})
    return {"Allow": ", ".join(sorted(method.upper() for method in methods))} if len(methods) > 1 else {}
