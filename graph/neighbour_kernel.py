"""Who stands around a buyer, and what became of them: the compiled half of `neighbours.py`, the same in batch and live.

Accounts and entities are codes. An entity keeps the accounts that came to it, an account the entities that it came to, each by the first use that
was known; an account keeps its claims, its orders and what its claims were judged to be. Every chain can be asked about any moment.
"""

from typing import NamedTuple

import numpy as np

from data_contracts.machine_code import in_place
from data_contracts.timeline import NEVER
from graph.chains import new_record, newest, place, sums_before, take_out
from graph.neighbour_state import Around, slot_of
from graph.union_find import Codes, Ints

DAY_US = 86_400_000_000
SHORT_US, LONG_US = 90 * DAY_US, 365 * DAY_US

STARTS = 16
"""Entities to start from: those that the request comes with, then the latest that its account came to."""
LATEST = 10
"""Accounts looked at on one entity: the latest that came to it."""
NEAR, FAR = 64, 96
"""Accounts looked at in all: on the entities themselves, and one step further."""
ONWARD = 24
"""Accounts from which the second step is taken, and STEPS, the latest entities of each."""
STEPS = 4
JUDGED = 64
"""Judged claims of one account that are looked at, the latest ones."""

OWNED = 4
"""The first so many types are things that people own or live with; a second step leads through no other."""

GROUPS = 9
NEAR_GROUP, FAR_GROUP = 7, 8
"""Groups 0 to 6 are the neighbours by type of entity (`neighbours.TYPES`), then all of them, then those one step further."""

MEASURES = (
    "starts", "accounts", "unseen", "claims_90", "claims_90_most", "claims", "claims_most", "amount", "amount_most", "orders", "abuse", "abuse_most",
    "abusers", "honest", "honest_most", "aged", "age", "age_least", "share_claims", "share_orders",
)  # fmt: skip
"""What is found of a group: entities to start from, accounts looked at and not looked at, then sums and largest values over the accounts."""

WIDTH = len(MEASURES)
FACTS = 8


class Look(NamedTuple):
    """What a look around finds, GROUPS rows of MEASURES, and the room that it takes: accounts, what they share, facts of one."""

    found: Ints
    near: Ints
    types: Ints
    facts: Ints


def empty_look() -> Look:
    """Room for one look around at a time."""
    return Look(np.zeros((GROUPS, WIDTH), np.int64), *(np.zeros(size, np.int64) for size in (NEAR + FAR, NEAR, FACTS)))


@in_place
def add_link(around: Around, entity: int, account: int, us: int) -> None:
    """The account came to the entity; what counts is the first time that was known, however late it is told."""
    key = (np.int64(entity) << 32) + np.int64(account) + 1
    slot = slot_of(around.pairs, int(key))
    pool = around.pool
    if around.pairs["key"][slot] == 0:
        record = new_record(pool, us, around.accounts["mark"][account], account)
        new_record(pool, us, around.entities["mark"][entity], entity)
        around.pairs["key"][slot] = key
        around.pairs["value"][slot] = record
        around.tops[1] += 1
    else:
        record = int(around.pairs["value"][slot])
        if pool.records["us"][record] <= us:
            return
        take_out(pool, around.entities["users_of"], entity, record)
        take_out(pool, around.accounts["entities_of"], account, record + 1)
        pool.records["us"][record] = us
        pool.records["us"][record + 1] = us
    place(pool, around.entities["users_of"], entity, record)
    place(pool, around.accounts["entities_of"], account, record + 1)


@in_place
def add_claim(around: Around, account: int, amount: int, us: int) -> None:
    """The account asked for its money back."""
    place(around.pool, around.accounts["claims_of"], account, new_record(around.pool, us, 0, amount))


@in_place
def add_order(around: Around, account: int, us: int) -> None:
    """The account bought something."""
    place(around.pool, around.accounts["orders_of"], account, new_record(around.pool, us, 0, 0))


@in_place
def add_label(around: Around, whose: tuple[int, int, int], number: int, asked_us: int, us: int) -> None:
    """A claim, asked at `asked_us`, was judged (`number` as in `events.label_number`); the latest label holds until the next one is known.

    `whose` is the request, its account, and the mark that puts requests of one microsecond in order.
    """
    pool = around.pool
    request, account, mark = whose
    label = int(around.tops[0])
    around.tops[0] = label + 1
    around.labels["abuse"][label] = 1 - number % 2
    around.labels["asked_us"][label] = asked_us
    around.labels["until_us"][label] = NEVER
    record = new_record(pool, us, number, label)
    place(pool, around.said_of, request, record)
    later = around.said_of[request]
    if later != record:
        while pool.records["before"][later] != record:
            later = pool.records["before"][later]
        around.labels["until_us"][label] = pool.records["us"][later]
    if pool.records["before"][record] >= 0:
        around.labels["until_us"][pool.records["what"][pool.records["before"][record]]] = us
    place(pool, around.accounts["labels_of"], account, new_record(pool, us, mark, label))


@in_place
def is_refuted(around: Around, entity: int, account: int, as_of_us: int) -> bool:
    """Whether an analyst had refuted the entity as a whole, or that account's link to it."""
    place_ = around.entities["refuted"][entity]
    while place_ >= 0:
        whose = around.refuted["account"][place_]
        if (whose < 0 or whose == account) and around.refuted["from_us"][place_] < as_of_us <= around.refuted["until_us"][place_]:
            return True
        place_ = around.refuted["next"][place_]
    return False


@in_place
def facts_of(around: Around, account: int, as_of_us: int, facts: Ints) -> None:
    """Of one account: claims of 90 and of 365 days, amount and orders of 365, of its claims of 365 days the abusive and the honest, age, known."""
    pool = around.pool
    claims = sums_before(pool, around.accounts["claims_of"][account], as_of_us)
    old = sums_before(pool, around.accounts["claims_of"][account], as_of_us - LONG_US)
    facts[0] = claims[0] - sums_before(pool, around.accounts["claims_of"][account], as_of_us - SHORT_US)[0]
    facts[1], facts[2] = claims[0] - old[0], claims[1] - old[1]
    orders = around.accounts["orders_of"][account]
    facts[3] = sums_before(pool, orders, as_of_us)[0] - sums_before(pool, orders, as_of_us - LONG_US)[0]
    facts[4] = facts[5] = 0
    record = newest(pool, around.accounts["labels_of"][account], as_of_us)
    for _ in range(JUDGED):
        if record < 0:
            break
        label = pool.records["what"][record]
        if as_of_us <= around.labels["until_us"][label] and around.labels["asked_us"][label] >= as_of_us - LONG_US:
            facts[5 - around.labels["abuse"][label]] += 1
        record = pool.records["before"][record]
    known = around.accounts["opened_known_us"][account] < as_of_us
    facts[6] = as_of_us - around.accounts["opened_us"][account] if known else 0
    facts[7] = known


@in_place
def count_in(found: Ints, facts: Ints) -> None:
    """Add one account to a group."""
    found[1] += 1
    for fact, at in ((0, 3), (1, 5), (2, 7), (4, 10), (5, 13)):
        found[at] += facts[fact]
        found[at + 1] = max(found[at + 1], facts[fact])
    found[9] += facts[3]
    found[12] += facts[4] > 0
    if facts[7]:
        found[17] = facts[6] if found[15] == 0 else min(found[17], facts[6])
        found[15] += 1
        found[16] += facts[6]
    if facts[3] > 0 and facts[1] * max(found[19], 1) >= found[18] * facts[3]:
        found[18], found[19] = facts[1], facts[3]


@in_place
def look_around(around: Around, account: int, entities: Codes | Ints, as_of_us: int, look: Look) -> None:  # noqa: C901  # one walk, told in order
    """Fill what is found for a question: an account (-1: unknown) and the entities that it now comes with.

    The account itself is nobody's neighbour. Of every entity the LATEST accounts are looked at, the others are counted as unseen; so a hub costs
    what any entity costs. The second step leads through owned things only, and not through entities of more than LATEST accounts.
    """
    found, near, types, facts = look
    found[:] = 0
    types[:] = 0
    around.tops[2] += 1
    starts = 0
    met = 0
    if account >= 0:
        around.accounts["asked_by"][account] = around.tops[2]
        around.accounts["place"][account] = -1
    for entity in entities:
        if starts < STARTS and around.entities["walked_by"][entity] != around.tops[2]:
            starts += 1
            met = _meet(around, (entity, account), as_of_us, (near, types), met, found)
    if account >= 0:
        record = newest(around.pool, around.accounts["entities_of"][account], as_of_us)
        while record >= 0 and starts < STARTS:
            entity = around.pool.records["what"][record]
            if around.entities["walked_by"][entity] != around.tops[2]:
                starts += 1
                met = _meet(around, (entity, account), as_of_us, (near, types), met, found)
            record = around.pool.records["before"][record]
    found[FAR_GROUP, 0] = found[NEAR_GROUP, 0]
    reached = _step_on(around, account, as_of_us, near, met)
    for index in range(reached):
        facts_of(around, near[index], as_of_us, facts)
        if index >= met:
            count_in(found[FAR_GROUP], facts)
            continue
        count_in(found[NEAR_GROUP], facts)
        for group in range(NEAR_GROUP):
            if types[index] >> group & 1:
                count_in(found[group], facts)


@in_place
def _meet(around: Around, ends: tuple[int, int], as_of_us: int, seen: tuple[Ints, Ints], met: int, found: Ints) -> int:
    """Take note of the latest accounts of an entity to start from, asked by an account; how many accounts were met by then."""
    entity, account = ends
    near, types = seen
    around.entities["walked_by"][entity] = around.tops[2]
    if is_refuted(around, entity, account, as_of_us):
        return met
    group = around.entities["type"][entity]
    found[group, 0] += 1
    found[NEAR_GROUP, 0] += 1
    pool = around.pool
    record = newest(pool, around.entities["users_of"][entity], as_of_us)
    looked = 0
    while record >= 0 and looked < LATEST:
        who = pool.records["what"][record]
        record = pool.records["before"][record]
        if who == account or (around.entities["refuted"][entity] >= 0 and is_refuted(around, entity, who, as_of_us)):
            continue
        looked += 1
        if around.accounts["asked_by"][who] != around.tops[2]:
            if met == NEAR:
                continue
            around.accounts["asked_by"][who] = around.tops[2]
            around.accounts["place"][who] = met
            near[met] = who
            met += 1
        types[around.accounts["place"][who]] |= 1 << group
    unseen = int(pool.records["number"][record]) if record >= 0 else 0
    found[group, 2] += unseen
    found[NEAR_GROUP, 2] += unseen
    return met


@in_place
def _step_on(around: Around, account: int, as_of_us: int, near: Ints, met: int) -> int:
    """Add the accounts one step further, behind those that were met; how many there are then."""
    pool = around.pool
    reached = met
    for index in range(min(met, ONWARD)):
        link = newest(pool, around.accounts["entities_of"][near[index]], as_of_us)
        for _ in range(STEPS):
            if link < 0:
                break
            entity = pool.records["what"][link]
            link = pool.records["before"][link]
            if around.entities["walked_by"][entity] == around.tops[2] or around.entities["type"][entity] >= OWNED:
                continue
            around.entities["walked_by"][entity] = around.tops[2]
            record = newest(pool, around.entities["users_of"][entity], as_of_us)
            if record < 0 or pool.records["number"][record] > LATEST or is_refuted(around, entity, near[index], as_of_us):
                continue
            while record >= 0 and reached < met + FAR:
                who = pool.records["what"][record]
                record = pool.records["before"][record]
                refuted = around.entities["refuted"][entity] >= 0 and is_refuted(around, entity, who, as_of_us)
                if who != account and around.accounts["asked_by"][who] != around.tops[2] and not refuted:
                    around.accounts["asked_by"][who] = around.tops[2]
                    near[reached] = who
                    reached += 1
    return reached
