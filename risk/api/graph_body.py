"""What the graph routes take and give, for checking and for the OpenAPI document, each with an example."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, model_validator

from data_contracts.fields import Id, Text
from data_contracts.link import LINK_TYPES, EntityType
from graph.judgements import Subject, Verdict
from risk.api.body import Body
from risk.api.moment import Moment

NEEDED = {Subject.RING: ("ring_id",), Subject.ENTITY: ("entity_type", "entity_id"), Subject.LINK: ("entity_type", "entity_id", "account_id")}


class JudgementBody(Body):
    """What an analyst holds a ring, an entity or an account's use of one for. It holds from now until `until`, or until somebody says otherwise.

    A refuted link or entity ties nobody from then on; a confirmed ring stays together. The next build of rings honours it.
    """

    subject: Subject
    verdict: Verdict
    by: Id
    why: Text
    until: Moment | None = None
    ring_id: Id | None = None
    entity_type: EntityType | None = None
    entity_id: Id | None = None
    account_id: Id | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {"examples": [{"subject": "ring", "ring_id": "ring_3f0c9a", "verdict": "confirmed", "by": "mei", "why": "One kitchen."}]}
    }

    @model_validator(mode="after")
    def _names_its_subject(self) -> Self:
        missing = [name for name in NEEDED[self.subject] if getattr(self, name) is None]
        if missing:
            message = f"a judgement about a {self.subject} needs {', '.join(missing)}"
            raise ValueError(message)
        if self.entity_type is not None and self.entity_type not in LINK_TYPES:
            message = f"a {self.entity_type} has no links; expected {', '.join(LINK_TYPES)}"
            raise ValueError(message)
        if not self.why.strip():
            message = "why is empty; expected a sentence"
            raise ValueError(message)
        return self


class RingShown(BaseModel):
    """A candidate ring as of the build's moment: a question to an analyst until she confirms it. `sentences` say it in words.

    `score`: 0 to 1, how likely it is a ring; `amount_minor` is null where no amount is known.
    `early`: listed, though it is less likely a ring than not.
    """

    ring_id: str
    members: list[str]
    score: float
    claims: int
    confirmed: int
    amount_minor: int | None
    first_seen: datetime
    listed_since: datetime | None
    verdict: Verdict | None
    listed: bool
    early: bool
    sentences: list[str]
    entities: list[dict[str, Any]]
    hubs: list[dict[str, Any]]

    model_config = {"extra": "allow"}


class RingsAnswer(BaseModel):
    """A page of the latest build, best first. `as_of` is null while there is no build; `next` is the offset of the page after this one."""

    as_of: datetime | None
    total: int
    next: int | None
    rings: list[RingShown]

    model_config = {"json_schema_extra": {"examples": [{"as_of": "2026-11-01T00:00:00Z", "total": 0, "next": None, "rings": []}]}}


class NodeShown(BaseModel):
    """An account or an entity. `uses`: how often an entity was used in all; an account's claims, confirmed abuse and money; x and y within -1..1."""

    type: EntityType
    id: str
    hop: int
    uses: int
    claims: int
    confirmed: int
    amount_minor: int
    x: float
    y: float


class EdgeShown(BaseModel):
    """An account's uses of an entity among those read: how many, from when to when, how far it counts (0..1) and why."""

    account_id: str
    type: EntityType
    id: str
    uses: int
    first_seen: datetime
    last_seen: datetime
    weight: float
    why: str


class NeighbourhoodAnswer(BaseModel):
    """What is around a node, from what was known strictly before `as_of`. `left_out`: neighbours met and not shown; `unread`: uses only counted."""

    as_of: datetime
    nodes: list[NodeShown]
    edges: list[EdgeShown]
    left_out: int
    unread: int

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "as_of": "2026-11-01T00:00:00Z",
                    "nodes": [
                        {"type": "account", "id": "a1", "hop": 0, "uses": 0, "claims": 3, "confirmed": 1, "amount_minor": 9900, "x": 0.1, "y": 0.0},
                        {"type": "device", "id": "d1", "hop": 1, "uses": 2, "claims": 0, "confirmed": 0, "amount_minor": 0, "x": -0.9, "y": 0.2},
                    ],
                    "edges": [
                        {
                            "account_id": "a1",
                            "type": "device",
                            "id": "d1",
                            "uses": 2,
                            "first_seen": "2026-09-01T08:00:00Z",
                            "last_seen": "2026-10-01T08:00:00Z",
                            "weight": 0.6,
                            "why": "device with 2 uses in all",
                        }
                    ],
                    "left_out": 0,
                    "unread": 0,
                }
            ]
        }
    }
