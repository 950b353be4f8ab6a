"""The compiled inner loops of `detail_index.py`: looking details up, and finding one arrangement that explains many."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from data_contracts.machine_code import njit
from features.image.hamming import apart

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int32]
Words: TypeAlias = npt.NDArray[np.uint64]

ALIKE = 44
"""Bits, of 256, by which two pictures of one detail may differ."""
AWAY = 5.0
"""Pixels, at the common size, by which a detail may lie off its place."""
SCALES = (0.3, 3.4)
"""How much smaller or larger the picture may show what the other shows."""
_PLACE = 6.0
"""Pixels within which two details are at one place."""
_BASE = 20.0
"""Pixels that two details must lie apart to fix an arrangement."""


@njit(cache=True)
def look_up(kept: Words, starts: Ints, order: Rows, asked: Words, found: Rows) -> int:
    """Fill `found` with rows of (kept, asked, bits) for details alike that agree in one of sixteen words; how many."""
    count = 0
    for number in range(len(asked)):
        for word in range(16):
            value = np.int64((asked[number, word // 4] >> np.uint64(16 * (word % 4))) & np.uint64(0xFFFF))
            for place in order[word, starts[word, value] : starts[word, value + 1]]:
                bits = apart(kept[place], asked[number])
                if bits <= ALIKE and not _agree_before(kept[place], asked[number], word) and count < len(found):
                    found[count, 0], found[count, 1], found[count, 2] = place, number, bits
                    count += 1
    return count


@njit(cache=True)
def _agree_before(one: Words, other: Words, word: int) -> bool:
    """Whether two details agree in an earlier word, too: then they were met there."""
    for earlier in range(word):
        if ((one[earlier // 4] ^ other[earlier // 4]) >> np.uint64(16 * (earlier % 4))) & np.uint64(0xFFFF) == np.uint64(0):
            return True
    return False


@njit(cache=True)
def count_all(kept: Words, first: int, asked: Words, found: Rows) -> int:
    """The same for the kept details from `first` on, by counting every one."""
    count = 0
    for place in range(first, len(kept)):
        for number in range(len(asked)):
            bits = apart(kept[place], asked[number])
            if bits <= ALIKE and count < len(found):
                found[count, 0], found[count, 1], found[count, 2] = place, number, bits
                count += 1
    return count


@njit(cache=True)
def arrange(asked: Floats, kept: Floats) -> tuple[int, Floats]:
    """The turn, scale and shift from `asked` to `kept` places that most pairs of details agree with, and how many do.

    It is (real, imaginary, across, down) of a complex factor and a shift. Pairs at one place (a corner is found at several scales) count once.
    """
    best, arrangement = 0, np.zeros(4)
    for one in range(len(asked)):
        for other in range(one + 1, len(asked)):
            here, there = asked[other] - asked[one], kept[other] - kept[one]
            length = here[0] * here[0] + here[1] * here[1]
            if length < _BASE * _BASE or there[0] * there[0] + there[1] * there[1] < _BASE * _BASE:
                continue
            real = (there[0] * here[0] + there[1] * here[1]) / length
            turn = (there[1] * here[0] - there[0] * here[1]) / length
            if not SCALES[0] <= np.sqrt(real * real + turn * turn) <= SCALES[1]:
                continue
            across = kept[one, 0] - (real * asked[one, 0] - turn * asked[one, 1])
            down = kept[one, 1] - (turn * asked[one, 0] + real * asked[one, 1])
            tried = np.array([real, turn, across, down])
            agreeing = _agreeing(asked, kept, tried)
            if agreeing > best:
                best, arrangement = agreeing, tried
    return best, arrangement


@njit(cache=True)
def _agreeing(asked: Floats, kept: Floats, tried: Floats) -> int:
    count = 0
    taken = np.empty(len(asked), np.int64)
    for pair in range(len(asked)):
        off_across = tried[0] * asked[pair, 0] - tried[1] * asked[pair, 1] + tried[2] - kept[pair, 0]
        off_down = tried[1] * asked[pair, 0] + tried[0] * asked[pair, 1] + tried[3] - kept[pair, 1]
        fresh = off_across * off_across + off_down * off_down <= AWAY * AWAY
        for earlier in range(count):
            fresh = fresh and _further(asked[pair], asked[taken[earlier]]) and _further(kept[pair], kept[taken[earlier]])
        if fresh:
            taken[count] = pair
            count += 1
    return count


@njit(cache=True, inline="always")
def _further(one: Floats, other: Floats) -> bool:
    return bool((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 > _PLACE * _PLACE)
