"""Chains: what happened to many things, each thing's records in the order of time, open at both ends of the past.

All records lie in one pool of arrays and hang together newest first. Every record knows its number in its chain, the sum so far, the record before
it and one further back (Myers' skew-binary jumps), so a question about any moment finds its place in log2(length) steps, and a count or a sum over
a stretch of time is one subtraction. A record that comes late is put in its place; only the newer ones of that one chain are strung again.
"""

from typing import NamedTuple

import numpy as np

from data_contracts.machine_code import in_place
from graph.union_find import Codes, Ints, Rows

RECORD = np.dtype([("us", "i8"), ("tie", "i8"), ("what", "i8"), ("total", "i8"), ("number", "i4"), ("before", "i4"), ("jump", "i4")], align=True)
"""Since when; what orders equal moments; what the record says (an account, an entity, an amount) and the sum of that up to here; 1 for the chain's
first record, and so on; the record before it (-1 for none), and one further back."""


class Pool(NamedTuple):
    """Records; `top` holds how many there are."""

    top: Ints
    records: Rows


def empty_pool(records: int) -> Pool:
    """A pool with room for that many records."""
    return Pool(np.zeros(1, np.int64), np.zeros(records, RECORD))


def roomier_pool(pool: Pool, more: int) -> Pool:
    """The pool, in an array of twice the length when there is no room for so many more."""
    needed = int(pool.top[0]) + more
    return pool if needed <= len(pool.records) else Pool(pool.top, longer(pool.records, 2 * needed, np.zeros(1, RECORD)))


def longer(column: Rows, length: int, blank: int | Rows) -> Rows:
    """A longer copy; the new places hold `blank`."""
    found = np.full(length, blank, dtype=column.dtype)
    found[: len(column)] = column
    return found


@in_place
def newest(pool: Pool, record: int, as_of_us: int) -> int:
    """The newest record of a chain, given its head, that is older than a moment; -1 for none."""
    while record >= 0 and pool.records["us"][record] >= as_of_us:
        far = pool.records["jump"][record]
        record = far if far >= 0 and pool.records["us"][far] >= as_of_us else pool.records["before"][record]
    return int(record)


@in_place
def sums_before(pool: Pool, head: int, as_of_us: int) -> tuple[int, int]:
    """How many records of a chain are older than a moment, and the sum of what they say."""
    record = newest(pool, head, as_of_us)
    if record < 0:
        return 0, 0
    return int(pool.records["number"][record]), int(pool.records["total"][record])


@in_place
def new_record(pool: Pool, us: int, tie: int, what: int) -> int:
    """A record that is in no chain yet."""
    record = int(pool.top[0])
    pool.top[0] = record + 1
    pool.records["us"][record], pool.records["tie"][record], pool.records["what"][record] = us, tie, what
    return record


@in_place
def push(pool: Pool, heads: Codes, key: int, record: int) -> None:
    """Put a record on top of a chain."""
    head = heads[key]
    pool.records["before"][record] = head
    number, total, far = 0, 0, -1
    if head >= 0:
        number, total, far = int(pool.records["number"][head]), int(pool.records["total"][head]), int(pool.records["jump"][head])
        near = int(pool.records["number"][far]) if far >= 0 else 0
        further = int(pool.records["jump"][far]) if far >= 0 else -1
        last = int(pool.records["number"][further]) if further >= 0 else 0
        far = further if number - near == near - last else int(head)
    pool.records["number"][record] = number + 1
    pool.records["total"][record] = total + pool.records["what"][record]
    pool.records["jump"][record] = far
    heads[key] = record


@in_place
def place(pool: Pool, heads: Codes, key: int, record: int) -> None:
    """Put a record where it belongs by (us, tie); equal ones come after those that are there."""
    us, tie = pool.records["us"][record], pool.records["tie"][record]
    newer = 0
    head = heads[key]
    while head >= 0 and (pool.records["us"][head] > us or (pool.records["us"][head] == us and pool.records["tie"][head] > tie)):
        newer += 1
        head = pool.records["before"][head]
    if newer == 0:
        push(pool, heads, key, record)
        return
    last = _turned(pool, heads[key], newer)
    heads[key] = head
    push(pool, heads, key, record)
    _push_again(pool, heads, key, last)


@in_place
def take_out(pool: Pool, heads: Codes, key: int, record: int) -> None:
    """Take a record out of its chain."""
    newer = 0
    head = heads[key]
    while head != record:
        newer += 1
        head = pool.records["before"][head]
    last = _turned(pool, heads[key], newer)
    heads[key] = pool.records["before"][record]
    _push_again(pool, heads, key, last)


@in_place
def _turned(pool: Pool, head: int, newer: int) -> int:
    """Let the newest records of a chain point to the one after them, where their jumps were; the oldest of them, -1 for none."""
    after = -1
    for _ in range(newer):
        pool.records["jump"][head] = after
        after, head = head, pool.records["before"][head]
    return after


@in_place
def _push_again(pool: Pool, heads: Codes, key: int, record: int) -> None:
    """Put the records that were turned on top of their chain, oldest first."""
    while record >= 0:
        after = pool.records["jump"][record]
        push(pool, heads, key, record)
        record = after
