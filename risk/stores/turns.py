"""Turns: what every writer tells all workers with its transaction, so that what they keep in memory stays what the store says.

A turn says which timelines changed and what the live graph has to learn. It lies in the store behind the signature of its writer, who knows it
already. Whoever reads takes note of the new turns first, within the transaction of its reads; so what is kept and what is read are of one moment,
however many workers write.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from secrets import token_bytes
from zlib import crc32

import msgspec
from sqlalchemy import Connection

from data_contracts.label import LabelSource, LabelValue
from data_contracts.link import EntityType, Link
from data_contracts.timeline import Entity
from features.streams import micros
from risk.stores import tables
from risk.stores.acts import Act
from risk.stores.database import Database

SIGNATURE_BYTES = 8
NOBODY = bytes(SIGNATURE_BYTES)
"""Signs what no worker keeps up with in its own memory."""

BEHIND, KEPT = 40_000, 50_000
"""Turns after which a worker that slept reads everything anew instead of reading on, and how many are kept in the store."""

PRUNE_EVERY = 4_096
"""Of so many turns, in the mean, one drops those that are kept no longer: which one does is seen by what it says, so none need ask for its number."""

Joined = tuple[str, str, str, int]
"""A link as the live graph needs it: the entity's type and id, the account, and when it was known."""


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """`touched` are the numbers of entities whose timelines changed; labels are as LABEL_COLUMNS; `judged`: analysts spoke of rings."""

    touched: tuple[int, ...] = ()
    links: tuple[Joined, ...] = ()
    acts: tuple[Act, ...] = ()
    labels: tuple[tuple[str, LabelSource, LabelValue, int, int], ...] = ()
    judged: bool = False

    @property
    def news(self) -> int:
        """How much the live graph has to learn."""
        return len(self.links) + len(self.acts) + len(self.labels)


def a_turn(touched: Iterable[Entity], links: Sequence[Link] = (), acts: Iterable[Act] = ()) -> Turn:
    """What changes the timelines of these entities and of both sides of these links."""
    joined = tuple((link.entity_type.value, link.entity_id, link.account_id, micros(link.known_at)) for link in links if link.account_id is not None)
    entities = {*touched, *(Entity(link.entity_type, link.entity_id) for link in links)}
    entities.update(Entity(EntityType.ACCOUNT, account_id) for _, _, account_id, _ in joined)
    return Turn(tuple({number_of(entity) for entity in entities}), joined, tuple(acts))


@lru_cache(maxsize=65_536)
def number_of(entity: Entity) -> int:
    """A small number for an entity; two that share one are dropped together, which costs a read and no more."""
    return crc32(f"{entity.type.value}|{entity.id}".encode())


def tell(database: Database, connection: Connection, turns: Sequence[Turn], known_us: int, signature: bytes = NOBODY) -> None:
    """Tell every worker but the one of that signature. Needs the transaction that writes it; `known_us`: when the newest of it became known."""
    _tell(database, connection, signature + _ENCODER.encode(turns), known_us)


def tell_all(database: Database, connection: Connection, known_us: int) -> None:
    """Let every worker read everything anew."""
    _tell(database, connection, NOBODY, known_us)


def _tell(database: Database, connection: Connection, body: bytes, known_us: int) -> None:
    database.add(connection, tables.turns, ("known_us", "body"), (known_us, body))
    if crc32(body) % PRUNE_EVERY == 0:
        database.fetch(connection, "DELETE FROM turns WHERE turn_no < (SELECT MAX(turn_no) FROM turns) - ? RETURNING 0", (KEPT,))


def newest_turn(database: Database, connection: Connection) -> int:
    """The number of the last turn that this transaction sees; 0 for none."""
    return int(database.fetch(connection, "SELECT COALESCE(MAX(turn_no), 0) FROM turns", ())[0][0])


class Feed:
    """What others wrote since it was last asked. Not for several threads."""

    def __init__(self, database: Database, after: int | None = None) -> None:
        """Read on from that turn; null: whoever reads knows nothing yet."""
        self.signature = token_bytes(SIGNATURE_BYTES)
        self._database, self._last = database, after

    def news(self, connection: Connection) -> list[Turn] | None:
        """The turns of others in the order of writing; null: everything may have changed, and is to be read anew."""
        last, is_known = self._last or 0, self._last is not None
        rows = self._database.fetch(connection, _NEW, (last, BEHIND)) if is_known else []
        if not is_known or len(rows) == BEHIND:
            self._last = newest_turn(self._database, connection)
            return None
        if not rows:
            return []
        self._last = rows[-1][0]
        others = [body for _, body in rows if not body.startswith(self.signature)]
        if self._last - last > KEPT or any(len(body) == SIGNATURE_BYTES for body in others):
            return None
        return [turn for body in others for turn in _DECODER.decode(body[SIGNATURE_BYTES:])]


_NEW = "SELECT turn_no, body FROM turns WHERE turn_no > ? ORDER BY turn_no LIMIT ?"

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Turn])
