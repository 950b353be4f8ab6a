"""Exact search among 256-bit hashes: all within a Hamming distance of any of several queries, in one pass over the hashes.

Idea: a modern processor counts the bits of four words at once, so that looking at every hash is faster than lookup tables, whose memory reads are
scattered (multi-index hashing, the earlier way here, took 13 ms a hash among a million; this takes 10 ms for all 26 hashes of a picture). Hashes are
walked in blocks that stay in the nearest cache while every query is held against them; three of a hash's four words decide first, in a loop
without branches, whether a block needs a second look. Nothing is approximate.
`search_slowly` is the plain reference that the tests hold it against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from data_contracts.machine_code import njit

Words: TypeAlias = npt.NDArray[np.uint64]
Hash: TypeAlias = tuple[int, int, int, int]

BITS = 256
_BLOCK = 1024


@njit(cache=True, inline="always")
def _ones(word: np.uint64) -> np.int64:
    """The number of ones in a word; the compiler knows this idiom and makes one instruction of it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, inline="always")
def apart(one: Words, other: Words) -> np.int64:
    """How many bits of two hashes differ."""
    return _ones(one[0] ^ other[0]) + _ones(one[1] ^ other[1]) + _ones(one[2] ^ other[2]) + _ones(one[3] ^ other[3])


@njit(cache=True)
def _scan(columns: Words, asked: Words, most: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> int:
    """Fill `found` with rows of (asked, place, bits) while there is room; how many there are."""
    count = 0
    for start in range(0, columns.shape[1], _BLOCK):
        first, second, third, fourth = (columns[0, start:], columns[1, start:], columns[2, start:], columns[3, start:])
        length = min(_BLOCK, columns.shape[1] - start)
        for number in range(len(asked)):
            one, two, three, four, limit = asked[number, 0], asked[number, 1], asked[number, 2], asked[number, 3], most[number]
            near = np.int64(0)
            for row in range(length):
                near += np.int64(_ones(first[row] ^ one) + _ones(second[row] ^ two) + _ones(third[row] ^ three) <= limit)
            if near == 0:
                continue
            for row in range(length):
                bits = _ones(first[row] ^ one) + _ones(second[row] ^ two) + _ones(third[row] ^ three) + _ones(fourth[row] ^ four)
                if bits <= limit:
                    if count < len(found):
                        found[count, 0], found[count, 1], found[count, 2] = number, start + row, bits
                    count += 1
    return count


@dataclass(frozen=True, slots=True)
class Hit:
    """One hash within reach: its place in the order of adding, and how many bits differ."""

    place: int
    distance: int


class HammingIndex:
    """Hashes of 256 bits in the order in which they were added."""

    def __init__(self) -> None:
        self._columns: Words = np.empty((4, 0), np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, words: Sequence[Hash] | Words) -> None:
        """Add hashes, each of four words of 64 bits."""
        fresh = np.asarray(words, dtype=np.uint64).reshape(-1, 4)
        needed = self._count + len(fresh)
        if needed > self._columns.shape[1]:
            grown = np.empty((4, max(needed, 2 * self._columns.shape[1], 1024)), np.uint64)
            grown[:, : self._count] = self._columns[:, : self._count]
            self._columns = grown
        self._columns[:, self._count : needed] = fresh.T
        self._count = needed

    def search(self, asked: Sequence[tuple[Hash, int]]) -> list[list[Hit]]:
        """For each (hash, most bits) every kept hash within reach, nearest first, ties in the order of adding. ValueError: a reach below 0."""
        if any(most < 0 for _, most in asked):
            message = f"distances {[most for _, most in asked]} cannot be searched; expected 0 to {BITS}"
            raise ValueError(message)
        hits: list[list[Hit]] = [[] for _ in asked]
        if not asked or not self._count:
            return hits
        words, most = np.array([words for words, _ in asked], np.uint64), np.array([most for _, most in asked], np.int64)
        found = np.empty((4096, 3), np.int64)
        count = _scan(self._columns[:, : self._count], words, most, found)
        if count > len(found):
            found = np.empty((count, 3), np.int64)
            count = _scan(self._columns[:, : self._count], words, most, found)
        found = found[:count]
        for number, place, bits in found[np.lexsort((found[:, 1], found[:, 2], found[:, 0]))].tolist():
            hits[number].append(Hit(place, bits))
        return hits

    def search_slowly(self, asked: Hash, most: int) -> list[Hit]:
        """The same for one hash, by counting each in plain numpy: the reference."""
        distances = np.bitwise_count(self._columns[:, : self._count] ^ np.array(asked, dtype=np.uint64)[:, None]).sum(axis=0)
        near = np.flatnonzero(distances <= most)
        return [Hit(int(place), int(distances[place])) for place in near[np.argsort(distances[near], kind="stable")]]
