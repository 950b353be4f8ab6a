"""What the graph routes take and give, for checking and for the OpenAPI document."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, model_validator

from data_contracts.fields import Id, Text
from data_contracts.link import LINK_TYPES, EntityType
from graph.judgements import Subject, Verdict
from graph.lineage import Step
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


class JudgementShown(BaseModel):
    """A judgement as it is kept; `members` are the accounts of the ring as of `at`, empty for anything else."""

    subject: Subject
    verdict: Verdict
    by: str
    why: str
    at: datetime
    until: datetime | None
    ring_id: str | None
    members: list[str]
    entity_type: EntityType | None
    entity_id: str | None
    account_id: str | None


class HeldShown(BaseModel):
    """An entity that members share. `users`: of all accounts; `judged` and `abusers` count claimants among them; `weight`: how surely theirs."""

    entity_type: EntityType
    entity_id: str
    members: int
    users: int
    judged: int
    abusers: int
    weight: float


class RingShown(BaseModel):
    """A candidate ring as of the build's moment: a question to an analyst until she confirms it. `sentences` say it in words.

    `score`: 0 to 1, how likely it is a ring; `belonging`: how surely its members hang together; `amount_minor` is null where no amount is known.
    `early`: listed, though less likely a ring than not. `busy_claims`: in its busiest 30 days; `close_claims`: within a day of another member's.
    `confirmed` and `cleared`: requests judged abuse and honest. `hubs`: what members share as strangers do, which says nothing.
    """

    ring_id: str
    members: list[str]
    score: float
    belonging: float
    claims: int
    busy_claims: int
    close_claims: int
    span_days: float
    confirmed: int
    cleared: int
    amount_minor: int | None
    first_seen: datetime
    first_claim: datetime
    last_claim: datetime
    listed_since: datetime | None
    verdict: Verdict | None
    listed: bool
    early: bool
    sentences: list[str]
    entities: list[HeldShown]
    hubs: list[HeldShown]


class RingInFull(RingShown):
    """A ring with what became of it build by build, and everything that was said of it."""

    history: list[Step]
    judgements: list[JudgementShown]


class RingsAnswer(BaseModel):
    """A page of the latest build, best first. `as_of` is null while there is no build; `next` is the offset of the page after this one."""

    as_of: datetime | None
    total: int
    next: int | None
    rings: list[RingShown]


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
