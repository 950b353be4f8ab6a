"""Names to numbers, and moments into order, without comparing names: the time that it takes grows with the rows alone.

Two names are one when two hashes of 64 bits with different seeds agree: that of ten million names any two agree by chance is less likely than
1e-24. The rows are first dealt out by one hash into parts whose table fits the processor's cache, so many names wait no longer for memory than few.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.machine_code import in_place
from graph.union_find import Codes, Ints

PART = 14
"""Rows of one part, as a power of two: its keys and its table take less than a megabyte."""

Hashes = npt.NDArray[np.uint64]
_SEEDS = (0x9E37, 0x79B9)
_TURN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio


class Numbered(NamedTuple):
    """The code of every row of every frame, -1 where a name is null; and of all rows together, the one in which each code was met first."""

    codes: list[Codes]
    rows: pl.DataFrame
    first: Ints

    @property
    def names(self) -> pl.DataFrame:
        """Each name once, in the order of the codes."""
        return self.rows[self.first]


def numbered(frames: Sequence[pl.DataFrame]) -> Numbered:
    """Codes for the rows of frames with the same columns of strings: equal rows have one code, in whichever frame they are."""
    rows = pl.concat(frames)
    one, other = (_hashed(rows, seed) for seed in _SEEDS)
    codes, first = number(one, other, _there(rows))
    ends = np.cumsum([frame.height for frame in frames])
    return Numbered(np.split(codes, ends[:-1]), rows, first)


def _there(rows: pl.DataFrame) -> npt.NDArray[np.bool_]:
    found = np.ones(rows.height, dtype=np.bool_)
    for column in rows:
        if column.null_count():
            found &= column.is_not_null().to_numpy()
    return found


def _hashed(rows: pl.DataFrame, seed: int) -> Hashes:
    """One hash a row; columns are mixed so that swapped words differ."""
    found, *others = (column.hash(seed).to_numpy() for column in rows)
    for other in others:
        found = (found * _TURN) ^ other
    return found


def number(one: Hashes, other: Hashes, there: npt.NDArray[np.bool_]) -> tuple[Codes, Ints]:
    """The code of each row, -1 for one that has no name, and the row in which each code was met first."""
    rows = len(one)
    bits = max(0, rows.bit_length() - PART)
    dealt = np.empty(rows, np.uint64), np.empty(rows, np.uint64), np.empty(rows, np.int32)
    starts = np.zeros((1 << bits) + 1, dtype=np.int64)
    _deal((one, other), there, dealt, starts, bits)
    codes, first = np.full(rows, -1, dtype=np.int32), np.empty(rows, dtype=np.int64)
    longest = int(np.diff(starts).max())
    table = np.empty(1 << max(4, (2 * longest).bit_length()), dtype=np.int32)
    found = _number(dealt, starts, table, codes, first)
    return codes, dealt[2][first[:found]].astype(np.int64)


Dealt = tuple[Hashes, Hashes, Codes]
"""The two hashes of rows and which rows they are, those of one part together. All arrays come from numpy, which asks for large pages."""


@in_place
def _deal(given: tuple[Hashes, Hashes], there: npt.NDArray[np.bool_], dealt: Dealt, starts: Ints, bits: int) -> None:
    """Put the rows that have a name in the order of the upper bits of their hash; `starts` says where each part does."""
    one, other = given
    ones, others, rows = dealt
    shift = np.uint64(63 - bits)
    for row in range(len(one)):
        if there[row]:
            starts[np.int64(one[row] >> np.uint64(1) >> shift)] += 1
    end = 0
    for part in range(len(starts)):
        end += int(starts[part])
        starts[part] = end
    for row in range(len(one) - 1, -1, -1):
        if there[row]:
            own = np.int64(one[row] >> np.uint64(1) >> shift)
            place = starts[own] - 1
            starts[own] = place
            ones[place], others[place], rows[place] = one[row], other[row], row


@in_place
def _number(dealt: Dealt, starts: Ints, table: Codes, codes: Codes, first: Ints) -> int:
    """Fill in the codes of rows, and of each code the place where it was met first; how many codes there are. `table` is room for one part's."""
    ones, others, rows = dealt
    found = 0
    for part in range(len(starts) - 1):
        slots = np.int64(16)
        while slots < 2 * (starts[part + 1] - starts[part]):
            slots *= 2
        for blank in range(slots):
            table[blank] = -1
        for place in range(starts[part], starts[part + 1]):
            slot = np.int64(ones[place] & np.uint64(slots - 1))
            while table[slot] >= 0 and (ones[first[table[slot]]] != ones[place] or others[first[table[slot]]] != others[place]):
                slot = (slot + 1) & (slots - 1)
            if table[slot] < 0:
                table[slot] = found
                first[found] = place
                found += 1
            codes[rows[place]] = table[slot]
    return found


def in_time(moments: Ints) -> tuple[Codes, Ints]:
    """The places of moments in their order, equal ones as they came, and the moments in that order.

    Moment and place are sorted as one number, which takes a quarter of the time. Where both do not fit into 63 bits the lowest of the moment are left
    out, and what they would have told is put right afterwards: little, since the rest is in order by then.
    """
    if len(moments) == 0:
        return np.zeros(0, dtype=np.int32), moments
    bits = len(moments).bit_length()
    since = moments - moments.min()
    left_out = max(0, int(since.max()).bit_length() + bits - 63)
    keys = (since >> left_out << bits) | np.arange(len(moments))
    keys.sort()
    order = (keys & ((1 << bits) - 1)).astype(np.int32)
    found = moments[order]
    if bool(np.all(found[1:] >= found[:-1])):
        return order, found
    again = np.argsort(found, kind="stable")
    return order[again], found[again]
