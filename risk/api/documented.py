"""What the OpenAPI document says of each operation: scope, body, answers, refusals, parameters. A test compares it with the routes that exist."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from risk.api import events_shown, evidence_shown, once, shown
from risk.api.body import AppealBody, RefundRequestBody, VerdictBody
from risk.api.bulk import LINES
from risk.api.deadline import HEADER, LONGEST_MS
from risk.api.events_body import DeliveryEventBody, LabelBody, LinkEventBody, OrderEventBody, RefundBody
from risk.api.evidence import BYTES, TYPES
from risk.api.graph_body import JudgementBody, JudgementShown, NeighbourhoodAnswer, RingInFull, RingsAnswer
from risk.keys import Scope

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """One operation. scope: what its key must allow, null where it is open to all. body: the model of its JSON body; form: what it takes instead.

    answers: what each status means, and the model of its body (null: it is no JSON). content: what a 200 is, or may be instead, by content type.
    refusals: statuses beside those that every operation of its kind has. asks: parameters beside those of its path.
    """

    scope: Scope | None = None
    body: type[BaseModel] | None = None
    form: Schema | None = None
    answers: Mapping[str, tuple[str, type[BaseModel] | None]]
    content: Schema = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    asks: tuple[Schema, ...] = ()


REFUSALS: Mapping[str, str] = {
    "400": "The body is not what its Content-Type says",
    "401": "No valid API key",
    "403": "The key is not for this",
    "404": "Nothing under that id",
    "408": "The body did not come in time",
    "409": "Known with another content, or the Idempotency-Key with another call",
    "410": "It was here, and was deleted when its time was over",
    "413": "The body is too large",
    "415": "The body is of another type",
    "422": "A field does not hold",
    "429": "Too many calls, or too many files wait; ask again after Retry-After",
    "503": "The database (or what else it names) does not answer; ask again after Retry-After",
}
EVERY = ("401", "403", "422", "429", "503")
"""What any operation with a key may answer."""
WITH_A_BODY = ("400", "413", "415")

DONE = "Done"


def parameter(name: str, where: str, said: str, **schema: object) -> Schema:
    """A parameter that may be left out."""
    return {"name": name, "in": where, "required": False, "description": said, "schema": schema}


LANGUAGE = parameter("lang", "query", "The language of the answer; else Accept-Language decides.", type="string", enum=["en", "zh"])
DEADLINE = parameter(
    HEADER,
    "header",
    "How long the caller waits. Evidence that is not measured by then makes the decision provisional; the final one follows.",
    type="integer",
    minimum=1,
    maximum=LONGEST_MS,
)
ONCE = parameter(
    once.HEADER,
    "header",
    f"Of the caller's choice, one a call: the same call sent again gets the same answer for {once.KEEP.days} days, another one a 409.",
    type="string",
    minLength=1,
    maxLength=255,
    pattern="^[!-~]+$",
)
READ = parameter(
    "read", "query", "0: do not read the words in the picture, which takes longer than all the rest.", type="string", enum=["0", "1"], default="1"
)
OFFSET = parameter("offset", "query", "Where the page begins.", type="integer", minimum=0, default=0)
PAGE = parameter("limit", "query", "Length of the page.", type="integer", minimum=1, maximum=200, default=50)
ALL = parameter("all", "query", "1: also the ones that no analyst needs to see.", type="integer", enum=[0, 1], default=0)
OPEN = parameter("open", "query", "1: only those without a verdict that closes them.", type="integer", enum=[0, 1], default=0)
AS_OF = parameter("as_of", "query", "Only what was known before that moment; now when left out.", type="string", format="date-time")
HOPS = parameter("hops", "query", "How far from the node.", type="integer", minimum=1, maximum=4, default=2)
NODES = parameter("limit", "query", "Nodes at most.", type="integer", minimum=1, maximum=300, default=300)

WHY: Schema = {
    "name": "why",
    "in": "query",
    "required": True,
    "description": "Why the file is looked at; it is kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 500},
}


def _form(**more: object) -> Schema:
    """A form with a file and perhaps more."""
    properties = {"file": {"type": "string", "format": "binary", "description": "A photo, a film or a document."}, **more}
    return {"type": "object", "properties": properties, "required": ["file"], "additionalProperties": False}


FILE_FORM: Schema = {"multipart/form-data": {"schema": _form()}}
CHECK_FORM: Schema = {
    "multipart/form-data": {
        "schema": _form(order={"$ref": "#/components/schemas/OrderFacts"}),
        "encoding": {"order": {"contentType": "application/json"}},
    },
}

OPERATIONS: Mapping[tuple[str, str], Documented] = {
    ("post", "/v1/refund-requests/score"): Documented(
        scope=Scope.SCORE,
        body=RefundRequestBody,
        answers={"200": ("Decided, now or before", shown.Answer)},
        refusals=("409",),
        asks=(LANGUAGE, DEADLINE, ONCE),
    ),
    ("get", "/v1/refund-requests/{request_id}"): Documented(
        scope=Scope.SCORE, answers={"200": (DONE, shown.Answer)}, refusals=("404",), asks=(LANGUAGE,)
    ),
    ("get", "/v1/decisions/{decision_id}"): Documented(scope=Scope.SCORE, answers={"200": (DONE, shown.Answer)}, refusals=("404",), asks=(LANGUAGE,)),
    ("post", "/v1/orders"): Documented(
        scope=Scope.EVENTS,
        body=OrderEventBody,
        answers={"201": ("New", events_shown.OrderTaken), "200": ("Known", events_shown.OrderTaken)},
        refusals=("409",),
        asks=(ONCE,),
    ),
    ("post", "/v1/deliveries"): Documented(
        scope=Scope.EVENTS,
        body=DeliveryEventBody,
        answers={"201": ("New", events_shown.OrderTaken), "200": ("Known", events_shown.OrderTaken)},
        asks=(ONCE,),
        refusals=("409",),
    ),
    ("post", "/v1/refunds"): Documented(
        scope=Scope.EVENTS,
        body=RefundBody,
        answers={"201": ("New", events_shown.RefundTaken), "200": ("Known", events_shown.RefundTaken)},
        asks=(ONCE,),
        refusals=("409",),
    ),
    ("post", "/v1/links"): Documented(
        scope=Scope.EVENTS,
        body=LinkEventBody,
        answers={"201": ("New", events_shown.LinkTaken), "200": ("Known", events_shown.LinkTaken)},
        asks=(ONCE,),
        refusals=("409",),
    ),
    ("post", "/v1/events"): Documented(
        scope=Scope.EVENTS,
        form={
            "application/json": {"schema": {"$ref": "#/components/schemas/BulkEvents"}},
            LINES: {"schema": {"type": "string", "description": "One event a line, each as in the array."}},
        },
        answers={"200": ("What became of each event, in their order", events_shown.BulkTaken)},
        asks=(ONCE,),
        refusals=("409",),
    ),
    ("post", "/v1/labels"): Documented(
        scope=Scope.LABELS,
        body=LabelBody,
        answers={"201": ("New", events_shown.LabelTaken), "200": ("Known", events_shown.LabelTaken)},
        refusals=("404", "409"),
        asks=(ONCE,),
    ),
    ("post", "/v1/appeals"): Documented(
        scope=Scope.EVENTS,
        body=AppealBody,
        answers={"201": ("Filed", shown.AppealShown), "200": ("Filed before", shown.AppealShown)},
        refusals=("404", "409"),
        asks=(ONCE,),
    ),
    ("get", "/v1/appeals"): Documented(scope=Scope.LABELS, answers={"200": (DONE, shown.AppealsShown)}, asks=(OFFSET, PAGE, OPEN)),
    ("get", "/v1/appeals/{appeal_id}"): Documented(scope=Scope.LABELS, answers={"200": (DONE, shown.AppealShown)}, refusals=("404",)),
    ("post", "/v1/appeals/{appeal_id}/verdict"): Documented(
        scope=Scope.LABELS,
        body=VerdictBody,
        answers={"201": ("Kept", shown.AppealShown), "200": ("Said before", shown.AppealShown)},
        refusals=("404", "409"),
        asks=(ONCE,),
    ),
    ("get", "/v1/webhooks/dead"): Documented(scope=Scope.ADMIN, answers={"200": (DONE, shown.DeadShown)}, asks=(PAGE,)),
    ("get", "/v1/features"): Documented(scope=Scope.SCORE, answers={"200": (DONE, shown.FeaturesShown)}),
    ("get", "/v1/rings"): Documented(scope=Scope.LABELS, answers={"200": (DONE, RingsAnswer)}, asks=(OFFSET, PAGE, ALL)),
    ("get", "/v1/rings/{ring_id}"): Documented(scope=Scope.LABELS, answers={"200": (DONE, RingInFull)}, refusals=("404",)),
    ("post", "/v1/judgements"): Documented(
        scope=Scope.ADMIN,
        body=JudgementBody,
        answers={"201": ("Kept", JudgementShown), "200": ("Said just before", JudgementShown)},
        refusals=("404", "409"),
        asks=(ONCE,),
    ),
    ("get", "/v1/entities/{entity_type}/{entity_id}/neighbourhood"): Documented(
        scope=Scope.LABELS, answers={"200": (DONE, NeighbourhoodAnswer)}, refusals=("404",), asks=(AS_OF, HOPS, NODES)
    ),
    ("post", "/v1/images/check"): Documented(
        scope=Scope.EVIDENCE,
        form=CHECK_FORM,
        answers={"200": ("The verdict; as a page where text/html is asked for", evidence_shown.CheckAnswer)},
        content={"text/html": {"schema": {"type": "string"}}},
        refusals=("408",),
        asks=(READ, LANGUAGE),
    ),
    ("post", "/v1/evidence"): Documented(
        scope=Scope.EVIDENCE,
        form=FILE_FORM,
        answers={"201": ("On disk, being measured", evidence_shown.EvidenceTaken), "200": ("Measured before", evidence_shown.EvidenceTaken)},
        refusals=("408",),
    ),
    ("get", "/v1/evidence/{sha256}"): Documented(scope=Scope.EVIDENCE, answers={"200": (DONE, evidence_shown.EvidenceShown)}, refusals=("404",)),
    ("get", "/v1/evidence/{sha256}/file"): Documented(
        scope=Scope.EVIDENCE,
        answers={"200": ("The bytes as they came; who was given them is kept", None)},
        content={kind: {"schema": {"type": "string", "format": "binary"}} for kind in (*TYPES.values(), BYTES)},
        refusals=("404", "410"),
        asks=(WHY,),
    ),
    ("get", "/v1/evidence/{sha256}/reads"): Documented(scope=Scope.ADMIN, answers={"200": (DONE, evidence_shown.ReadsShown)}),
    ("get", "/healthz"): Documented(answers={"200": ("It is up", shown.HealthShown)}),
    ("get", "/readyz"): Documented(answers={"200": ("It may be sent calls", shown.ReadyShown)}, refusals=("503",)),
    ("get", "/metrics"): Documented(
        answers={"200": ("Figures in the text format of Prometheus", None)}, content={"text/plain": {"schema": {"type": "string"}}}
    ),
}
