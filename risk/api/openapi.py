"""The OpenAPI document: FastAPI's, with the bodies, the answer, the error shape and the key that our routes read by themselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from data_contracts.decision import Action
from data_contracts.link import EntityType
from risk.api.body import LabelBody, OrderEventBody, RefundRequestBody
from risk.api.graph_body import JudgementBody, NeighbourhoodAnswer, RingsAnswer, RingShown
from risk.check.order_facts import OrderFacts
from risk.check.verdict import CheckVerdict


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
    `provisional`: its evidence was not measured when the deadline passed; the final decision follows by itself. `superseded_by` names the decision
    that took its place since, where the decision is read by its id.
    """

    decision_id: str
    request_id: str
    action: Action
    score: float | None
    rank_value: float
    reasons: list[ReasonShown]
    versions: dict[str, str]
    degraded: list[str]
    provisional: bool
    supersedes: str | None
    superseded_by: str | None


class FindingShown(BaseModel):
    """One thing that was seen; `region` is [left, top, right, bottom] in shares of the picture, null where it has no place."""

    code: str
    signal: str
    strength: float
    detail: str
    region: list[float] | None


class NotChecked(BaseModel):
    """One thing that could not be checked, and why in one word; `no_marker` says that it was looked for and is not there."""

    signal: str
    reason: str


class CheckAnswer(BaseModel):
    """What is known of one picture or film.

    `score`: 0 to 1, higher is less authentic, null where it cannot be opened. `why`: why it is unsure; `standing_on`: on what a verdict stands.
    `ask_for`: what to ask the buyer for, best first; `handwritten_code` is what she writes on a slip of paper. `texts`: the sentence of each code.
    """

    path: str
    sha256: str
    kind: str
    verdict: CheckVerdict
    score: float | None
    findings: list[FindingShown]
    unavailable: list[NotChecked]
    versions: dict[str, str]
    certainty: str | None
    standing_on: list[str]
    why: list[str]
    ask_for: list[str]
    handwritten_code: str
    texts: dict[str, str]
    ms: float


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
CHECK = "/v1/images/check"
FORMS = ("/v1/evidence", CHECK)
BODIES: dict[str, type[BaseModel]] = {
    "/v1/refund-requests/score": RefundRequestBody,
    "/v1/orders": OrderEventBody,
    "/v1/labels": LabelBody,
    "/v1/judgements": JudgementBody,
}
NEIGHBOURHOOD = "/v1/entities/{entity_type}/{entity_id}/neighbourhood"
GRAPH_ANSWERS: dict[str, type[BaseModel]] = {"/v1/rings": RingsAnswer, "/v1/rings/{ring_id}": RingShown, NEIGHBOURHOOD: NeighbourhoodAnswer}
GRAPH_QUERIES = {
    "/v1/rings": (
        ("offset", {"type": "integer", "minimum": 0, "default": 0}),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        ("all", {"type": "integer", "enum": [0, 1], "default": 0, "description": "1: also the ones that no analyst needs to see."}),
    ),
    NEIGHBOURHOOD: (
        ("as_of", {"type": "string", "format": "date-time", "description": "Only what was known before that moment; now when left out."}),
        ("hops", {"type": "integer", "minimum": 1, "maximum": 4, "default": 2}),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 300, "default": 300}),
    ),
}
PLACES: dict[str, dict[str, Any]] = {"sha256": {"pattern": "^[0-9a-f]{64}$"}, "entity_type": {"enum": sorted(EntityType)}}
"""What may stand in a parameter of a path."""
SCORE = "/v1/refund-requests/score"
ANSWERS = (SCORE, "/v1/refund-requests/{request_id}", "/v1/decisions/{decision_id}")
LANGUAGE = {"name": "lang", "in": "query", "required": False, "schema": {"type": "string", "enum": ["en", "zh"]}}
DEADLINE = {
    "name": "Deadline-Ms",
    "in": "header",
    "required": False,
    "description": "How long the caller waits. Evidence that is not measured by then makes the decision provisional; the final one follows.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 60_000},
}
REFUSALS = {"401": "No valid API key", "422": "A field does not hold", "503": "The database does not answer; ask again"}
FORM_REFUSALS = {
    "400": "The body is cut or no form",
    "408": "The file did not come in time",
    "413": "The file is too large",
    "415": "The body is no form",
    "429": "Too many files wait; ask again",
}
FILE_FORM = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {"file": {"type": "string", "format": "binary"}},
            "required": ["file"],
            "additionalProperties": False,
        },
    },
}
CHECK_FORM = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                "file": {"type": "string", "format": "binary", "description": "A photo or a film; its name is what counts of the order refer to."},
                "order": {"$ref": "#/components/schemas/OrderFacts"},
            },
            "required": ["file"],
            "additionalProperties": False,
        },
        "encoding": {"order": {"contentType": "application/json"}},
    },
}
CHECK_READ = {
    "name": "read",
    "in": "query",
    "required": False,
    "description": "0: do not read the words in the picture, which takes longer than all the rest.",
    "schema": {"type": "string", "enum": ["0", "1"], "default": "1"},
}
BODY_REFUSALS = {"400": "The body is no JSON", "409": "Known with another content", "413": "The body is too large", "415": "The body is not JSON"}


def document(app: FastAPI) -> dict[str, Any]:
    """Made once, then kept on the application."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, summary="Ranks refund requests for approve, review or block.", routes=app.routes)
    models: list[type[BaseModel]] = [*BODIES.values(), *GRAPH_ANSWERS.values(), OrderFacts, Answer, CheckAnswer, ErrorAnswer]
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
    for parameter in operation.get("parameters", ()):
        parameter["schema"] |= PLACES.get(parameter["name"], {})
    responses = {"200": {"description": "Done", "content": _content("Answer") if path in ANSWERS else {}}}
    refusals = {} if path in OPEN else dict(REFUSALS)
    if path in BODIES:
        refusals |= BODY_REFUSALS
        operation["requestBody"] = {"required": True, "content": _content(BODIES[path].__name__)}
    if path in FORMS:
        refusals |= FORM_REFUSALS
        operation["requestBody"] = {"required": True, "content": CHECK_FORM if path == CHECK else FILE_FORM}
    if path == CHECK:
        operation["parameters"] = [CHECK_READ]
        responses["200"] = {"description": "Done", "content": _content("CheckAnswer") | {"text/html": {"schema": {"type": "string"}}}}
    elif path in FORMS:
        responses["201"] = {"description": "On disk, being measured"}
    if path in ("/v1/orders", "/v1/labels"):
        responses["201"] = {"description": "New"}
    responses = _of_the_graph(path, operation) or responses
    if path in ("/v1/labels", *ANSWERS[1:], "/v1/evidence/{sha256}", "/v1/rings/{ring_id}", "/v1/judgements", NEIGHBOURHOOD):
        refusals["404"] = "Nothing under that id"
    operation.setdefault("parameters", []).extend([DEADLINE] * (path == SCORE) + [LANGUAGE] * (path in (*ANSWERS, CHECK)))
    if path not in OPEN:
        operation["security"] = [{"key": []}]
    operation["responses"] = responses | {code: {"description": said, "content": _content("ErrorAnswer")} for code, said in refusals.items()}


def _of_the_graph(path: str, operation: dict[str, Any]) -> dict[str, Any] | None:
    """The answers of a route about the graph, whose parameters are added; null for any other route."""
    if path == "/v1/judgements":
        return {"201": {"description": "Kept"}}
    if path not in GRAPH_ANSWERS:
        return None
    asked = [{"name": name, "in": "query", "required": False, "schema": kind} for name, kind in GRAPH_QUERIES.get(path, ())]
    operation["parameters"] = [*operation.get("parameters", []), *asked]
    return {"200": {"description": "Done", "content": _content(GRAPH_ANSWERS[path].__name__)}}


def _content(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
