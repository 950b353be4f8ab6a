"""The graph over HTTP: rings of the latest build, what is around an account or an entity, and what analysts say of them."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import ContractError, NotFoundError
from data_contracts.link import EntityType
from data_contracts.timeline import Entity
from graph.explain import sentences
from graph.judgements import Judgement, Subject, Verdict, in_force
from graph.neighbourhood import Edge, Lens, Node, View, neighbourhood
from graph.rings import Build, Ring
from risk.api.calls import Gate, checked, whole
from risk.api.graph_body import JudgementBody
from risk.api.json_response import json_response
from risk.api.moment import Moment
from risk.api.once import Once
from risk.ingest import Ingest
from risk.judged import ingest_judgements
from risk.keys import Scope
from risk.stores.database import Database
from risk.stores.history import moment
from risk.stores.links import StoredLinks
from risk.stores.ring_builds import RingBuilds

PAGE = 50
LARGEST_PAGE = 200
JUDGEMENT = TypeAdapter(JudgementBody)
MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


@dataclass
class Graph:
    """Reads rings and surroundings from the store; safe to call from several threads."""

    ingest: Ingest
    clock: Callable[[], datetime]
    _build: Build | None = field(default=None, init=False)

    @property
    def database(self) -> Database:
        """Where rings, links and judgements are kept."""
        return self.ingest.history.database

    def build(self) -> Build | None:
        """The latest build; read again only when there is a newer one."""
        builds, held = RingBuilds(self.database), self._build
        latest_us = builds.latest_moment_us()
        if latest_us is not None and (held is None or held.as_of != moment(latest_us)):
            self._build = held = builds.latest()
        return held

    def ring(self, ring_id: str) -> Ring:
        """One ring of the latest build. NotFoundError: it is not in it."""
        build = self.build()
        found = next((each for each in build.rings if each.ring_id == ring_id), None) if build else None
        if found is None:
            raise NotFoundError("no such ring in the latest build; GET /v1/rings lists them", field="ring_id")
        return found

    def rings(self, offset: int, limit: int, *, listed: bool) -> dict[str, Any]:
        """A page of rings, best first; only those that an analyst should see, or all."""
        build = self.build()
        if build is None:
            return {"as_of": None, "total": 0, "next": None, "rings": []}
        found = [ring for ring in build.rings if ring.listed or not listed]
        more = offset + limit
        return {
            "as_of": build.as_of,
            "total": len(found),
            "next": more if more < len(found) else None,
            "rings": [shown(each) for each in found[offset:more]],
        }

    def ring_in_full(self, ring_id: str) -> dict[str, Any]:
        """One ring with every step of its history and everything that was said of it."""
        found, builds = self.ring(ring_id), RingBuilds(self.database)
        with self.database.reading() as connection:
            said = [asdict(each) for each in builds.judgements(connection) if each.ring_id == ring_id]
        return shown(found) | {"history": [asdict(step) for step in builds.history_of(ring_id)], "judgements": said}

    def judge(self, body: JudgementBody) -> tuple[Judgement, bool]:
        """Keep what an analyst says from now on, and label the requests it covers; false where it was said just before.

        NotFoundError: there is no such ring. ContractError: it would end before it begins.
        """
        members = self.ring(body.ring_id or "").members if body.subject is Subject.RING else ()
        judgement = Judgement(**body.model_dump(), at=self.clock(), members=members)
        stands = RingBuilds(self.database).judge(judgement)
        ingest_judgements(self.ingest, [stands])
        return stands, stands is judgement

    def recover(self) -> None:
        """Give the labels of all that was said, at start: a crash between a judgement and its labels loses nothing."""
        with self.database.reading() as connection:
            said = RingBuilds(self.database).judgements(connection)
        ingest_judgements(self.ingest, said)

    def around(self, node: Entity, as_of: datetime, hops: int, limit: int) -> View:
        """The view around a node. ContractError: hops, limit or the type of the node is none of ours."""
        with self.database.reading() as connection:
            said = in_force(RingBuilds(self.database).judgements(connection), as_of)
            refuted = frozenset(
                (Entity(each.entity_type, each.entity_id), each.account_id)
                for each in (*said.entities, *said.links)
                if each.verdict is Verdict.REFUTED and each.entity_type is not None and each.entity_id is not None
            )
            return neighbourhood(StoredLinks(self.database, connection), node, as_of, Lens(hops, limit, refuted=refuted))


def shown(ring: Ring) -> dict[str, Any]:
    """A ring with its sentences."""
    held = {"entities": [each._asdict() for each in ring.entities], "hubs": [each._asdict() for each in ring.hubs]}
    return asdict(ring) | held | {"listed": ring.listed, "early": ring.early, "sentences": list(sentences(ring))}


class GraphRoutes:
    """The routes, each a few lines: key, parameters, one call, answer."""

    def __init__(self, gate: Gate, graph: Graph, once: Once) -> None:
        self.gate = gate
        self.graph = graph
        self.once = once

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.get("/v1/rings", summary="Rings of the latest build, best first", response_model=None)(self.rings)
        router.get("/v1/rings/{ring_id}", summary="One ring in full, with its history", response_model=None)(self.ring)
        router.post("/v1/judgements", summary="An analyst judges a ring, an entity or a link", response_model=None)(self.judge)
        around = "/v1/entities/{entity_type}/{entity_id:path}/neighbourhood"
        router.get(around, summary="What is around an account or an entity, with places to draw it", response_model=None)(self.neighbourhood)
        return router

    async def rings(self, request: Request) -> Response:
        """A page of rings."""
        self.gate.check_key(request, Scope.LABELS)
        offset, limit = whole(request, "offset", 0, (0, 10**9)), whole(request, "limit", PAGE, (1, LARGEST_PAGE))
        listed = not whole(request, "all", 0, (0, 1))
        return json_response(await asyncio.to_thread(self.graph.rings, offset, limit, listed=listed))

    async def ring(self, request: Request, ring_id: str) -> Response:
        """One ring."""
        self.gate.check_key(request, Scope.LABELS)
        return json_response(await asyncio.to_thread(self.graph.ring_in_full, ring_id))

    async def judge(self, request: Request) -> Response:
        """A judgement is kept, never changed."""
        key = self.gate.check_key(request, Scope.ADMIN)
        raw = await self.gate.body(request)
        body = checked(JUDGEMENT, raw)

        async def make() -> Response:
            stands, fresh = await asyncio.to_thread(self.graph.judge, body)
            return json_response(asdict(stands), 201 if fresh else 200)

        return await self.once.answer(request, key, raw, make)

    async def neighbourhood(self, request: Request, entity_type: str, entity_id: str) -> Response:
        """The surroundings as of a moment, by default now."""
        self.gate.check_key(request, Scope.LABELS)
        if entity_type not in set(EntityType):
            raise ContractError("entity_type is none of ours; see the schema", field="entity_type")
        as_of = _as_of(request, self.graph.clock())
        hops, limit = whole(request, "hops", 2, (1, 4)), whole(request, "limit", 300, (1, 300))
        view = await asyncio.to_thread(self.graph.around, Entity(EntityType(entity_type), entity_id), as_of, hops, limit)
        return json_response(told(view))


def told(view: View) -> dict[str, Any]:
    """A view as JSON is made of it."""
    return {
        "as_of": view.as_of,
        "nodes": [_node(node) for node in view.nodes],
        "edges": [_edge(edge) for edge in view.edges],
        "left_out": view.left_out,
        "unread": view.unread,
    }


def _node(node: Node) -> dict[str, Any]:
    place = {"x": round(node.x, 4), "y": round(node.y, 4)}
    return {"type": node.entity.type, "id": node.entity.id, "hop": node.hop, "uses": node.uses} | node.standing._asdict() | place


def _edge(edge: Edge) -> dict[str, Any]:
    times = {"first_seen": moment(edge.first_us), "last_seen": moment(edge.last_us)}
    entity = {"type": edge.entity.type, "id": edge.entity.id}
    return {"account_id": edge.account_id, **entity, "uses": edge.uses, **times, "weight": edge.weight, "why": edge.why}


def _as_of(request: Request, now: datetime) -> datetime:
    """`?as_of=`, at most now. ContractError: no moment, or one in the future, of which nobody knows anything yet."""
    said = request.query_params.get("as_of")
    if said is None:
        return now
    try:
        as_of = MOMENT.validate_python(said)
    except ValidationError:
        raise ContractError("as_of is no moment with a zone; expected e.g. 2026-11-01T00:00:00Z", field="as_of") from None
    if as_of > now:
        message = f"as_of {as_of.isoformat()} lies in the future; expected at most {now.isoformat()}"
        raise ContractError(message, field="as_of")
    return as_of
