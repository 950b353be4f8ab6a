"""The OpenAPI document: FastAPI's, with the bodies, the answer, the error shape and the key that our routes read by themselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from data_contracts.decision import Action
from risk.api.body import LabelBody, OrderEventBody, RefundRequestBody


class ReasonShown(BaseModel):
    """One reason. Show a buyer nothing but `buyer`."""

    code: str
    family: str
    analyst: str
    buyer: str
    detail: str


class Answer(BaseModel):
    """A decision.

    `score` is the calibrated probability of abuse, null without a model; `rank_value` is what not paying at once is expected to save.
    """

    decision_id: str
    request_id: str
    action: Action
    score: float | None
    rank_value: float
    reasons: list[ReasonShown]
    versions: dict[str, str]
    degraded: list[str]
    supersedes: str | None


class ErrorShown(BaseModel):
    """What was wrong; `field` is the path in the body, `request_id` the refund request's, where known."""

    code: str
    message: str
    field: str | None
    request_id: str | None


class ErrorAnswer(BaseModel):
    """The one error shape."""

    error: ErrorShown


OPEN = ("/healthz", "/metrics")
BODIES: dict[str, type[BaseModel]] = {
    "/v1/refund-requests/score": RefundRequestBody,
    "/v1/orders": OrderEventBody,
    "/v1/labels": LabelBody,
}
ANSWERS = ("/v1/refund-requests/score", "/v1/decisions/{decision_id}")
REFUSALS = {"401": "No valid API key", "422": "A field does not hold", "503": "The database does not answer; ask again"}
BODY_REFUSALS = {"400": "The body is no JSON", "409": "Known with another content", "413": "The body is too large", "415": "The body is not JSON"}


def document(app: FastAPI) -> dict[str, Any]:
    """Made once, then kept on the application."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, summary="Ranks refund requests for approve, review or block.", routes=app.routes)
    models: list[type[BaseModel]] = [*BODIES.values(), Answer, ErrorAnswer]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template="#/components/schemas/{model}")
    components = made.setdefault("components", {})
    components["schemas"] = schemas["$defs"]
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key of this installation."}}
    for path, methods in made["paths"].items():
        for operation in methods.values():
            _complete(path, operation)
    return made


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Body, answers, refusals and key of one operation."""
    responses = {"200": {"description": "Done", "content": _content("Answer") if path in ANSWERS else {}}}
    refusals = {} if path in OPEN else dict(REFUSALS)
    if path in BODIES:
        refusals |= BODY_REFUSALS
        operation["requestBody"] = {"required": True, "content": _content(BODIES[path].__name__)}
    if path in ("/v1/orders", "/v1/labels"):
        responses["201"] = {"description": "New"}
    if path in ("/v1/labels", "/v1/decisions/{decision_id}"):
        refusals["404"] = "Nothing under that id"
    if path in ANSWERS:
        language = {"name": "lang", "in": "query", "required": False, "schema": {"type": "string", "enum": ["en", "zh"]}}
        operation["parameters"] = [*operation.get("parameters", []), language]
    if path not in OPEN:
        operation["security"] = [{"key": []}]
    operation["responses"] = responses | {code: {"description": said, "content": _content("ErrorAnswer")} for code, said in refusals.items()}


def _content(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
