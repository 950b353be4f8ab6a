"""Links in the database: kept once, read from either side, counted as of any moment without reading a hub.

A mark of a node says how many of its uses are known before a moment. There is one every few hundred uses, so a count is a mark and a short stretch
of an index. A late use moves the marks after it, so counts stay exact. Uses without an account tie nobody and are counted nowhere.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from zlib import crc32

from sqlalchemy import Connection

from data_contracts.link import EntityType, Link
from data_contracts.timeline import NEVER, Entity, Stream
from features.streams import link_row, micros
from graph.link_source import Standing, Use
from risk.stores import tables
from risk.stores.database import Database

EVERY = 256
"""Uses of a node between two of its marks."""

LOOK_EVERY = 8
"""Of so many uses one looks whether its node needs a new mark: stretches end a few uses later, and most uses cost no look."""

LINK_COLUMNS = ("entity_type", "entity_id", "account_id", "request_id", "order_id", "occurred_us", "known_us")
LABEL_COLUMNS = ("request_id", "source", "value", "occurred_us", "known_us")
"""Links and labels in the database, in the order of their columns."""

Row: TypeAlias = tuple[Any, ...]

_KINDS = {kind.value: kind for kind in EntityType}


class StoredLinks:
    """The links that one transaction sees; a `graph.link_source.LinkSource`."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database, self._connection = database, connection

    def latest(self, nodes: Sequence[Entity], before_us: int, most: int) -> dict[Entity, list[Use]]:
        """As LinkSource says: one bounded seek a node."""
        found: dict[Entity, list[Use]] = {node: [] for node in nodes}
        accounts = [node for node in found if node.type is EntityType.ACCOUNT]
        rows = self._each(_LATEST_OF_ACCOUNT, [(node.id, before_us, most) for node in accounts])
        for node, uses in zip(accounts, rows, strict=True):
            found[node] = [Use(node.id, Entity(_KINDS[kind], name), known_us) for kind, name, known_us in uses]
        entities = [node for node in found if node.type is not EntityType.ACCOUNT]
        rows = self._each(_LATEST_OF_ENTITY, [(*_name(node), before_us, most) for node in entities])
        for node, uses in zip(entities, rows, strict=True):
            found[node] = [Use(name, node, known_us) for name, known_us in uses]
        return found

    def counts(self, nodes: Sequence[Entity], before_us: int) -> dict[Entity, int]:
        """As LinkSource says."""
        found = dict.fromkeys(nodes, 0)
        for is_account, statement in ((True, _COUNT_OF_ACCOUNT), (False, _COUNT_OF_ENTITY)):
            mine = [node for node in found if (node.type is EntityType.ACCOUNT) is is_account]
            keys = [(*_name(node), before_us) for node in mine]
            rows = self._each(
                statement, [(*key, node.id, before_us, *key) if is_account else (*key, *key, *key) for node, key in zip(mine, keys, strict=True)]
            )
            found |= {node: int(uses) for node, ((uses,),) in zip(mine, rows, strict=True)}
        return found

    def standings(self, account_ids: Sequence[str], before_us: int) -> dict[str, Standing]:
        """As LinkSource says, off the accounts' timelines."""
        rows = self._each(_STANDING, [(account_id, before_us, before_us) for account_id in account_ids])
        named = zip(account_ids, (row for (row,) in rows), strict=True)
        return {account_id: Standing(int(claims), int(confirmed), int(amount)) for account_id, (claims, confirmed, amount) in named if claims}

    def events(self, nodes: Sequence[tuple[int, Entity, int]], most: int) -> list[Row]:
        """The links of nodes as events on their timelines, behind the number that the caller gives each: those known from a moment on.

        Where there are more than so many, the latest ones, and all that became known together with the first of these.
        """
        found: list[Row] = []
        for is_account, (statement, kinds) in ((True, _EVENTS_OF_ACCOUNT), (False, _EVENTS_OF_ENTITY)):
            mine = [each for each in nodes if (each[1].type is EntityType.ACCOUNT) is is_account]
            given = [(number, node.id, since_us) if is_account else (number, *_name(node), since_us) for number, node, since_us in mine]
            rows = self._database.given(self._connection, statement.format(given="{given}", most=most - 1), kinds, given)
            found += [(row[0], *link_row(row[1:-1], row[-1], of_account=is_account)) for row in rows]
        return found

    def has(self, link: Link) -> bool:
        """Whether this use is kept, whenever it became known."""
        row = row_of(link)
        mine, key = (_OF_ENTITY, row[:2]) if link.account_id is None else (_OF_ACCOUNT, (link.account_id,))
        return bool(self._database.fetch(self._connection, _SAME.format(mine=mine), (*key, *row[:6])))

    def end(self, request_id: str, until_us: int) -> list[Entity]:
        """From that moment on the links of that request count no longer on timelines; whose timelines these are."""
        rows: list[Row] = self._database.fetch(self._connection, _END, (until_us, request_id))
        return [node for row in rows for node in (Entity(_KINDS[row[0]], row[1]), Entity(EntityType.ACCOUNT, row[2])) if node.id is not None]

    def add(self, links: Iterable[Link]) -> int:
        """Keep links; how many of them were new comes back. Needs a transaction that writes."""
        told = list(dict.fromkeys(map(row_of, links)))
        given = [(place, *row) for place, row in enumerate(told)]
        kept = dict(self._database.given(self._connection, _THERE, ("bigint", *_LINK_TYPES), given))
        fresh = [row for place, row in enumerate(told) if place not in kept]
        self._database.add_new(self._connection, tables.links, LINK_COLUMNS, fresh)
        self._mark([(node, row[6] + 1) for row in fresh for node in _nodes(row)])
        return len(fresh)

    def mark_all(self) -> None:
        """Make every mark anew, after many links were loaded at once."""
        self._database.fetch(self._connection, "DELETE FROM link_marks RETURNING 0", ())
        for kind, name in (("entity_type", "entity_id"), ("'account'", "account_id")):
            statement = _MARK_ALL.format(kind=kind, name=name)
            self._database.fetch(self._connection, statement, ())

    def _each(self, statement: str, sets: Sequence[Sequence[object]]) -> list[list[Row]]:
        return self._database.fetch_each(self._connection, statement, sets)

    def _mark(self, edges: Sequence[tuple[Entity, int]]) -> None:
        """Count one more use just before each edge: move the marks after it, and set a new one where the stretch before it has become long.

        A late use is rare, so the marks after all edges are moved at once; and one use in a few looks how long its stretch is.
        """
        self._database.change(self._connection, _MOVE, ("text", "text", "bigint"), [(*_name(node), edge_us) for node, edge_us in edges])
        looked = [edge for edge in dict.fromkeys(edges) if crc32(f"{edge[0].id}{edge[1]}".encode()) % LOOK_EVERY == 0]
        rows: list[Row] = []
        for is_account, statement in ((True, _MARKED_OF_ACCOUNT), (False, _MARKED_OF_ENTITY)):
            mine = [(*_name(node), edge_us) for node, edge_us in looked if (node.type is EntityType.ACCOUNT) is is_account]
            counted = self._database.given(self._connection, statement, ("text", "text", "bigint"), mine)
            rows += [(*moment, before + since) for *moment, before, since in counted if since >= EVERY]
        self._database.add_many(self._connection, tables.link_marks, ("entity_type", "entity_id", "known_us", "uses"), rows)


def row_of(link: Link) -> Row:
    """A link as the database holds it, in the order of LINK_COLUMNS."""
    names = (link.entity_type.value, link.entity_id, link.account_id, link.request_id, link.order_id)
    return (*names, micros(link.occurred_at), micros(link.known_at))


def _nodes(row: Row) -> tuple[Entity, ...]:
    """Both ends of a link; none when its account is not known."""
    kind, entity_id, account_id = row[:3]
    return () if account_id is None else (Entity(_KINDS[kind], entity_id), Entity(EntityType.ACCOUNT, account_id))


def _name(node: Entity) -> tuple[str, str]:
    return node.type.value, node.id


_LATEST_OF_ACCOUNT = """
    SELECT entity_type, entity_id, known_us FROM links WHERE account_id = ? AND known_us < ?
    ORDER BY known_us DESC, entity_type DESC, entity_id DESC LIMIT ?
"""

_LATEST_OF_ENTITY = """
    SELECT account_id, known_us FROM links WHERE entity_type = ? AND entity_id = ? AND known_us < ? AND account_id IS NOT NULL
    ORDER BY known_us DESC, account_id DESC LIMIT ?
"""

_EVER = -(2**63)

_OF_ACCOUNT, _OF_ENTITY = "account_id = ?", "entity_type = ? AND entity_id = ?"

_COUNT = f"""
    SELECT COALESCE((SELECT uses FROM link_marks WHERE entity_type = ? AND entity_id = ? AND known_us <= ? ORDER BY known_us DESC LIMIT 1), 0)
        + (SELECT COUNT(account_id) FROM links WHERE {{mine}} AND known_us < ? AND known_us >= COALESCE(
            (SELECT known_us FROM link_marks WHERE entity_type = ? AND entity_id = ? AND known_us <= ? ORDER BY known_us DESC LIMIT 1), {_EVER}))
"""  # noqa: S608  # only our own words
"""The uses at the last mark of a node before a moment, and those since: one statement, since a view asks it of hundreds of nodes."""

_COUNT_OF_ACCOUNT, _COUNT_OF_ENTITY = (_COUNT.format(mine=mine) for mine in (_OF_ACCOUNT, _OF_ENTITY))

_EVENTS = f"""
    SELECT c0, {", ".join(LINK_COLUMNS)}, until_us FROM {{{{given}}}} CROSS JOIN links WHERE {{mine}} AND known_us >= {{since}}
    AND known_us >= COALESCE((SELECT f.known_us FROM links f WHERE {{theirs}} ORDER BY f.known_us DESC LIMIT 1 OFFSET {{{{most}}}}), {{since}})
"""  # noqa: S608  # only our own words
"""Bounded by a seek in the same index."""

_EVENTS_OF_ACCOUNT = _EVENTS.format(mine="account_id = c1", theirs="f.account_id = c1", since="c2"), ("bigint", "text", "bigint")

_EVENTS_OF_ENTITY = (
    _EVENTS.format(mine="entity_type = c1 AND entity_id = c2", theirs="f.entity_type = c1 AND f.entity_id = c2", since="c3"),
    ("bigint", "text", "text", "bigint"),
)

_SAME = """
    SELECT 1 FROM links WHERE {mine} AND entity_type = ? AND entity_id = ? AND account_id IS NOT DISTINCT FROM ?
        AND request_id IS NOT DISTINCT FROM ? AND order_id IS NOT DISTINCT FROM ? AND occurred_us = ? LIMIT 1
"""

_END = f"UPDATE links SET until_us = ? WHERE request_id = ? AND until_us = {NEVER} RETURNING entity_type, entity_id, account_id"  # noqa: S608  # a number

_MARKED = f"""
    SELECT c0, c1, c2, COALESCE((SELECT m.uses {{last}}), 0), (SELECT COUNT(l.account_id) FROM links l
        WHERE {{mine}} AND l.known_us < c2 AND l.known_us >= COALESCE((SELECT m.known_us {{last}}), {_EVER})) FROM {{{{given}}}}
"""  # noqa: S608  # as above
"""For nodes and moments: the uses at the last mark before, and those since."""

_LAST_MARK = "FROM link_marks m WHERE m.entity_type = c0 AND m.entity_id = c1 AND m.known_us <= c2 ORDER BY m.known_us DESC LIMIT 1"

_MARKED_OF_ACCOUNT, _MARKED_OF_ENTITY = (
    _MARKED.format(last=_LAST_MARK, mine=mine) for mine in ("l.account_id = c1", "l.entity_type = c0 AND l.entity_id = c1")
)

_STANDING = f"""
    SELECT COUNT(CASE WHEN stream = '{Stream.REQUEST.value}' THEN 1 END),
        COALESCE(SUM(CASE WHEN stream = '{Stream.LABEL.value}' THEN abuse END), 0),
        COALESCE(SUM(CASE WHEN stream = '{Stream.REQUEST.value}' THEN amount_minor END), 0)
    FROM timeline_events
    WHERE entity_type = 'account' AND entity_id = ? AND stream IN ('{Stream.REQUEST.value}', '{Stream.LABEL.value}')
        AND known_us < ? AND until_us >= ?
"""  # noqa: S608  # only our own words
"""Requests, those confirmed as abuse and the money claimed of one account."""

_LINK_TYPES = ("text", "text", "text", "text", "text", "bigint", "bigint")

_THERE = """
    SELECT c0, MIN(link_no) FROM {given} CROSS JOIN links WHERE entity_type = c1 AND entity_id = c2 AND known_us = c7
        AND account_id IS NOT DISTINCT FROM c3 AND request_id IS NOT DISTINCT FROM c4 AND order_id IS NOT DISTINCT FROM c5 AND occurred_us = c6
    GROUP BY c0
"""
"""Which of these links are kept already."""

_MOVE = """
    UPDATE link_marks SET uses = link_marks.uses + late.uses FROM (
        SELECT m.entity_type AS kind, m.entity_id AS name, m.known_us AS known_us, COUNT(*) AS uses
        FROM {given} CROSS JOIN link_marks m WHERE m.entity_type = c0 AND m.entity_id = c1 AND m.known_us >= c2 GROUP BY 1, 2, 3) AS late
    WHERE link_marks.entity_type = late.kind AND link_marks.entity_id = late.name AND link_marks.known_us = late.known_us
"""

_MARK_ALL = f"""
    INSERT INTO link_marks (entity_type, entity_id, known_us, uses)
    SELECT kind, name, known_us + 1, MAX(uses) FROM (
        SELECT {{kind}} AS kind, {{name}} AS name, known_us,
            ROW_NUMBER() OVER (PARTITION BY {{kind}}, {{name}} ORDER BY known_us) AS place,
            COUNT(*) OVER (PARTITION BY {{kind}}, {{name}} ORDER BY known_us) AS uses
        FROM links WHERE account_id IS NOT NULL) AS counted
    WHERE place % {EVERY} = 0 GROUP BY kind, name, known_us RETURNING 0
"""  # noqa: S608  # as above
