"""Boxes of ISO base media files, walked within the bytes that are there."""

from collections.abc import Iterator
from dataclasses import dataclass

from features.image.container.parts import MAX_STEPS


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its name, where its content starts and ends. `end` may lie behind the file where the box lies about its length."""

    name: bytes
    start: int
    end: int
    uuid: bytes = b""

    def body(self, data: bytes, most: int) -> bytes:
        """The content, at most that many bytes."""
        return data[self.start : min(self.end, self.start + most)]


def boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """The boxes between two places of a file."""
    for _ in range(MAX_STEPS):
        if at + 8 > end:
            return
        length, name, start = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        elif length == 0:
            length = end - at
        if length < start - at:
            return
        uuid = data[start : start + 16] if name == b"uuid" else b""
        yield Box(name, start + len(uuid), at + length, uuid)
        at += length
