"""Is the live graph what the store says? Counts and a checksum of every link; for some accounts the component, walked through the store's indexes.

The graph is made from the table of links; the walk reads its two indexes and knows nothing of union-find. A damaged index, a link that was
dropped on the way or a mark that counts wrongly shows as a difference.
"""

from collections.abc import Collection

from sqlalchemy import Connection

from data_contracts.link import EntityType
from data_contracts.timeline import Entity
from graph.events import MERGING
from graph.live_components import LiveComponents
from graph.union_find import HUB_ACCOUNTS
from risk.stores.database import Database

SAMPLES = 24
"""Accounts whose component is walked, and marks that are counted again."""

STRETCH = 200
"""Links that are looked through for one of the types that count."""

WALKED = 300
"""Accounts at which a walk gives up: that one is not compared."""

_KINDS = ", ".join(f"'{kind.value}'" for kind in MERGING)


def differences(database: Database, connection: Connection, live: LiveComponents) -> list[str]:
    """What differs, in words; nothing when all is well."""
    return [*_sums(database, connection, live), *_components(database, connection, live), *_marks(database, connection)]


def sampled_links(database: Database, connection: Connection, types: Collection[EntityType]) -> list[tuple[str, str, str]]:
    """entity_type, entity_id and account_id of links of these types, spread over the history.

    A stretch is read from each place on, whatever is there: a condition on the type would make SQLite sort all links of it first.
    """
    last = database.fetch(connection, "SELECT COALESCE(MAX(link_no), 0) FROM links", ())[0][0]
    places = [(last * sample // SAMPLES, STRETCH) for sample in range(SAMPLES)]
    query = "SELECT entity_type, entity_id, account_id FROM links WHERE link_no >= ? ORDER BY link_no LIMIT ?"
    fitting = ([row for row in rows if row[0] in types and row[2] is not None] for rows in database.fetch_each(connection, query, places))
    return [rows[0] for rows in fitting if rows]


def _sums(database: Database, connection: Connection, live: LiveComponents) -> list[str]:
    """Every link that joins accounts is in the live graph, with its time."""
    query = f"SELECT COUNT(*), COALESCE(SUM(known_us % 1000003), 0) FROM links WHERE entity_type IN ({_KINDS}) AND account_id IS NOT NULL"  # noqa: S608  # our own words
    count, checksum = (int(each) for each in database.fetch(connection, query, ())[0])
    mine = live.checksum(1_000_003)
    if mine == (count, checksum):
        return []
    return [f"the store has {count} links that join accounts (checksum {checksum}), the graph {mine[0]} (checksum {mine[1]})"]


def _components(database: Database, connection: Connection, live: LiveComponents) -> list[str]:
    """The components of some accounts, spread over the history."""
    walk = _Walk(database, connection)
    found = dict.fromkeys(account_id for *_, account_id in sampled_links(database, connection, MERGING))
    wrong = []
    for account_id in found:
        members = walk.component(account_id)
        said = live.members(account_id)
        if members is not None and said != len(members):
            wrong.append(f"the component of account {account_id} has {len(members)} accounts by the store's indexes, {said} in the graph")
    return wrong


def _marks(database: Database, connection: Connection) -> list[str]:
    """Some marks, counted again."""
    wrong = []
    for kind, name, known_us, uses in database.fetch(connection, f"SELECT * FROM link_marks ORDER BY uses % 97, known_us LIMIT {SAMPLES}", ()):  # noqa: S608  # a number
        where, values = ("account_id = ?", (name,)) if kind == "account" else ("entity_type = ? AND entity_id = ?", (kind, name))
        query = f"SELECT COUNT(account_id) FROM links WHERE {where} AND known_us < ?"  # noqa: S608  # our own words
        counted = int(database.fetch(connection, query, (*values, known_us))[0][0])
        if counted != uses:
            wrong.append(f"{kind} {name} is marked with {uses} uses where there are {counted}")
    return wrong


_FIRST = """
    SELECT account_id, MIN(known_us) AS first_us FROM links WHERE entity_type = ? AND entity_id = ? AND account_id IS NOT NULL
    GROUP BY account_id ORDER BY first_us, account_id LIMIT ?
"""


class _Walk:
    """From account to account over shared entities, by the rule as it is written: an entity joins the first ten accounts that used it."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database, self._connection = database, connection
        self._seats: dict[Entity, list[str]] = {}

    def component(self, account_id: str) -> set[str] | None:
        """The accounts of a component; null when there are too many to walk."""
        members, waiting = {account_id}, [account_id]
        while waiting:
            account = waiting.pop()
            query = f"SELECT DISTINCT entity_type, entity_id FROM links WHERE account_id = ? AND entity_type IN ({_KINDS})"  # noqa: S608  # our own words
            for kind, name in self._database.fetch(self._connection, query, (account,)):
                seated = self._seated(Entity(kind, name))
                fresh = [other for other in seated if other not in members] if account in seated else []
                members.update(fresh)
                waiting += fresh
            if len(members) > WALKED:
                return None
        return members

    def _seated(self, entity: Entity) -> list[str]:
        if entity not in self._seats:
            values = (entity.type, entity.id, HUB_ACCOUNTS)
            self._seats[entity] = [name for name, _ in self._database.fetch(self._connection, _FIRST, values)]
        return self._seats[entity]
