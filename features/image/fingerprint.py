"""Perceptual fingerprints of a picture: PDQ of the whole and of what is left without borders, and local details for all that shows only a part.

PDQ (Davis, Rosoff et al., 2019) is 256 bits that survive recompression and resizing. A query also asks for its mirrored and turned forms and for
itself without its frame. What PDQ does not survive (crops, captions, screenshots, collages) the details do (`details.py`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from features.image.details import ASKED, KEPT, find_details, read_details
from features.image.picture import Picture

Grey: TypeAlias = npt.NDArray[np.uint8]

SIDE = 192
"""Long side at which pictures are hashed: PDQ itself looks at 64 x 64, and its price grows with the square."""
LEAST_QUALITY = 30
"""PDQ's own measure of detail, 0 to 100; below it a hash is of fog and is not used."""
LEAST_SIDE = 32
_LIKE_EDGE = 6
_PLAIN_SHARE = 0.7
_KEPT = 0.15
"""The share of a side that must remain: a wide photo on a tall phone's screen fills a fifth of it."""


class Role(StrEnum):
    """What a hash is of."""

    WHOLE = "whole"  # the picture, with or without its border
    TURNED = "turned"  # the same, mirrored or turned: exact but for the pixels' order
    DETAILS = "details"  # its local details; `words` are those of the best of them


@dataclass(frozen=True, slots=True)
class Print:
    """One hash: four words of 64 bits, how it was made, and of what. `body` is filled for details only (`details.DETAIL`)."""

    words: tuple[int, int, int, int]
    form: str
    role: Role
    body: bytes = b""


def to_index(picture: Picture) -> tuple[Print, ...]:
    """The prints under which a picture is kept. Empty where it has too little detail. UnreadableError: its pixels cannot be had."""
    grey = _grey(picture)
    trimmed = trim(grey)
    wholes = [_print(grey, "whole", Role.WHOLE)]
    if trimmed.shape != grey.shape:
        wholes.append(_print(trimmed, "trimmed", Role.WHOLE))
    return tuple(_unique([*wholes, _details(picture, grey, KEPT)]))


def to_query(picture: Picture) -> tuple[Print, ...]:
    """The prints with which a picture is looked for, the whole as it is first. Empty where it has too little detail."""
    grey = _grey(picture)
    return tuple(_unique([*_query_forms(grey), _details(picture, grey, ASKED)]))


def first_print(picture: Picture) -> Print | None:
    """The picture as it is: enough to tell one frame of a film from the next. Null where it has too little detail."""
    return _print(_grey(picture), "whole", Role.WHOLE)


def _grey(picture: Picture) -> Grey:
    grey = picture.small_luma
    factor = SIDE / max(grey.shape)
    if factor >= 1:
        return grey
    size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def _details(picture: Picture, grey: Grey, most: int) -> Print | None:
    """The details of what is left without borders, found at a larger size than the hashes are made at."""
    large = picture.small_luma
    inner = _inner(grey, edge=False)
    top, bottom, left, right = inner if inner != (0, grey.shape[0], 0, grey.shape[1]) else _inner(grey, edge=True)
    down, across = large.shape[0] / grey.shape[0], large.shape[1] / grey.shape[1]
    body = find_details(np.ascontiguousarray(large[int(top * down) : int(bottom * down), int(left * across) : int(right * across)]), most)
    if not body:
        return None
    first, second, third, fourth = (int(word) for word in read_details(body)["words"][0])
    return Print((first, second, third, fourth), "details", Role.DETAILS, body)


def _query_forms(grey: Grey) -> Iterator[Print | None]:
    yield from _turned(grey, "whole")
    trimmed = trim(grey)
    if trimmed.shape != grey.shape:
        yield from _turned(trimmed, "trimmed")
    unframed = trim(grey, edge=True)
    if unframed.shape not in {grey.shape, trimmed.shape}:
        yield _print(unframed, "unframed", Role.WHOLE)
        yield _print(unframed[:, ::-1], "unframed_mirrored", Role.TURNED)


def _turned(grey: Grey, form: str) -> Iterator[Print | None]:
    """The eight ways to lay a picture. PDQ could turn its own numbers, but 26 bits off on the median; turned pixels are exact."""
    for turn in range(4):
        laid = np.rot90(grey, turn)
        yield _print(laid, form if turn == 0 else f"{form}_turned_{90 * turn}", Role.TURNED if turn else Role.WHOLE)
        yield _print(laid[:, ::-1], f"{form}_mirrored" if turn == 0 else f"{form}_mirrored_turned_{90 * turn}", Role.TURNED)


def _print(grey: Grey, form: str, role: Role) -> Print | None:
    import pdqhash

    if min(grey.shape) < LEAST_SIDE:
        return None
    bits, quality = pdqhash.compute(np.ascontiguousarray(np.dstack([grey] * 3)))
    return Print(_words(bits), form, role) if quality >= LEAST_QUALITY else None


def _words(bits: npt.NDArray[np.uint8]) -> tuple[int, int, int, int]:
    first, second, third, fourth = (int(word) for word in np.packbits(bits.astype(bool)).view(">u8"))
    return first, second, third, fourth


def _unique(prints: Iterable[Print | None]) -> Iterator[Print]:
    seen: set[tuple[int, int, int, int]] = set()
    for found in prints:
        if found is not None and found.words not in seen:
            seen.add(found.words)
            yield found


def trim(grey: Grey, *, edge: bool = False) -> Grey:
    """Without plain borders: lines of which most pixels have one grey are cut from each side, captions in them included.

    That grey is the line's own median, or with `edge` the median of the outermost line: a frame in one colour around a picture with plain areas.
    """
    top, bottom, left, right = _inner(grey, edge=edge)
    return grey[top:bottom, left:right]


def _inner(grey: Grey, *, edge: bool) -> tuple[int, int, int, int]:
    top, bottom = _span(grey, edge=edge)
    left, right = _span(grey[top:bottom].T, edge=edge)
    return top, bottom, left, right


def _span(grey: Grey, *, edge: bool) -> tuple[int, int]:
    """The lines that remain when plain ones are cut from both ends; all, where hardly anything would remain."""
    middle = np.median(grey, axis=1, keepdims=True)
    first, last = (_busy(grey, middle[0]), _busy(grey, middle[-1])) if edge else (_busy(grey, middle),) * 2
    if first.size == 0 or last.size == 0 or last[-1] + 1 - first[0] < _KEPT * len(grey):
        return 0, len(grey)
    return int(first[0]), int(last[-1]) + 1


def _busy(grey: Grey, middle: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return np.flatnonzero((np.abs(grey - middle) <= _LIKE_EDGE).mean(axis=1) < _PLAIN_SHARE)
