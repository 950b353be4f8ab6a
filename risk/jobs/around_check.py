"""Are the live neighbours what the store says? For accounts and entities spread over the history, read through the store's own indexes.

Of an account: which entities it came to and when first, its claims, what was said of them. Of an entity: which accounts came to it and when first.
Everything else that neighbours tell is counted from these. An entity of very many accounts is left out, since reading it would take too long.
"""

from sqlalchemy import Connection

from data_contracts.link import EntityType
from data_contracts.timeline import Entity, Stream
from graph.live_neighbours import LiveNeighbours, Said
from graph.neighbour_events import TYPES, mark
from risk.jobs.live_check import sampled_links
from risk.stores.database import Database

READ = 2_000
"""Uses of one node that are read at most; where there are more it is not compared."""

_TYPES = ", ".join(f"'{kind.value}'" for kind in TYPES)


def around_differences(database: Database, connection: Connection, live: LiveNeighbours) -> list[str]:
    """What differs, in words; nothing when all is well."""
    sampled = sampled_links(database, connection, TYPES)
    wrong = []
    for account_id in dict.fromkeys(row[2] for row in sampled):
        due = _account(database, connection, account_id)
        told = live.said_of(account_id, READ)
        if due is not None and told is not None and told != due:
            wrong.append(f"account {account_id}: {_words(told, due)}")
    for kind, name in dict.fromkeys(row[:2] for row in sampled):
        rows = database.fetch(connection, _USERS, (kind, name, READ + 1))
        users = live.users_of(Entity(EntityType(kind), name), READ)
        if len(rows) <= READ and users is not None and users != _first(rows):
            wrong.append(f"{kind} {name}: {len(users)} accounts came to it, or at other times than the {len(_first(rows))} that the store names")
    return wrong


def _account(database: Database, connection: Connection, account_id: str) -> Said | None:
    """What the store says; null when there is too much of it, or when another account was named for one of its requests."""
    links = database.fetch(connection, _LINKS, (account_id, READ + 1))
    claims = database.fetch(connection, _CLAIMS, (account_id, READ + 1))
    shared = database.fetch(connection, _SHARED, (account_id, account_id))
    if len(links) > READ or len(claims) > READ or shared:
        return None
    labels = database.fetch(connection, _LABELS, (account_id,))[0][0]
    entities = _first([(mark(kind, name), known_us) for kind, name, known_us in links], marked=True)
    return Said(entities, tuple(sorted(first_us for _, first_us in claims)), int(labels))


def _first(rows: list[tuple[object, ...]], *, marked: bool = False) -> dict[int, int]:
    """The first moment of each name, by its mark."""
    found: dict[int, int] = {}
    for name, known_us in rows:
        key = int(str(name)) if marked else mark(str(name))
        found[key] = min(int(str(known_us)), found.get(key, int(str(known_us))))
    return found


def _words(told: Said, due: Said) -> str:
    if told.entities != due.entities:
        return f"it came to {len(told.entities)} entities, or at other times than to the {len(due.entities)} that the store names"
    if told.claims_us != due.claims_us:
        return f"{len(told.claims_us)} claims, or at other times than the {len(due.claims_us)} that the store names"
    return f"{told.labels} labels where the store has {due.labels}"


_LINKS = f"SELECT entity_type, entity_id, known_us FROM links WHERE account_id = ? AND entity_type IN ({_TYPES}) LIMIT ?"  # noqa: S608  # only our own words

_USERS = "SELECT account_id, known_us FROM links WHERE entity_type = ? AND entity_id = ? AND account_id IS NOT NULL LIMIT ?"

_MINE = f"""
    FROM timeline_events WHERE entity_type = '{EntityType.ACCOUNT.value}' AND entity_id = ? AND stream = '{Stream.REQUEST.value}'
"""

_CLAIMS = f"SELECT event_id, MIN(known_us) {_MINE} GROUP BY event_id LIMIT ?"  # as above

_SHARED = f"""
    SELECT request_id FROM request_places WHERE request_id IN (SELECT event_id {_MINE})
    AND entity_type = '{EntityType.ACCOUNT.value}' AND entity_id <> ? LIMIT 1
"""  # noqa: S608  # as above

_LABELS = f"SELECT COUNT(*) FROM labels WHERE request_id IN (SELECT event_id {_MINE})"  # noqa: S608  # as above
