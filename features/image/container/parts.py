"""What a container parser hands on: the metadata parts of a file, found by structure alone, and what was wrong with the structure.

All lengths in a file are an attacker's: every parser clamps them to the bytes that are there and to the limits below.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum

MAX_PARTS = 4096
"""Parts kept of one file; real files have tens."""
MAX_STEPS = 200_000
"""Chunks, segments or boxes walked in one file, pixels included."""
MAX_BODY = 4 << 20
"""Bytes kept of one part."""
MAX_INFLATED = 4 << 20
"""Bytes that one compressed text may unpack to."""
MAX_DEPTH = 8
"""Boxes within boxes."""


class Format(StrEnum):
    """What the first bytes say the file is; a file name is never asked."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    HEIC = "heic"
    GIF = "gif"
    TIFF = "tiff"
    BMP = "bmp"
    MP4 = "mp4"
    MATROSKA = "matroska"
    AVI = "avi"
    FLV = "flv"
    UNKNOWN = "unknown"


IMAGES = frozenset({Format.JPEG, Format.PNG, Format.WEBP, Format.AVIF, Format.HEIC, Format.GIF, Format.TIFF, Format.BMP})
VIDEOS = frozenset({Format.MP4, Format.MATROSKA, Format.AVI, Format.FLV})


class PartKind(StrEnum):
    """What a part holds."""

    EXIF = "exif"  # a TIFF structure
    XMP = "xmp"  # an XML packet
    IPTC = "iptc"  # a Photoshop resource block or bare IIM records
    TEXT = "text"  # name and text: PNG text, JPEG comment, a container's tag
    APP = "app"  # a JPEG application segment of no other kind
    C2PA = "c2pa"  # a JUMBF store of C2PA
    SAMSUNG = "samsung"  # a named block of Samsung's trailer
    TRAILER = "trailer"  # bytes after the end that are no structure we know; body is their first bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One metadata part. `late`: it stands after the file's own end, where no honest writer puts it."""

    kind: PartKind
    where: str
    body: bytes
    name: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class JpegFacts:
    """How a JPEG was coded: tables in zigzag order by id, sampling factors by component, and the order of its segments."""

    tables: tuple[tuple[int, tuple[int, ...]], ...] = ()
    sampling: tuple[tuple[int, int], ...] = ()
    progressive: bool = False
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """A file taken apart: `problems` are words such as truncated or bad_length, `size` is (width, height) where the structure says it."""

    format: Format
    parts: tuple[Part, ...] = ()
    problems: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    jpeg: JpegFacts | None = None

    def of_kind(self, kind: PartKind) -> tuple[Part, ...]:
        """The parts of one kind, in file order."""
        return tuple(part for part in self.parts if part.kind is kind)


def inflate(data: bytes, limit: int = MAX_INFLATED) -> bytes | None:
    """Unpack a zlib stream up to `limit` bytes; null when it is broken or longer than that."""
    unpacker = zlib.decompressobj()
    try:
        out = unpacker.decompress(data, limit)
    except zlib.error:
        return None
    return out if not unpacker.unconsumed_tail else None


def text_of(data: bytes) -> str:
    """Text whose coding the file does not say: UTF-8 where it is valid, else Latin-1; NULs at the ends go."""
    try:
        return data.decode("utf-8").strip("\x00")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\x00")
