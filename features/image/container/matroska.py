"""Matroska and WebM: the names and texts of Segment.Tags.Tag.SimpleTag, and the writing programme."""

from collections.abc import Iterator

from features.image.container.parts import MAX_BODY, MAX_DEPTH, MAX_PARTS, MAX_STEPS, Container, Format, Part, PartKind, text_of

_SEGMENT, _TAGS, _TAG, _SIMPLE, _INFO = 0x18538067, 0x1254C367, 0x7373, 0x67C8, 0x1549A966
_NAME, _STRING, _WRITER = 0x45A3, 0x4487, 0x5741
_NESTED = frozenset({_SEGMENT, _TAGS, _TAG, _INFO})
_LONGEST = 8


def read(data: bytes) -> Container:
    """Take a Matroska file's tags out."""
    return Container(Format.MATROSKA, tuple(_visit(data, 0, len(data), 0))[:MAX_PARTS])


def _visit(data: bytes, at: int, end: int, depth: int) -> Iterator[Part]:
    if depth > MAX_DEPTH:
        return
    for name, start, stop in _elements(data, at, end):
        if name in _NESTED:
            yield from _visit(data, start, stop, depth + 1)
        elif name == _SIMPLE:
            fields = {inner: data[first : min(last, first + MAX_BODY)] for inner, first, last in _elements(data, start, stop)}
            if _NAME in fields and _STRING in fields:
                yield Part(PartKind.TEXT, "matroska:SimpleTag", fields[_STRING], text_of(fields[_NAME]))
        elif name == _WRITER:
            yield Part(PartKind.TEXT, "matroska:Info", data[start : min(stop, start + MAX_BODY)], "WritingApp")


def _elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Name, start and stop of each element; one of unknown length reaches to `end`."""
    for _ in range(MAX_STEPS):
        if at + 2 > end:
            return
        name, at_size = _number(data, at, keep=True)
        length, start = _number(data, at_size, keep=False)
        if name is None or start > end:
            return
        stop = end if length is None else min(start + length, end)
        yield name, start, stop
        at = stop


def _number(data: bytes, at: int, *, keep: bool) -> tuple[int | None, int]:
    """An EBML number and the place behind it; null where all its bits are ones (unknown) or there is none."""
    first = data[at] if at < len(data) else 0
    long = 9 - first.bit_length()
    if long > _LONGEST or at + long > len(data):
        return None, len(data) + 1
    value = int.from_bytes(data[at : at + long], "big")
    if keep:
        return value, at + long
    value &= (1 << 7 * long) - 1
    return (None if value == (1 << 7 * long) - 1 else value), at + long
