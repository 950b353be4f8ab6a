"""Which accounts belong together, at any moment: a union-find that remembers when it joined what, and that can be wound back.

Nodes are accounts. An entity (device, address, ...) seats the accounts that used it; every account after its first one joins the first one's
component. Trees are joined by size and never compressed, so a path is at most log2(accounts) long and each edge carries the moment it came to be:
a question about the past stops climbing at edges that are newer. Component totals are kept as records in the order of time, newest on top.
All changes lie on stacks, so a late event costs only the changes after it, undone and made again.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from data_contracts.machine_code import in_place

HUB_ACCOUNTS = 10
"""How many accounts an entity joins at most. A household or an amateur ring fits; a dormitory, a courier point or a shared tablet does not.

The first HUB_ACCOUNTS accounts by (known_at, account_id) keep their seats, and what they joined stays joined; later ones get no seat.
"""

NO_LINK = np.iinfo(np.int64).max
"""The oldest-link time of an account that has none."""

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


ACCOUNT = np.dtype([("joined_us", "i8"), ("parent", "i4"), ("record", "i4")])
"""An account: when it stopped being a root, the account above it (itself when it is a root), its newest record (-1: alone, no link, no abuse)."""

ENTITY = np.dtype([("seat", "i4"), ("first", "i4")])
"""An entity: its newest seat (-1: none), and the account in its first seat, which only an entity with a seat has."""

RECORD = np.dtype(
    [("us", "i8"), ("oldest", "i8"), ("account", "i4"), ("before", "i4"), ("accounts", "i4"), ("entities", "i4"), ("abuse", "i4")], align=True
)
"""Totals of a component: since when, its oldest link (NO_LINK: none), its root and the root's record before; accounts, entities with two or more
seats, requests confirmed as abuse."""

SEAT = np.dtype([("us", "i8"), ("entity", "i4"), ("account", "i4"), ("before", "i4"), ("number", "i4")])
"""A seat: since when, at which entity, whose, the entity's seat before, and 1 for the entity's first."""

TOLD = np.dtype([("us", "i8"), ("request", "i4"), ("before", "i4"), ("abuse", "i4")], align=True)
"""A label: since when, of which request, the request's label before, and whether it says abuse."""

Rows = npt.NDArray[Any]
"""Rows of one of these; what is asked for together lies together, since waiting for memory is what a large forest spends its time on."""


class Forest(NamedTuple):
    """The arrays of one union-find; `tops` holds the heights of its four stacks."""

    tops: Ints
    accounts: Rows
    entities: Rows
    label_of: Codes  # by request: newest label, -1 for none
    joins: Codes  # stack of joins: the root that became a child
    records: Rows  # stack of component totals
    seats: Rows  # stack of seats
    labels: Rows  # stack of labels


_KINDS = {"accounts": ACCOUNT, "entities": ENTITY, "records": RECORD, "seats": SEAT, "labels": TOLD}


def empty_forest(accounts: int, entities: int, requests: int, links: int, labels: int) -> Forest:
    """A forest with room for that many nodes and events, in which nothing has happened."""
    blank = {name: np.empty(0, dtype=_KINDS.get(name, np.int32)) for name in Forest._fields}
    forest = Forest(**{**blank, "tops": np.zeros(4, dtype=np.int64)})
    nodes = {"accounts": accounts, "entities": entities, "label_of": requests}
    return _grown(forest, {**nodes, "joins": accounts, "records": links + labels, "seats": links, "labels": labels})


def with_room(forest: Forest, accounts: int, entities: int, requests: int, more: int) -> Forest:
    """The forest, with the arrays that are too short for that many nodes in all and `more` events copied into ones of twice the room."""
    joins, records, seats, labels = (int(top) + more for top in forest.tops)
    nodes = {"accounts": accounts, "entities": entities, "label_of": requests}
    needed = {**nodes, "joins": joins, "records": records, "seats": seats, "labels": labels}
    short = {name: 2 * length for name, length in needed.items() if length > len(getattr(forest, name))}
    return _grown(forest, short) if short else forest


def _grown(forest: Forest, lengths: Mapping[str, int]) -> Forest:
    larger: dict[str, npt.NDArray[Any]] = {}
    for name, length in lengths.items():
        old = getattr(forest, name)
        new = np.empty(length, dtype=old.dtype)
        new[: len(old)] = old
        fresh = new[len(old) :]
        if name == "accounts":
            fresh["parent"] = np.arange(len(old), length)
            fresh["record"] = -1
        elif name == "entities":
            fresh["seat"] = -1
        elif name == "label_of":
            fresh[:] = -1
        larger[name] = new
    return forest._replace(**larger)


@in_place
def root_at(forest: Forest, account: int, as_of_us: int) -> int:
    """The root of the account's component, joined by what was known strictly before that moment."""
    while forest.accounts[account].parent != account and forest.accounts[account].joined_us < as_of_us:
        account = forest.accounts[account].parent
    return account


@in_place
def record_at(forest: Forest, root: int, as_of_us: int) -> int:
    """The newest record of a root that was made strictly before that moment; -1 for none."""
    record = forest.accounts[root].record
    while record >= 0 and forest.records[record].us >= as_of_us:
        record = forest.records[record].before
    return int(record)


@in_place
def totals(forest: Forest, record: int) -> tuple[int, int, int, int]:
    """Accounts, shared entities, confirmed abuse and the oldest link of a component by its record."""
    if record < 0:
        return 1, 0, 0, NO_LINK
    found = forest.records[record]
    return int(found.accounts), int(found.entities), int(found.abuse), int(found.oldest)


@in_place
def put_record(forest: Forest, root: int, known_us: int, sums: tuple[int, int, int, int]) -> None:
    """Write the new totals of a component on top of its older ones."""
    top = forest.tops[1]
    record = forest.records[top]
    record.us, record.account, record.before = known_us, root, forest.accounts[root].record
    record.accounts, record.entities, record.abuse, record.oldest = sums
    forest.accounts[root].record = top
    forest.tops[1] = top + 1


@in_place
def seat_at(forest: Forest, entity: int, account: int, as_of_us: int) -> tuple[int, int, bool]:
    """Of an entity strictly before that moment: its first account (-1: none), its taken seats, and whether the account has one of them."""
    seat = forest.entities[entity].seat
    while seat >= 0 and forest.seats[seat].us >= as_of_us:
        seat = forest.seats[seat].before
    taken = 0 if seat < 0 else int(forest.seats[seat].number)
    first = -1 if seat < 0 else int(forest.entities[entity].first)
    while seat >= 0 and forest.seats[seat].account != account:
        seat = forest.seats[seat].before
    return first, taken, seat >= 0


@in_place
def join(forest: Forest, one: int, other: int, known_us: int) -> int:
    """Make the smaller of two roots a child of the larger one and return the root that stays."""
    size_one = totals(forest, forest.accounts[one].record)[0]
    size_other = totals(forest, forest.accounts[other].record)[0]
    if size_one < size_other:
        one, other = other, one
    forest.accounts[other].parent = one
    forest.accounts[other].joined_us = known_us
    forest.joins[forest.tops[0]] = other
    forest.tops[0] += 1
    return one


@in_place
def add_link(forest: Forest, entity: int, account: int, known_us: int) -> None:
    """Seat the account at the entity and join it to the first account there; events come in the order of known_us."""
    root = root_at(forest, account, NO_LINK)
    accounts, entities, abuse, oldest = totals(forest, forest.accounts[root].record)
    first, taken, sits = seat_at(forest, entity, account, NO_LINK)
    changed = oldest == NO_LINK
    oldest = min(oldest, known_us)
    if not sits and taken < HUB_ACCOUNTS:
        top = forest.tops[2]
        seat = forest.seats[top]
        seat.us, seat.entity, seat.account, seat.before, seat.number = known_us, entity, account, forest.entities[entity].seat, taken + 1
        forest.entities[entity].seat = top
        forest.tops[2] = top + 1
        if taken == 0:
            forest.entities[entity].first = account
        else:
            changed = changed or taken == 1
            entities += taken == 1
            host = root_at(forest, first, NO_LINK)
            if host != root:
                more = totals(forest, forest.accounts[host].record)
                root = join(forest, host, root, known_us)
                accounts, entities, abuse, oldest = accounts + more[0], entities + more[1], abuse + more[2], min(oldest, more[3])
                changed = True
    if changed:
        put_record(forest, root, known_us, (accounts, entities, abuse, oldest))


@in_place
def add_label(forest: Forest, request: int, account: int, abuse: int, known_us: int) -> None:
    """Count a request of the account as abuse (1) or no longer so (0); the latest label of a request holds."""
    before = forest.label_of[request]
    top = forest.tops[3]
    label = forest.labels[top]
    label.us, label.request, label.before, label.abuse = known_us, request, before, abuse
    forest.label_of[request] = top
    forest.tops[3] = top + 1
    change = abuse - (forest.labels[before].abuse if before >= 0 else 0)
    if change != 0:
        root = root_at(forest, account, NO_LINK)
        accounts, entities, confirmed, oldest = totals(forest, forest.accounts[root].record)
        put_record(forest, root, known_us, (accounts, entities, confirmed + change, oldest))


@in_place
def wind_back(forest: Forest, known_us: int) -> None:
    """Undo every change made by events known at or after that moment."""
    tops = forest.tops
    while tops[0] > 0 and forest.accounts[forest.joins[tops[0] - 1]].joined_us >= known_us:
        tops[0] -= 1
        account = forest.joins[tops[0]]
        forest.accounts[account].parent = account
    while tops[1] > 0 and forest.records[tops[1] - 1].us >= known_us:
        tops[1] -= 1
        record = forest.records[tops[1]]
        forest.accounts[record.account].record = record.before
    while tops[2] > 0 and forest.seats[tops[2] - 1].us >= known_us:
        tops[2] -= 1
        seat = forest.seats[tops[2]]
        forest.entities[seat.entity].seat = seat.before
    while tops[3] > 0 and forest.labels[tops[3] - 1].us >= known_us:
        tops[3] -= 1
        label = forest.labels[tops[3]]
        forest.label_of[label.request] = label.before


@in_place
def facts_at(forest: Forest, account: int, entities: Codes, as_of_us: int, roots: Ints) -> tuple[int, int, int, int]:
    """Accounts, shared entities, abuse and oldest link of the component of a question: the account, joined by the entities it now comes with.

    `account` is -1 for a buyer never seen before; an entity that has no free seat, or none at all (-1), joins nothing. `roots` is room for one
    number more than there are entities.
    """
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
        known = False
        for place in range(found):
            known = known or roots[place] == root
        if not known:
            more = totals(forest, record_at(forest, root, as_of_us))
            sums = (sums[0] + more[0], sums[1] + more[1], sums[2] + more[2], min(sums[3], more[3]))
            roots[found] = root
            found += 1
    return sums
