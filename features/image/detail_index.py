"""Pictures that show the same details in the same arrangement: a search among the details of all, then a check of the geometry.

A detail is looked up by each of its sixteen words of 16 bits, so one is found that agrees in at least one word; details that are found again differ
in some thirty of 256 bits, and nine of ten of them are. A picture with enough found details is a match when one shift, turn and scale explains them:
details alone look alike in many pictures, their arrangement does not. Unlike the search for whole pictures this one is not exhaustive.
It costs time and memory in proportion to what is kept (100 bytes a detail, 10 kB a picture): see `benchmarks/README.md`.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from features.image.detail_kernels import Floats, Ints, Rows, Words, arrange, count_all, look_up
from features.image.details import FINE, read_details

LEAST = 6
"""Details in one arrangement that make a match."""
LEAST_SHARE = 0.12
"""Of the details that the arrangement says must be seen, the share that are."""
_WORDS, _BITS = 16, 16
_TAIL = 16_384
"""New details that are counted one by one before they are sorted in."""
_MOST_FOUND = 1 << 20
_MOST_PAIRS = 60
_Held = TypeVar("_Held", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One kept picture that shows the same: its place in the order of adding, how many details agree, and the median of the bits they differ in.

    `share` is how many that is of those to be seen.
    """

    place: int
    details: int
    share: float
    bits: int


class DetailIndex:
    """Details of pictures in the order in which the pictures were added."""

    def __init__(self) -> None:
        self._words: Words = np.empty((0, 4), np.uint64)
        self._at: npt.NDArray[np.uint16] = np.empty((0, 2), np.uint16)
        self._owner: Rows = np.empty(0, np.int32)
        self._count = self._sorted = self._pictures = 0
        self._starts: Ints = np.zeros((_WORDS, (1 << _BITS) + 1), np.int64)
        self._order: Rows = np.empty((_WORDS, 0), np.int32)

    def __len__(self) -> int:
        """How many details are kept."""
        return self._count

    def add(self, body: bytes) -> int:
        """Keep one picture's details; its place. ValueError: the bytes are no details."""
        fresh = read_details(body)
        needed = self._count + len(fresh)
        if needed > len(self._words):
            room = max(needed, 2 * len(self._words), 4096)
            self._words, self._at = _grown(self._words, self._count, room), _grown(self._at, self._count, room)
            self._owner = _grown(self._owner, self._count, room)
        self._words[self._count : needed], self._at[self._count : needed] = fresh["words"], fresh["at"]
        self._owner[self._count : needed] = self._pictures
        self._count = needed
        self._pictures += 1
        if self._count - self._sorted > max(_TAIL, self._sorted // 16):
            self._sort_in()
        return self._pictures - 1

    def find(self, body: bytes) -> list[Arrangement]:
        """Every kept picture with enough of those details in one arrangement, most details first. ValueError: the bytes are no details."""
        asked = read_details(body)
        at = asked["at"].astype(np.float64) / FINE
        if not self._count or len(asked) < LEAST:
            return []
        pairs = self._alike(np.ascontiguousarray(asked["words"]))
        owners = self._owner[pairs[:, 0]]
        ranked = pairs[np.lexsort((pairs[:, 2], owners))]
        names, starts, counts = np.unique(np.sort(owners), return_index=True, return_counts=True)
        likely = counts >= LEAST
        found = [
            self._arranged(int(owner), ranked[start : start + min(count, _MOST_PAIRS)], at)
            for owner, start, count in zip(names[likely], starts[likely], counts[likely], strict=True)
        ]
        return sorted((item for item in found if item is not None), key=lambda item: (-item.details, item.place))

    def _alike(self, asked: Words) -> Rows:
        kept = self._words[: self._count]
        found = np.empty((_MOST_FOUND, 3), np.int32)
        count = look_up(kept, self._starts, self._order, asked, found) if self._sorted else 0
        return found[: count + count_all(kept, self._sorted, asked, found[count:])]

    def _arranged(self, owner: int, pairs: Rows, asked: Floats) -> Arrangement | None:
        here = asked[pairs[:, 1]]
        there = self._at[pairs[:, 0]].astype(np.float64) / FINE
        details, arrangement = arrange(here, there)
        if details < LEAST:
            return None
        seen = self._to_be_seen(owner, arrangement, asked)
        share = details / max(seen, details)
        return Arrangement(owner, int(details), share, int(np.median(pairs[:, 2]))) if share >= LEAST_SHARE else None

    def _to_be_seen(self, owner: int, arrangement: Floats, asked: Floats) -> int:
        """How many of the kept picture's details fall into the part that the asking picture shows."""
        first, last = np.searchsorted(self._owner[: self._count], [owner, owner + 1])
        at = self._at[first:last].astype(np.float64) / FINE
        back = ((at[:, 0] - arrangement[2]) + 1j * (at[:, 1] - arrangement[3])) / complex(arrangement[0], arrangement[1])
        low, high = asked.min(axis=0), asked.max(axis=0)
        return int(np.sum((back.real >= low[0]) & (back.real <= high[0]) & (back.imag >= low[1]) & (back.imag <= high[1])))

    def _sort_in(self) -> None:
        """Build the lookup tables over all that is there."""
        words = self._words[: self._count]
        self._order = np.empty((_WORDS, self._count), np.int32)
        for word in range(_WORDS):
            values = (words[:, word // 4] >> np.uint64(_BITS * (word % 4))).astype(np.uint16)
            self._order[word] = np.argsort(values, kind="stable")
            self._starts[word, 1:] = np.cumsum(np.bincount(values, minlength=1 << _BITS))
        self._sorted = self._count


def _grown(held: npt.NDArray[_Held], count: int, room: int) -> npt.NDArray[_Held]:
    grown = np.empty((room, *held.shape[1:]), held.dtype)
    grown[:count] = held[:count]
    return grown
