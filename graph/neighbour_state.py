"""Everything known of the neighbours of accounts, as arrays by code, with room to grow; `neighbour_kernel.py` fills and asks it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from data_contracts.machine_code import in_place
from data_contracts.timeline import NEVER
from graph.chains import Pool, empty_pool, longer, roomier_pool
from graph.union_find import Codes, Ints


class Around(NamedTuple):
    """Everything known, by code; `tops` holds how many labels and pairs there are, and the number of the question."""

    tops: Ints
    pool: Pool
    entities_of: Codes  # by account: newest record of each chain, -1 for none
    claims_of: Codes
    orders_of: Codes
    labels_of: Codes
    account_mark: Ints  # puts accounts of one microsecond in order
    opened_us: Ints  # NEVER when not known
    opened_known_us: Ints
    asked_by: Ints  # the question that met the account last
    place_of: Codes  # and where it put it
    users_of: Codes  # by entity
    entity_mark: Ints
    entity_type: Codes  # its place in TYPES
    walked_by: Ints
    refuted_of: Codes  # first place in the refuted ones, -1 for none
    said_of: Codes  # by request: its labels
    label_until_us: Ints  # by label
    label_asked_us: Ints
    label_abuse: Codes
    pair_key: Ints  # open addressing: entity and account in one number, 0 for free
    pair_record: Codes
    refuted_from_us: Ints  # by refuted link or entity
    refuted_until_us: Ints
    refuted_account: Codes  # -1: the whole entity
    refuted_next: Codes


_BY_ACCOUNT = ("entities_of", "claims_of", "orders_of", "labels_of", "account_mark", "opened_us", "opened_known_us", "asked_by", "place_of")
_BY_ENTITY = ("users_of", "entity_mark", "entity_type", "walked_by", "refuted_of")
_BY_LABEL = ("label_until_us", "label_asked_us", "label_abuse")
_NARROW = ("place_of", "entity_type", "label_abuse", "pair_record", "refuted_account", "refuted_next")
_BLANK = {"opened_us": NEVER, "opened_known_us": NEVER}


def empty_around(accounts: int, entities: int, requests: int, records: int, labels: int) -> Around:
    """A state with room for that many nodes, records of chains and labels, in which nothing has happened."""
    sizes = dict.fromkeys(_BY_ACCOUNT, accounts) | dict.fromkeys(_BY_ENTITY, entities) | dict.fromkeys(_BY_LABEL, labels) | {"said_of": requests}
    slots = 1 << max(6, int(records).bit_length())
    sizes |= {"tops": 3, "pair_key": slots, "pair_record": slots}
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.full(sizes.get(name, 0), _blank(name), dtype=_dtype(name)) for name in Around._fields if name != "pool"
    }
    return Around(pool=empty_pool(records), **arrays)


def with_room(around: Around, accounts: int, entities: int, requests: int, more: int) -> Around:
    """The state with room for that many nodes in all and `more` events; what is too short is copied into twice the room."""
    needed = dict.fromkeys(_BY_ACCOUNT, accounts) | dict.fromkeys(_BY_ENTITY, entities)
    needed |= dict.fromkeys(_BY_LABEL, int(around.tops[0]) + more) | {"said_of": requests}
    short = {name: size for name, size in needed.items() if size > len(getattr(around, name))}
    if short:
        larger: dict[str, Any] = {name: longer(getattr(around, name), 2 * size, _blank(name)) for name, size in short.items()}
        around = around._replace(**larger)
    if 2 * (int(around.tops[1]) + more) > len(around.pair_key):
        around = _rehashed(around, 4 * (int(around.tops[1]) + more))
    return around._replace(pool=roomier_pool(around.pool, 2 * more))


def _blank(name: str) -> int:
    return _BLANK.get(name, -1 if name.endswith("_of") and name != "place_of" else 0)


def _dtype(name: str) -> type[np.signedinteger[Any]]:
    return np.int32 if name in _NARROW or name.endswith("_of") else np.int64


def _rehashed(around: Around, pairs: int) -> Around:
    slots = 1 << int(pairs).bit_length()
    keys, records = np.zeros(slots, np.int64), np.zeros(slots, np.int32)
    used = around.pair_key != 0
    enter_all(keys, records, around.pair_key[used], around.pair_record[used])
    return around._replace(pair_key=keys, pair_record=records)


def with_refuted(around: Around, known: Iterable[tuple[int, int, int, int]]) -> Around:
    """The state with these as all that is refuted: (entity, account or -1, from, until), by code."""
    rows = list(known)
    arrays = [np.array([row[column] for row in rows], dtype=np.int64) for column in range(4)]
    following = np.full(len(rows), -1, dtype=np.int32)
    around.refuted_of[:] = -1
    for number, (entity, *_) in enumerate(rows):
        following[number] = around.refuted_of[entity]
        around.refuted_of[entity] = number
    return around._replace(refuted_account=arrays[1].astype(np.int32), refuted_from_us=arrays[2], refuted_until_us=arrays[3], refuted_next=following)


@in_place
def slot_of(keys: Ints, key: int) -> int:
    """Where a pair stands, or where it would."""
    mask = np.int64(len(keys) - 1)
    mixed = np.int64(key) * np.int64(-7046029254386353131)  # 2**64 divided by the golden ratio: neighbouring keys fall far apart
    slot = (mixed >> np.int64(20)) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return int(slot)


@in_place
def enter_all(keys: Ints, values: Codes, new_keys: Ints, new_values: Codes) -> None:
    """Enter keys, none of them 0, with their values into a table that has room for them."""
    for index in range(len(new_keys)):
        slot = slot_of(keys, int(new_keys[index]))
        keys[slot] = new_keys[index]
        values[slot] = new_values[index]
