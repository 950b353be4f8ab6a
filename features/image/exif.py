"""EXIF: the directories of a TIFF structure, bounded; only the tags that a signal asks for are turned into values."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from features.image.container.parts import text_of

Value: TypeAlias = str | bytes | tuple[float, ...]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
_ASCII, _UNDEFINED, _RATIONAL, _SIGNED_RATIONAL = 2, 7, 5, 10
_MAX_ENTRIES = 512
_MAX_DIRECTORIES = 8
_MAX_NUMBERS = 64
_MAX_TEXT = 1 << 20

TAGS: Mapping[int, str] = {
    0x0100: "ImageWidth",
    0x0101: "ImageLength",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x011A: "XResolution",
    0x0128: "ResolutionUnit",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x013C: "HostComputer",
    0x0201: "ThumbnailOffset",
    0x0202: "ThumbnailLength",
    0x02BC: "XMP",
    0x8298: "Copyright",
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8827: "ISO",
    0x83BB: "IPTC",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9010: "OffsetTime",
    0x9011: "OffsetTimeOriginal",
    0x920A: "FocalLength",
    0x927C: "MakerNote",
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
    0xA002: "PixelXDimension",
    0xA003: "PixelYDimension",
    0xA300: "FileSource",
    0xA433: "LensMake",
    0xA434: "LensModel",
}
GPS_TAGS: Mapping[int, str] = {1: "GPSLatitudeRef", 2: "GPSLatitude", 3: "GPSLongitudeRef", 4: "GPSLongitude", 7: "GPSTimeStamp", 29: "GPSDateStamp"}
_POINTERS = {0x8769: "exif", 0x8825: "gps"}


@dataclass(frozen=True, slots=True)
class Exif:
    """The known tags of a picture by name, without those of its thumbnail. `entries` counts all tags, known or not."""

    tags: Mapping[str, Value] = field(default_factory=dict)
    thumbnail: bytes | None = None
    entries: int = 0
    broken: bool = False

    def text(self, name: str) -> str | None:
        """A tag as text, stripped; null when absent, empty or no text."""
        value = self.tags.get(name)
        return (value.strip() or None) if isinstance(value, str) else None

    def number(self, name: str) -> float | None:
        """A tag's first number; null when absent or no number."""
        value = self.tags.get(name)
        return value[0] if isinstance(value, tuple) and value else None


def read_exif(data: bytes) -> Exif:
    """Read a TIFF structure (an EXIF part, or a TIFF file). Never raises: a broken structure gives what could be read and `broken`."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:  # noqa: PLR2004  # the head of a TIFF structure
        return Exif(broken=True)
    walk = _Walk(data, order)
    walk.chain(struct.unpack(order + "I", data[4:8])[0])
    return Exif(walk.main, walk.thumbnail(), walk.entries, walk.broken)


class _Walk:
    """One bounded walk over the directories; each place is visited once."""

    def __init__(self, data: bytes, order: str) -> None:
        self.data, self.order = data, order
        self.main: dict[str, Value] = {}
        self.second: dict[str, Value] = {}
        self.entries, self.broken = 0, False
        self.seen: set[int] = set()

    def chain(self, at: int) -> None:
        following = self.directory(at, self.main, TAGS)
        if following:
            self.directory(following, self.second, TAGS)

    def directory(self, at: int, into: dict[str, Value], names: Mapping[int, str]) -> int:
        """Read one directory; the place of the next, or 0."""
        if at in self.seen or len(self.seen) >= _MAX_DIRECTORIES or at + 2 > len(self.data):
            self.broken = self.broken or at != 0
            return 0
        self.seen.add(at)
        count = struct.unpack_from(self.order + "H", self.data, at)[0]
        for index in range(min(count, _MAX_ENTRIES)):
            place = at + 2 + 12 * index
            if place + 12 > len(self.data):
                self.broken = True
                return 0
            tag, kind, number = struct.unpack_from(self.order + "HHI", self.data, place)
            self.entries += 1
            self.entry(tag, kind, number, place + 8, into, names)
        after = at + 2 + 12 * count
        return int(struct.unpack_from(self.order + "I", self.data, after)[0]) if after + 4 <= len(self.data) else 0

    def entry(self, tag: int, kind: int, number: int, place: int, into: dict[str, Value], names: Mapping[int, str]) -> None:
        if tag in _POINTERS and names is TAGS and into is self.main:
            pointer = int(struct.unpack_from(self.order + "I", self.data, place)[0])
            self.directory(pointer, into, TAGS if _POINTERS[tag] == "exif" else GPS_TAGS)
            return
        if tag not in names or kind not in _SIZES or names[tag] in into:
            return
        size = _SIZES[kind] * number
        start = place if size <= 4 else int(struct.unpack_from(self.order + "I", self.data, place)[0])  # noqa: PLR2004  # short values stand in the entry
        if start + size > len(self.data):
            self.broken = True
            return
        into[names[tag]] = _value(names[tag], kind, self.data[start : start + min(size, _MAX_TEXT)], self.order)

    def thumbnail(self) -> bytes | None:
        start, length = self.second.get("ThumbnailOffset"), self.second.get("ThumbnailLength")
        if not (isinstance(start, tuple) and isinstance(length, tuple) and start and length):
            return None
        found = self.data[int(start[0]) : int(start[0]) + min(int(length[0]), _MAX_TEXT)]
        return found if found.startswith(b"\xff\xd8") else None


def _value(name: str, kind: int, raw: bytes, order: str) -> Value:
    if name == "UserComment":
        return _comment(raw, order)
    if name.startswith("XP"):
        return raw.decode("utf-16-le", "replace").strip("\x00")
    if kind == _ASCII:
        return text_of(raw).split("\x00")[0] if name in {"Make", "Model", "Software"} else text_of(raw)
    if name in {"XMP", "IPTC", "MakerNote"} or kind == _UNDEFINED:
        return raw
    if kind in (_RATIONAL, _SIGNED_RATIONAL):
        code = "I" if kind == _RATIONAL else "i"
        pairs = struct.unpack(f"{order}{len(raw) // 8 * 2}{code}", raw[: len(raw) // 8 * 8])[: 2 * _MAX_NUMBERS]
        return tuple(above / below if below else float("nan") for above, below in zip(pairs[::2], pairs[1::2], strict=True))
    count = min(len(raw) // _SIZES[kind], _MAX_NUMBERS)
    return tuple(float(number) for number in struct.unpack(f"{order}{count}{_CODES[kind]}", raw[: count * _SIZES[kind]]))


def _comment(raw: bytes, order: str) -> str:
    """UserComment: eight bytes name the coding, but many writers leave them out."""
    head, body = raw[:8], raw[8:]
    if head == b"UNICODE\x00":
        return _utf16(body, order)
    if head in (b"ASCII\x00\x00\x00", b"\x00" * 8):
        return text_of(body)
    return text_of(raw)


def _utf16(body: bytes, order: str) -> str:
    """UTF-16 of the stated order unless its zero bytes speak for the other."""
    even, odd = body[0::2].count(0), body[1::2].count(0)
    coding = ("utf-16-be" if even > odd else "utf-16-le") if even != odd else ("utf-16-be" if order == ">" else "utf-16-le")
    return body.decode(coding, "replace").lstrip("\ufeff").strip("\x00")
