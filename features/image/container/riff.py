"""RIFF chunks: WebP's EXIF, XMP and C2PA, which stand behind the pixels, and AVI's INFO list."""

from features.image.container.parts import MAX_BODY, MAX_PARTS, MAX_STEPS, Container, Format, Part, PartKind, text_of

_HEAD = 12
_CHUNK = 8
_CANVAS = 10


def read(data: bytes) -> Container:
    """Take a WebP or AVI file apart. Chunks behind the length that the file itself states are `late`."""
    webp = data[8:12] == b"WEBP"
    end = 8 + int.from_bytes(data[4:8], "little")
    problems = ["truncated"] if end > len(data) else []
    parts: list[Part] = []
    size = _walk(data, _HEAD, min(end, len(data)), parts, webp=webp, late=False)
    if webp and end < len(data):
        problems.append("trailing_bytes")
        _walk(data, end, len(data), parts, webp=True, late=True)
        parts.append(Part(PartKind.TRAILER, "webp:trailer", data[end : end + 64], late=True))
    return Container(Format.WEBP if webp else Format.AVI, tuple(parts), tuple(problems), size)


def _walk(data: bytes, at: int, end: int, parts: list[Part], *, webp: bool, late: bool) -> tuple[int, int] | None:
    size: tuple[int, int] | None = None
    for _ in range(MAX_STEPS):
        if at + _CHUNK > end or len(parts) >= MAX_PARTS:
            break
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        start = at + _CHUNK
        body = data[start : min(start + length, start + MAX_BODY, end)]
        if webp:
            size = size or _canvas(name, body)
            parts.extend(_webp_chunk(name, body, late=late))
        elif name == b"LIST" and body[:4] == b"INFO":
            parts.extend(_info(body[4:]))
        at = start + length + length % 2
    return size


def _canvas(name: bytes, body: bytes) -> tuple[int, int] | None:
    if name == b"VP8X" and len(body) >= _CANVAS:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if name == b"VP8 " and len(body) >= _CANVAS and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if name == b"VP8L" and len(body) >= _CANVAS // 2:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None


def _webp_chunk(name: bytes, body: bytes, *, late: bool) -> list[Part]:
    match name:
        case b"EXIF":
            return [Part(PartKind.EXIF, "webp:EXIF", body.removeprefix(b"Exif\x00\x00"), late=late)]
        case b"XMP ":
            return [Part(PartKind.XMP, "webp:XMP", body, late=late)]
        case b"C2PA":
            return [Part(PartKind.C2PA, "webp:C2PA", body, late=late)]
        case _:
            return []


def _info(body: bytes) -> list[Part]:
    parts: list[Part] = []
    at = 0
    while at + _CHUNK <= len(body) and len(parts) < MAX_PARTS:
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        text = body[at + _CHUNK : at + _CHUNK + length]
        parts.append(Part(PartKind.TEXT, "avi:INFO", text, text_of(body[at : at + 4])))
        at += _CHUNK + length + length % 2
    return parts
