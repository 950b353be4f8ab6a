"""Exact search among 256-bit hashes: all within a Hamming distance, by multi-index hashing, with a linear scan for what is new.

Idea (Norouzi, Punjani and Fleet, 2012): cut a hash into 16 words of 16 bits. Two hashes within distance r agree in at least one word up to
r // 16 bits (pigeonhole), so looking up every word with that many flips finds every match; each candidate is then counted in
full. Nothing is approximate.
`search_slowly` is the plain reference that the tests hold it against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Words: TypeAlias = npt.NDArray[np.uint64]

MAX_DISTANCE = 47
"""The farthest match that the lookup tables can promise: two flips in one of sixteen words."""
_WORDS, _BITS = 16, 16
_TAIL = 65_536
"""New hashes that are scanned one by one before they are sorted in."""


@njit(cache=True, inline="always")
def _ones(word: np.uint64) -> np.int64:
    """The number of ones in a word; the compiler knows this idiom and makes one instruction of it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True)
def _scan(hashes: Words, query: Words, most: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    places = np.empty(len(hashes), np.int64)
    distances = np.empty(len(hashes), np.int64)
    found = 0
    for row in range(len(hashes)):
        distance = np.int64(0)
        for part in range(4):
            distance += _ones(hashes[row, part] ^ query[part])
        if distance <= most:
            places[found], distances[found] = row, distance
            found += 1
    return places[:found].copy(), distances[:found].copy()


@njit(cache=True)
def _probe(  # flat arrays are what numba takes
    hashes: Words,
    starts: npt.NDArray[np.int64],
    order: npt.NDArray[np.int32],
    flips: npt.NDArray[np.uint16],
    query: Words,
    most: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    places, distances = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    for word in range(16):
        part, shift = word // 4, np.uint64(16 * (word % 4))
        value = np.uint16((query[part] >> shift) & np.uint64(0xFFFF))
        for flip in flips:
            probe = np.int64(value ^ flip)
            for place in order[word, starts[word, probe] : starts[word, probe + 1]]:
                distance = np.int64(0)
                for piece in range(4):
                    distance += _ones(hashes[place, piece] ^ query[piece])
                if distance <= most:
                    places.append(np.int64(place))
                    distances.append(distance)
    return np.array(places, dtype=np.int64), np.array(distances, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Hit:
    """One hash within reach: its place in the order of adding, and how many bits differ."""

    place: int
    distance: int


class HammingIndex:
    """Hashes of 256 bits in the order in which they were added; searching never misses one within MAX_DISTANCE."""

    def __init__(self) -> None:
        self._hashes: Words = np.empty((0, 4), np.uint64)
        self._count = 0
        self._sorted = 0
        self._starts: npt.NDArray[np.int64] = np.zeros((_WORDS, (1 << _BITS) + 1), np.int64)
        self._order: npt.NDArray[np.int32] = np.empty((_WORDS, 0), np.int32)

    def __len__(self) -> int:
        return self._count

    def add(self, words: Sequence[tuple[int, int, int, int]] | Words) -> None:
        """Add hashes, each of four words of 64 bits."""
        fresh = np.asarray(words, dtype=np.uint64).reshape(-1, 4)
        needed = self._count + len(fresh)
        if needed > len(self._hashes):
            grown = np.empty((max(needed, 2 * len(self._hashes), 1024), 4), np.uint64)
            grown[: self._count] = self._hashes[: self._count]
            self._hashes = grown
        self._hashes[self._count : needed] = fresh
        self._count = needed
        if self._count - self._sorted > max(_TAIL, self._sorted // 8):
            self._sort_in()

    def search(self, query: tuple[int, int, int, int], most: int = MAX_DISTANCE) -> list[Hit]:
        """Every hash within `most` bits, nearest first, ties in the order of adding. ValueError: `most` is beyond MAX_DISTANCE."""
        if not 0 <= most <= MAX_DISTANCE:
            message = f"distance {most} cannot be searched; expected 0 to {MAX_DISTANCE}"
            raise ValueError(message)
        words = np.array(query, dtype=np.uint64)
        found: set[tuple[int, int]] = set()
        if self._sorted:
            places, distances = _probe(self._hashes[: self._sorted], self._starts, self._order, _flips(most // _BITS), words, most)
            found.update(zip(distances.tolist(), places.tolist(), strict=True))
        if self._count > self._sorted:
            places, distances = _scan(self._hashes[self._sorted : self._count], words, most)
            found.update(zip(distances.tolist(), (places + self._sorted).tolist(), strict=True))
        return [Hit(place, distance) for distance, place in sorted(found)]

    def search_slowly(self, query: tuple[int, int, int, int], most: int = MAX_DISTANCE) -> list[Hit]:
        """The same by counting every hash: the reference."""
        distances = np.bitwise_count(self._hashes[: self._count] ^ np.array(query, dtype=np.uint64)).sum(axis=1)
        near = np.flatnonzero(distances <= most)
        return [Hit(int(place), int(distances[place])) for place in near[np.argsort(distances[near], kind="stable")]]

    def _sort_in(self) -> None:
        """Build the lookup tables over all that is there."""
        kept = self._hashes[: self._count]
        self._order = np.empty((_WORDS, self._count), np.int32)
        for word in range(_WORDS):
            values = (kept[:, word // 4] >> np.uint64(_BITS * (word % 4))).astype(np.uint16)
            self._order[word] = np.argsort(values, kind="stable")
            self._starts[word, 1:] = np.cumsum(np.bincount(values, minlength=1 << _BITS))
        self._sorted = self._count


def _flips(most: int) -> npt.NDArray[np.uint16]:
    """Every pattern of up to `most` flipped bits in a word of 16."""
    patterns = [sum(1 << bit for bit in bits) for count in range(most + 1) for bits in combinations(range(_BITS), count)]
    return np.array(patterns, dtype=np.uint16)
