"""Who is around an account or an entity: a bounded, ranked view with a place for every node, small enough to draw and quick next to any hub."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from data_contracts.errors import ContractError
from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.timeline import Entity
from graph.events import microseconds
from graph.hubs import PRIOR
from graph.link_source import LinkSource, Standing, Use

NOTHING = Standing()
MOST_NODES = 300
MOST_HOPS = 4
READ = 300
"""Latest uses read of one node at most; those before them are counted."""

READ_IN_ALL = 400
"""Latest uses read of all nodes of one hop together: many nodes share them, so a view costs the same wherever it is."""

LEAST_READ = 4

FROM_ONE = 40
"""Neighbours that one node brings in; the rest are counted."""

DRAWN = 20
"""Rounds of the layout: more moves nothing that one would see."""

JUDGED = 120
"""Accounts of one hop whose standing is looked up, three times what one node brings in; beyond it the nearest in time come first."""

Refuted = Collection[tuple[Entity, str | None]]
"""What analysts said ties nobody: an entity as a whole (None), or its use by one account."""


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


@dataclass(frozen=True, slots=True)
class Lens:
    """How a view is taken. `limit`: nodes shown at most; `refuted` ties are shown where both ends are, but nobody is reached over them."""

    hops: int = 2
    limit: int = MOST_NODES
    weigh: Weigh = by_uses
    refuted: Refuted = ()


def neighbourhood(links: LinkSource, middle: Entity, as_of: datetime, lens: Lens | None = None) -> View:
    """The view around a node from what was known strictly before a moment; nearer and telling nodes come first.

    ContractError: hops or limit out of range, or a node of a type that has no links.
    """
    lens = lens or Lens()
    if not 1 <= lens.hops <= MOST_HOPS or not 1 <= lens.limit <= MOST_NODES:
        message = f"hops {lens.hops}, limit {lens.limit}; expected hops 1 to {MOST_HOPS} and limit 1 to {MOST_NODES}"
        raise ContractError(message, field="hops" if not 1 <= lens.hops <= MOST_HOPS else "limit")
    if middle.type not in (EntityType.ACCOUNT, *LINK_TYPES):
        message = f"a {middle.type} has no links; expected account, {', '.join(LINK_TYPES)}"
        raise ContractError(message, field="type")
    walk = _Walk(links, microseconds(as_of), lens)
    walk.run(middle)
    edges = walk.edges()
    nodes = walk.nodes()
    return View(middle, as_of, _placed(nodes, edges), edges, len(walk.met - walk.hop.keys()), walk.unread)


Ranked = tuple[float, int, Entity]
"""A neighbour with what ranks it, turned round so that the best comes first: how telling it is, its latest use, its name."""


class _Walk:
    """One walk outwards, hop by hop: a few reads a hop, whatever is there. `hop` holds the nodes shown, `met` all that were seen."""

    def __init__(self, links: LinkSource, before_us: int, lens: Lens) -> None:
        self.links, self.before_us, self.lens = links, before_us, lens
        self.hop: dict[Entity, int] = {}
        self.met: set[Entity] = set()
        self.unread = 0
        self._uses: list[Use] = []
        self._counts: dict[Entity, int] = {}
        self._standings: dict[str, Standing] = {}
        self._refuted = frozenset(lens.refuted)

    def run(self, middle: Entity) -> None:
        self.hop[middle] = 0
        self._learn([middle])
        ring = [middle]
        for hop in range(1, self.lens.hops + 1):
            if not ring:
                return
            near = self._read(ring)
            last_use: dict[Entity, int] = {}
            for mine in near:
                for node, known_us in mine.items():
                    last_use[node] = max(last_use.get(node, known_us), known_us)
            self._learn([node for _, node in sorted((-known_us, node) for node, known_us in last_use.items())])
            rank = {node: (-self._telling(node), -known_us, node) for node, known_us in last_use.items()}
            best = {ranked for mine in near for ranked in sorted(rank[node] for node in mine)[:FROM_ONE]}
            ring = [node for *_, node in sorted(best)[: self.lens.limit - len(self.hop)]]
            self.hop.update(dict.fromkeys(ring, hop))

    def _read(self, ring: Sequence[Entity]) -> list[dict[Entity, int]]:
        """Of each node, the new neighbours that its latest uses lead to and when they were last used; each node has its share of what may be read."""
        most = min(READ, max(LEAST_READ, READ_IN_ALL // len(ring)))
        found = self.links.latest(ring, self.before_us, most)
        self._counts.update(self.links.counts([node for node in ring if node not in self._counts and len(found[node]) == most], self.before_us))
        near: list[dict[Entity, int]] = []
        for node, uses in found.items():
            self.unread += self._counts.get(node, len(uses)) - len(uses)
            self._uses += uses
            mine: dict[Entity, int] = {}
            for use in uses:
                other = use.entity if node.type is EntityType.ACCOUNT else Entity(EntityType.ACCOUNT, use.account_id)
                self.met.add(other)
                if other not in self.hop and not (self._refuted and self._is_refuted(use.entity, use.account_id)):
                    mine.setdefault(other, use.known_us)  # the latest use comes first
            near.append(mine)
        return near

    def _learn(self, nodes: Sequence[Entity]) -> None:
        """How often entities are used, and how accounts stand."""
        entities = [node for node in nodes if node.type is not EntityType.ACCOUNT]
        accounts = [node.id for node in nodes if node.type is EntityType.ACCOUNT][:JUDGED]
        self._counts.update(self.links.counts(entities, self.before_us))
        self._standings.update(self.links.standings(accounts, self.before_us))

    def _telling(self, node: Entity) -> float:
        if node.type is EntityType.ACCOUNT:
            standing = self._standings.get(node.id, NOTHING)
            return 2.0 * bool(standing.confirmed) + bool(standing.claims)
        return self.lens.weigh(node, self._counts[node])

    def _is_refuted(self, entity: Entity, account_id: str) -> bool:
        return (entity, None) in self._refuted or (entity, account_id) in self._refuted

    def nodes(self) -> tuple[Node, ...]:
        """The nodes shown, in the order in which they came."""
        return tuple(
            Node(node, hop, standing=self._standings.get(node.id, NOTHING))
            if node.type is EntityType.ACCOUNT
            else Node(node, hop, uses=self._counts[node])
            for node, hop in self.hop.items()
        )

    def edges(self) -> tuple[Edge, ...]:
        """Every tie between shown nodes that was read, from either side."""
        accounts = {node.id for node in self.hop if node.type is EntityType.ACCOUNT}
        found: dict[tuple[str, Entity], set[int]] = {}
        for account_id, entity, known_us in self._uses:
            if account_id in accounts and entity in self.hop:
                found.setdefault((account_id, entity), set()).add(known_us)
        return tuple(self._edge(account_id, entity, times) for (account_id, entity), times in sorted(found.items()))

    def _edge(self, account_id: str, entity: Entity, times: Collection[int]) -> Edge:
        total = self._counts[entity]
        first_us, last_us = min(times), max(times)
        if self._refuted and self._is_refuted(entity, account_id):
            return Edge(account_id, entity, len(times), first_us, last_us, 0.0, "refuted by an analyst: it ties nobody")
        weight = self.lens.weigh(entity, total)
        why = f"{entity.type} with {total} uses in all" + (": strangers share it" if weight < PRIOR[entity.type] / 2 else "")
        return Edge(account_id, entity, len(times), first_us, last_us, weight, why)


def _placed(nodes: tuple[Node, ...], edges: tuple[Edge, ...]) -> tuple[Node, ...]:
    """The nodes with their places, the same for the same view: rings around the middle, then drawn together by their ties."""
    import igraph

    place = {node.entity: number for number, node in enumerate(nodes)}
    ties = [(place[Entity(EntityType.ACCOUNT, edge.account_id)], place[edge.entity]) for edge in edges]
    graph = igraph.Graph(n=len(nodes), edges=ties)
    igraph.set_random_number_generator(Random(1))  # noqa: S311  # no secret hangs on it
    begin = graph.layout_reingold_tilford_circular(root=[0])
    coordinates = graph.layout_fruchterman_reingold(seed=begin, niter=DRAWN, grid="grid").coords
    far = max((abs(value) for point in coordinates for value in point), default=1.0) or 1.0
    return tuple(Node(node.entity, node.hop, node.uses, node.standing, x / far, y / far) for node, (x, y) in zip(nodes, coordinates, strict=True))
