"""Everything known of the neighbours of accounts, as arrays by code, with room to grow; `neighbour_kernel.py` fills and asks it."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from data_contracts.machine_code import in_place
from data_contracts.timeline import NEVER
from graph.chains import Pool, empty_pool, longer, roomier_pool
from graph.union_find import Codes, Ints, Rows

ACCOUNT = np.dtype(
    [("mark", "i8"), ("opened_us", "i8"), ("opened_known_us", "i8"), ("asked_by", "i8")]
    + [(name, "i4") for name in ("place", "entities_of", "claims_of", "orders_of", "labels_of")],
    align=True,
)
"""An account: what orders it among those of one microsecond, when it was opened and when that was known (NEVER: it is not), the question that met it
last and where that put it, the newest record of each of its chains (-1 for none)."""

ENTITY = np.dtype([("mark", "i8"), ("walked_by", "i8"), ("type", "i4"), ("users_of", "i4"), ("refuted", "i4")], align=True)
"""An entity: its mark, the question that walked it last, its type by its place in TYPES, its newest user, its first refuted place (-1)."""

LABEL = np.dtype([("until_us", "i8"), ("asked_us", "i8"), ("abuse", "i4")], align=True)

SLOT = np.dtype([("key", "i8"), ("value", "i4")])
"""Open addressing: a key, 0 for free, and what it stands for."""

REFUTED = np.dtype([("from_us", "i8"), ("until_us", "i8"), ("account", "i4"), ("next", "i4")])
"""A refuted link, or an entity (account -1: as a whole), and the next one of the same entity (-1: none)."""


class Around(NamedTuple):
    """Everything known, by code, each kind of thing in one array: a compiled call takes as long as it is given arrays.

    `tops` holds how many labels and pairs there are, and the number of the question.
    """

    tops: Ints
    pool: Pool
    accounts: Rows
    entities: Rows
    said_of: Codes  # by request: its labels, -1 for none
    labels: Rows
    pairs: Rows  # slots: entity and account in one number, and their record
    refuted: Rows


_NO_ACCOUNT = np.array([(0, NEVER, NEVER, 0, 0, -1, -1, -1, -1)], ACCOUNT)
_NO_ENTITY = np.array([(0, 0, 0, -1, -1)], ENTITY)


def empty_around(accounts: int, entities: int, requests: int, records: int, labels: int) -> Around:
    """A state with room for that many nodes, records of chains and labels, in which nothing has happened."""
    return Around(
        np.zeros(3, np.int64),
        empty_pool(records),
        np.repeat(_NO_ACCOUNT, accounts),
        np.repeat(_NO_ENTITY, entities),
        np.full(requests, -1, np.int32),
        np.zeros(labels, LABEL),
        np.zeros(1 << max(6, int(records).bit_length()), SLOT),
        np.zeros(0, REFUTED),
    )


def with_room(around: Around, accounts: int, entities: int, requests: int, more: int) -> Around:
    """The state with room for that many nodes in all and `more` events; what is too short is copied into twice the room."""
    pairs = int(around.tops[1]) + more
    return Around(
        around.tops,
        roomier_pool(around.pool, 2 * more),
        _long(around.accounts, accounts, _NO_ACCOUNT),
        _long(around.entities, entities, _NO_ENTITY),
        _long(around.said_of, requests, -1),
        _long(around.labels, int(around.tops[0]) + more, np.zeros(1, LABEL)),
        around.pairs if 2 * pairs <= len(around.pairs) else roomier(around.pairs, 4 * pairs),
        around.refuted,
    )


def _long(rows: Rows, needed: int, blank: int | Rows) -> Rows:
    return rows if needed <= len(rows) else longer(rows, 2 * needed, blank)


def roomier(slots: Rows, least: int) -> Rows:
    """The same keys among at least so many slots."""
    roomy, used = np.zeros(1 << int(least).bit_length(), SLOT), slots[slots["key"] != 0]
    enter_all(roomy, used["key"], used["value"])
    return roomy


def with_refuted(around: Around, known: Iterable[tuple[int, int, int, int]]) -> Around:
    """The state with these as all that is refuted: (entity, account or -1, from, until), by code."""
    first = around.entities["refuted"]
    first[:] = -1
    rows = []
    for number, (entity, account, from_us, until_us) in enumerate(known):
        rows.append((from_us, until_us, account, first[entity]))
        first[entity] = number
    return around._replace(refuted=np.array(rows, REFUTED))


@in_place
def slot_of(slots: Rows, key: int) -> int:
    """Where a key stands, or where it would."""
    mask = np.int64(len(slots) - 1)
    mixed = np.int64(key) * np.int64(-7046029254386353131)  # 2**64 divided by the golden ratio: neighbouring keys fall far apart
    slot = (mixed >> np.int64(20)) & mask
    while slots["key"][slot] != 0 and slots["key"][slot] != key:
        slot = (slot + 1) & mask
    return int(slot)


@in_place
def enter_all(slots: Rows, keys: Ints, values: Codes) -> None:
    """Enter keys, none of them 0, with their values into a table that has room for them."""
    for index in range(len(keys)):
        slot = slot_of(slots, int(keys[index]))
        slots["key"][slot] = keys[index]
        slots["value"][slot] = values[index]
