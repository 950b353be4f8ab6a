"""Who is around an account or an entity: a bounded, ranked view with a place for every node, small enough to draw and quick next to any hub."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from data_contracts.errors import ContractError
from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.timeline import Entity
from graph.events import microseconds
from graph.hubs import PRIOR
from graph.table_links import LinkSource, Standing, Use

NOTHING = Standing()
MOST_NODES = 300
MOST_HOPS = 4
READ = 400
"""Latest uses read of one node; those before them are counted."""

FROM_ONE = 40
"""Neighbours that one node brings in; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Node:
    """One account or entity: `hop` from the middle, uses known of it in all, and an account's standing; x and y lie within -1..1."""

    entity: Entity
    hop: int
    uses: int = 0
    standing: Standing = NOTHING
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Edge:
    """An account's uses of an entity among those read: how many, the first and the last, how far it counts (0..1) and why."""

    account_id: str
    entity: Entity
    uses: int
    first_us: int
    last_us: int
    weight: float
    why: str


@dataclass(frozen=True, slots=True)
class View:
    """What is around a node as of a moment. `left_out`: neighbours met and not shown; `unread`: older uses that were only counted."""

    middle: Entity
    as_of: datetime
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int
    unread: int


Weigh = Callable[[Entity, int], float]
"""How far an entity with so many uses goes to show that its users belong together, 0..1."""


def by_uses(entity: Entity, uses: int) -> float:
    """The weight of an entity that nothing was learned of: the prior of its type, the less the more it is used."""
    return PRIOR[entity.type] * min(1.0, 4.0 / max(uses, 1))


def neighbourhood(links: LinkSource, middle: Entity, as_of: datetime, hops: int = 2, limit: int = MOST_NODES, weigh: Weigh = by_uses) -> View:
    """The view around a node from what was known strictly before a moment; nearer and telling nodes come first.

    ContractError: hops or limit out of range, or a node of a type that has no links.
    """
    if not 1 <= hops <= MOST_HOPS or not 1 <= limit <= MOST_NODES:
        message = f"hops {hops}, limit {limit}; expected hops 1 to {MOST_HOPS} and limit 1 to {MOST_NODES}"
        raise ContractError(message, field="hops" if not 1 <= hops <= MOST_HOPS else "limit")
    if middle.type not in (EntityType.ACCOUNT, *LINK_TYPES):
        message = f"a {middle.type} has no links; expected account, {', '.join(LINK_TYPES)}"
        raise ContractError(message, field="type")
    walk = _Walk(links, microseconds(as_of), weigh, limit)
    walk.run(middle, hops)
    edges = walk.edges()
    placed = _placed(tuple(walk.nodes.values()), edges)
    return View(middle, as_of, placed, edges, len(walk.met - set(walk.nodes)), walk.unread)


class _Walk:
    """One walk outwards: what was read, which nodes are shown and which were only met."""

    def __init__(self, links: LinkSource, before_us: int, weigh: Weigh, limit: int) -> None:
        self.links, self.before_us, self.weigh, self.limit = links, before_us, weigh, limit
        self.nodes: dict[Entity, Node] = {}
        self.met: set[Entity] = set()
        self.unread = 0
        self._read: dict[Entity, tuple[list[Use], int]] = {}

    def run(self, middle: Entity, hops: int) -> None:
        self._show(middle, 0)
        ring = [middle]
        for hop in range(1, hops + 1):
            found: dict[Entity, tuple[float, int]] = {}
            for node in ring:
                for rank, near in self._ranked(node)[:FROM_ONE]:
                    found[near] = max(found.get(near, rank), rank)
            ordered = sorted((near for near in found if near not in self.nodes), key=lambda near: (-found[near][0], -found[near][1], near))
            ring = ordered[: self.limit - len(self.nodes)]
            for near in ring:
                self._show(near, hop)

    def _show(self, node: Entity, hop: int) -> None:
        if node.type is EntityType.ACCOUNT:
            self.nodes[node] = Node(node, hop, standing=self.links.standing(node.id))
        else:
            self.nodes[node] = Node(node, hop, uses=self._uses(node)[1])

    def _uses(self, node: Entity) -> tuple[list[Use], int]:
        if node not in self._read:
            self._read[node] = self.links.uses_of(node, self.before_us, READ)
            self.unread += self._read[node][1] - len(self._read[node][0])
        return self._read[node]

    def _ranked(self, node: Entity) -> list[tuple[tuple[float, int], Entity]]:
        """The neighbours of a node: entities by weight, accounts by confirmed abuse, then claims; then the latest use."""
        uses, _ = self._uses(node)
        latest: dict[Entity, int] = {}
        for use in uses:
            near = use.entity if node.type is EntityType.ACCOUNT else Entity(EntityType.ACCOUNT, use.account_id)
            latest.setdefault(near, use.known_us)
        self.met.update(latest)
        return sorted((((self._rank(near), at), near) for near, at in latest.items()), key=lambda each: (each[0], each[1]), reverse=True)

    def _rank(self, near: Entity) -> float:
        if near.type is EntityType.ACCOUNT:
            standing = self.links.standing(near.id)
            return 2.0 * bool(standing.confirmed) + bool(standing.claims)
        return self.weigh(near, self._uses(near)[1])

    def edges(self) -> tuple[Edge, ...]:
        """Every tie between shown nodes that was read, from either side."""
        found: dict[tuple[str, Entity], set[int]] = {}
        for node in self.nodes:
            for use in self._read.get(node, ([], 0))[0]:
                if use.entity in self.nodes and Entity(EntityType.ACCOUNT, use.account_id) in self.nodes:
                    found.setdefault((use.account_id, use.entity), set()).add(use.known_us)
        return tuple(self._edge(account_id, entity, sorted(times)) for (account_id, entity), times in sorted(found.items()))

    def _edge(self, account_id: str, entity: Entity, times: Sequence[int]) -> Edge:
        total = self.nodes[entity].uses
        weight = self.weigh(entity, total)
        why = f"{entity.type} with {total} uses in all" + (": strangers share it" if weight < PRIOR[entity.type] / 2 else "")
        return Edge(account_id, entity, len(times), times[0], times[-1], weight, why)


def _placed(nodes: tuple[Node, ...], edges: tuple[Edge, ...]) -> tuple[Node, ...]:
    """The nodes with their places, the same for the same view."""
    import igraph

    place = {node.entity: number for number, node in enumerate(nodes)}
    graph = igraph.Graph(n=len(nodes), edges=[(place[Entity(EntityType.ACCOUNT, edge.account_id)], place[edge.entity]) for edge in edges])
    igraph.set_random_number_generator(Random(1))  # noqa: S311  # no secret hangs on it
    coordinates = graph.layout_fruchterman_reingold(niter=50).coords
    far = max((abs(value) for point in coordinates for value in point), default=1.0) or 1.0
    return tuple(replace(node, x=x / far, y=y / far) for node, (x, y) in zip(nodes, coordinates, strict=True))
