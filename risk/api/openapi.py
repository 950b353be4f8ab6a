"""The OpenAPI document: FastAPI's, with what `documented.py` says of bodies, answers, refusals and keys, which our routes read by themselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from data_contracts.link import EntityType
from risk.api.documented import EVERY, OPERATIONS, REFUSALS, WITH_A_BODY, Documented
from risk.api.events_body import BulkEvents
from risk.api.examples import example
from risk.api.json_response import JSON
from risk.api.shown import ErrorAnswer
from risk.check.order_facts import OrderFacts

PLACES: dict[str, dict[str, Any]] = {"sha256": {"pattern": "^[0-9a-f]{64}$"}, "entity_type": {"enum": sorted(EntityType)}}
"""What may stand in a parameter of a path."""

DONE, PLAIN = "200", "text/plain"

KEY = "An API key of this installation: `Authorization: Bearer rr_...`. Each operation says which scope it needs; `admin` opens all."


def document(app: FastAPI) -> dict[str, Any]:
    """Made once, then kept on the application."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, summary="Ranks refund requests for approve, review or block.", routes=app.routes)
    _, schemas = models_json_schema([(model, "validation") for model in _models()], ref_template="#/components/schemas/{model}")
    components = made.setdefault("components", {})
    components["schemas"] = schemas["$defs"]
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": KEY}}
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _complete(operation, OPERATIONS[method, path], f"{method.upper()} {path}")
    return made


def _models() -> list[type[BaseModel]]:
    """Every model that an operation names, each once."""
    bodies = [each.body for each in OPERATIONS.values()]
    answers = [model for each in OPERATIONS.values() for _, model in each.answers.values()]
    return list(dict.fromkeys(model for model in (*bodies, *answers, BulkEvents, OrderFacts, ErrorAnswer) if model is not None))


def _complete(operation: dict[str, Any], said: Documented, name: str) -> None:
    """Body, answers, refusals, parameters and key of one operation."""
    for parameter in operation.setdefault("parameters", []):
        parameter["schema"] |= PLACES.get(parameter["name"], {})
    operation["parameters"] += said.asks
    content = said.form or (said.body and _content(said.body))
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    if said.scope is not None:
        operation["security"] = [{"key": []}]
        operation["description"] = f"{operation.get('description', '')}\n\nScope: `{said.scope.value}`".strip()
    codes = {*said.refusals, *(EVERY if said.scope else ()), *(WITH_A_BODY if content else ())}
    answers = {status: _answer(words, model, example(name, status)) for status, (words, model) in said.answers.items()}
    for kind, shape in said.content.items():
        told = example(name, DONE) if kind == PLAIN else None
        answers[DONE].setdefault("content", {})[kind] = shape if told is None else {**shape, "example": told}
    operation["responses"] = answers | {code: _answer(REFUSALS[code], ErrorAnswer, example(name, code)) for code in sorted(codes)}


def _answer(words: str, model: type[BaseModel] | None, told: object) -> dict[str, Any]:
    """One answer: what it means, its shape (null: it is no JSON) and what it said once."""
    if model is None:
        return {"description": words}
    content = _content(model)
    content[JSON]["example"] = told
    return {"description": words, "content": content}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
