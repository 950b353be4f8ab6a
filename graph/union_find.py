"""Which accounts belong together, at any moment: a union-find that remembers when it joined what, and that can be wound back.

Nodes are accounts. An entity (device, address, ...) seats the accounts that used it; every account after its first one joins the first one's
component. Trees are joined by size and never compressed, so a path is at most log2(accounts) long and each edge carries the moment it came to be:
a question about the past stops climbing at edges that are newer. Component totals are kept as records in the order of time, newest on top.
All changes lie on stacks, so a late event costs only the changes after it, undone and made again.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

P = ParamSpec("P")
R = TypeVar("R")

HUB_ACCOUNTS = 10
"""How many accounts an entity joins at most. A household or an amateur ring fits; a dormitory, a courier point or a shared tablet does not.

The first HUB_ACCOUNTS accounts by (known_at, account_id) keep their seats, and what they joined stays joined; later ones get no seat.
"""

NO_LINK = np.iinfo(np.int64).max
"""The oldest-link time of an account that has none."""

UNLABELLED = -1

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, kept on disk between runs; types stay as written."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True)(function))


STACKS = ("join", "record", "seat", "label")


class Forest(NamedTuple):
    """The arrays of one union-find; `tops` holds the heights of the four STACKS."""

    tops: Ints
    parent: Codes  # by account: itself when it is a root
    joined_us: Ints  # by account: when it stopped being a root
    record_of: Codes  # by account: newest record, -1 for a lone account without link and abuse
    seat_of: Codes  # by entity: newest seat, -1 for none
    label_of: Codes  # by request: newest label, -1 for none
    join_account: Codes  # stack of joins: the root that became a child
    record_us: Ints  # stack of component totals
    record_account: Codes  # the root it is about
    record_before: Codes  # the root's record before
    record_accounts: Codes  # accounts in the component
    record_entities: Codes  # entities with two or more seats in it
    record_abuse: Codes  # requests in it confirmed as abuse
    record_oldest: Ints  # when its oldest link became known, NO_LINK for none
    seat_us: Ints  # stack of seats
    seat_entity: Codes
    seat_account: Codes
    seat_before: Codes  # the entity's seat before
    seat_number: Codes  # 1 for the entity's first
    label_us: Ints  # stack of labels
    label_request: Codes
    label_before: Codes
    label_abuse: Codes


_PARTS: Mapping[str, tuple[str, ...]] = {
    "account": ("parent", "joined_us", "record_of"),
    "entity": ("seat_of",),
    "request": ("label_of",),
    **{stack: tuple(name for name in Forest._fields if name.startswith(f"{stack}_") and not name.endswith("_of")) for stack in STACKS},
}
"""Which arrays have the length of what; stacks are as long as the events that they may hold."""


def _dtype(name: str) -> type[np.signedinteger[Any]]:
    return np.int64 if name == "tops" or name.endswith(("_us", "_oldest")) else np.int32


def empty_forest(accounts: int, entities: int, requests: int, links: int, labels: int) -> Forest:
    """A forest with room for that many nodes and events, in which nothing has happened."""
    blank: dict[str, npt.NDArray[Any]] = {name: np.zeros(4 * (name == "tops"), dtype=_dtype(name)) for name in Forest._fields}
    nodes = {"account": accounts, "entity": entities, "request": requests}
    return _grown(Forest(**blank), {**nodes, "join": accounts, "record": links + labels, "seat": links, "label": labels})


def with_room(forest: Forest, accounts: int, entities: int, requests: int, more: int) -> Forest:
    """The forest, with the arrays that are too short for that many nodes in all and `more` events copied into ones of twice the room."""
    joins, records, seats, labels = (int(top) + more for top in forest.tops)
    needed = {"account": accounts, "entity": entities, "request": requests, "join": joins, "record": records, "seat": seats, "label": labels}
    short = {part: 2 * length for part, length in needed.items() if length > len(getattr(forest, _PARTS[part][0]))}
    return _grown(forest, short) if short else forest


def _grown(forest: Forest, lengths: Mapping[str, int]) -> Forest:
    larger: dict[str, npt.NDArray[Any]] = {}
    for part, length in lengths.items():
        for name in _PARTS[part]:
            old = getattr(forest, name)
            new = np.empty(length, dtype=old.dtype)
            new[: len(old)] = old
            if name == "parent":
                new[len(old) :] = np.arange(len(old), length)
            elif name.endswith("_of"):
                new[len(old) :] = -1
            larger[name] = new
    return forest._replace(**larger)


@compiled
def root_at(forest: Forest, account: int, as_of_us: int) -> int:
    """The root of the account's component, joined by what was known strictly before that moment."""
    while forest.parent[account] != account and forest.joined_us[account] < as_of_us:
        account = forest.parent[account]
    return account


@compiled
def record_at(forest: Forest, root: int, as_of_us: int) -> int:
    """The newest record of a root that was made strictly before that moment; -1 for none."""
    record = forest.record_of[root]
    while record >= 0 and forest.record_us[record] >= as_of_us:
        record = forest.record_before[record]
    return int(record)


@compiled
def totals(forest: Forest, record: int) -> tuple[int, int, int, int]:
    """Accounts, shared entities, confirmed abuse and the oldest link of a component by its record."""
    if record < 0:
        return 1, 0, 0, NO_LINK
    return (
        int(forest.record_accounts[record]),
        int(forest.record_entities[record]),
        int(forest.record_abuse[record]),
        int(forest.record_oldest[record]),
    )


@compiled
def put_record(forest: Forest, root: int, known_us: int, sums: tuple[int, int, int, int]) -> None:
    """Write the new totals of a component on top of its older ones."""
    top = forest.tops[1]
    forest.record_us[top] = known_us
    forest.record_account[top] = root
    forest.record_before[top] = forest.record_of[root]
    forest.record_accounts[top] = sums[0]
    forest.record_entities[top] = sums[1]
    forest.record_abuse[top] = sums[2]
    forest.record_oldest[top] = sums[3]
    forest.record_of[root] = top
    forest.tops[1] = top + 1


@compiled
def seat_at(forest: Forest, entity: int, account: int, as_of_us: int) -> tuple[int, int, bool]:
    """Of an entity strictly before that moment: its first account (-1: none), its taken seats, and whether the account has one of them."""
    seat = forest.seat_of[entity]
    while seat >= 0 and forest.seat_us[seat] >= as_of_us:
        seat = forest.seat_before[seat]
    taken = 0 if seat < 0 else int(forest.seat_number[seat])
    first = -1
    sits = False
    while seat >= 0:
        first = int(forest.seat_account[seat])
        sits = sits or first == account
        seat = forest.seat_before[seat]
    return first, taken, sits


@compiled
def join(forest: Forest, one: int, other: int, known_us: int) -> int:
    """Make the smaller of two roots a child of the larger one and return the root that stays."""
    size_one = totals(forest, forest.record_of[one])[0]
    size_other = totals(forest, forest.record_of[other])[0]
    if size_one < size_other:
        one, other = other, one
    forest.parent[other] = one
    forest.joined_us[other] = known_us
    forest.join_account[forest.tops[0]] = other
    forest.tops[0] += 1
    return one


@compiled
def add_link(forest: Forest, entity: int, account: int, known_us: int) -> None:
    """Seat the account at the entity and join it to the first account there; events come in the order of known_us."""
    root = root_at(forest, account, NO_LINK)
    accounts, entities, abuse, oldest = totals(forest, forest.record_of[root])
    first, taken, sits = seat_at(forest, entity, account, NO_LINK)
    changed = oldest == NO_LINK
    oldest = min(oldest, known_us)
    if not sits and taken < HUB_ACCOUNTS:
        top = forest.tops[2]
        forest.seat_us[top] = known_us
        forest.seat_entity[top] = entity
        forest.seat_account[top] = account
        forest.seat_before[top] = forest.seat_of[entity]
        forest.seat_number[top] = taken + 1
        forest.seat_of[entity] = top
        forest.tops[2] = top + 1
        if taken > 0:
            changed = changed or taken == 1
            entities += taken == 1
            host = root_at(forest, first, NO_LINK)
            if host != root:
                more = totals(forest, forest.record_of[host])
                root = join(forest, host, root, known_us)
                accounts, entities, abuse, oldest = accounts + more[0], entities + more[1], abuse + more[2], min(oldest, more[3])
                changed = True
    if changed:
        put_record(forest, root, known_us, (accounts, entities, abuse, oldest))


@compiled
def add_label(forest: Forest, request: int, account: int, abuse: int, known_us: int) -> None:
    """Count a request of the account as abuse (1) or no longer so (0); the latest label of a request holds."""
    before = forest.label_of[request]
    top = forest.tops[3]
    forest.label_us[top] = known_us
    forest.label_request[top] = request
    forest.label_before[top] = before
    forest.label_abuse[top] = abuse
    forest.label_of[request] = top
    forest.tops[3] = top + 1
    change = abuse - (forest.label_abuse[before] if before >= 0 else 0)
    if change != 0:
        root = root_at(forest, account, NO_LINK)
        accounts, entities, confirmed, oldest = totals(forest, forest.record_of[root])
        put_record(forest, root, known_us, (accounts, entities, confirmed + change, oldest))


@compiled
def wind_back(forest: Forest, known_us: int) -> None:
    """Undo every change made by events known at or after that moment."""
    tops = forest.tops
    while tops[0] > 0 and forest.joined_us[forest.join_account[tops[0] - 1]] >= known_us:
        tops[0] -= 1
        account = forest.join_account[tops[0]]
        forest.parent[account] = account
    while tops[1] > 0 and forest.record_us[tops[1] - 1] >= known_us:
        tops[1] -= 1
        forest.record_of[forest.record_account[tops[1]]] = forest.record_before[tops[1]]
    while tops[2] > 0 and forest.seat_us[tops[2] - 1] >= known_us:
        tops[2] -= 1
        forest.seat_of[forest.seat_entity[tops[2]]] = forest.seat_before[tops[2]]
    while tops[3] > 0 and forest.label_us[tops[3] - 1] >= known_us:
        tops[3] -= 1
        forest.label_of[forest.label_request[tops[3]]] = forest.label_before[tops[3]]


@compiled
def facts_at(forest: Forest, account: int, entities: Codes, as_of_us: int) -> tuple[int, int, int, int]:
    """Accounts, shared entities, abuse and oldest link of the component of a question: the account, joined by the entities it now comes with.

    `account` is -1 for a buyer never seen before; an entity that has no free seat, or none at all (-1), joins nothing.
    """
    roots = np.empty(len(entities) + 1, dtype=np.int64)
    found = 0
    sums = (1, 0, 0, NO_LINK)
    if account >= 0:
        roots[0] = root_at(forest, account, as_of_us)
        sums = totals(forest, record_at(forest, roots[0], as_of_us))
        found = 1
    for entity in entities:
        if entity < 0:  # refuted: it joins nobody
            continue
        first, taken, sits = seat_at(forest, entity, account, as_of_us)
        if sits or taken == 0 or taken >= HUB_ACCOUNTS:
            continue
        if taken == 1:
            sums = (sums[0], sums[1] + 1, sums[2], sums[3])
        root = root_at(forest, first, as_of_us)
        if not np.any(roots[:found] == root):
            more = totals(forest, record_at(forest, root, as_of_us))
            sums = (sums[0] + more[0], sums[1] + more[1], sums[2] + more[2], min(sums[3], more[3]))
            roots[found] = root
            found += 1
    return sums
