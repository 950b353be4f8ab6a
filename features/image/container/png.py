"""PNG chunks: text, EXIF, XMP and C2PA, before and after the pixels, and chunks that someone appended after the end."""

import re

from features.image.container.parts import MAX_BODY, MAX_PARTS, MAX_STEPS, Container, Format, Part, PartKind, inflate, text_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW_PROFILE = re.compile(r"Raw profile type (exif|APP1|xmp|iptc|8bim)", re.IGNORECASE)
_NAME = re.compile(rb"[A-Za-z]{4}")
_LENGTH_FIELD = 8
_OVERHEAD = 12
_TEXT_FIELDS = 2
_HEADER_SIZE = 8


def read(data: bytes) -> Container:
    """Take a PNG apart. Chunks after IEND are kept as `late`."""
    parts: list[Part] = []
    problems: list[str] = []
    size: tuple[int, int] | None = None
    at, ended, steps = len(SIGNATURE), False, 0
    while at + _LENGTH_FIELD <= len(data) and steps < MAX_STEPS and len(parts) < MAX_PARTS:
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        start, steps = at + _LENGTH_FIELD, steps + 1
        if not _NAME.fullmatch(name):
            problems.append("trailing_bytes" if ended else "bad_chunk")
            parts.append(Part(PartKind.TRAILER, "png:trailer", data[at : at + 64], late=True))
            break
        if start + length > len(data):
            problems.append("truncated")
        if ended and "chunks_after_end" not in problems:
            problems.append("chunks_after_end")
        body = data[start : min(start + length, start + MAX_BODY, len(data))]
        if name == b"IHDR" and size is None and len(body) >= _HEADER_SIZE:
            size = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        parts.extend(_chunk(name, body, late=ended))
        ended = ended or name == b"IEND"
        at = start + length + 4
    if not ended and "truncated" not in problems:
        problems.append("truncated")
    return Container(Format.PNG, tuple(parts), tuple(problems), size)


def _chunk(name: bytes, body: bytes, *, late: bool) -> list[Part]:
    where = f"png:{name.decode('ascii')}"
    match name:
        case b"tEXt":
            keyword, _, text = body.partition(b"\x00")
            return _text(where, text_of(keyword), text, late=late)
        case b"zTXt":
            keyword, _, rest = body.partition(b"\x00")
            unpacked = inflate(rest[1:])
            return [] if unpacked is None else _text(where, text_of(keyword), unpacked, late=late)
        case b"iTXt":
            return _international(where, body, late=late)
        case b"eXIf":
            return [Part(PartKind.EXIF, where, body, late=late)]
        case b"caBX":
            return [Part(PartKind.C2PA, where, body, late=late)]
        case _:
            return []


def _international(where: str, body: bytes, *, late: bool) -> list[Part]:
    keyword, _, rest = body.partition(b"\x00")
    fields = rest[2:].split(b"\x00", _TEXT_FIELDS)
    if len(fields) <= _TEXT_FIELDS:
        return []
    text: bytes | None = fields[_TEXT_FIELDS]
    if rest[0]:
        text = inflate(fields[_TEXT_FIELDS])
    return [] if text is None else _text(where, text_of(keyword), text, late=late)


def _text(where: str, keyword: str, text: bytes, *, late: bool) -> list[Part]:
    if keyword == XMP_KEYWORD:
        return [Part(PartKind.XMP, where, text, late=late)]
    raw = _RAW_PROFILE.fullmatch(keyword)
    if raw is None:
        return [Part(PartKind.TEXT, where, text, keyword, late)]
    profile = _raw_profile(text)
    if profile is None:
        return []
    kind = {"exif": PartKind.EXIF, "app1": PartKind.EXIF, "xmp": PartKind.XMP}.get(raw.group(1).lower(), PartKind.IPTC)
    if profile.startswith(b"http://ns.adobe.com/xap/1.0/\x00"):
        kind, profile = PartKind.XMP, profile.partition(b"\x00")[2]
    return [Part(kind, where, profile.removeprefix(b"Exif\x00\x00"), late=late)]


def _raw_profile(text: bytes) -> bytes | None:
    """ImageMagick's form: a name line, a length line, then hexadecimal digits; null when it is not that."""
    fields = text.strip().split(None, 2)
    if len(fields) <= _TEXT_FIELDS or not fields[1].isdigit():
        return None
    try:
        return bytes.fromhex(fields[2].decode("ascii"))
    except ValueError:
        return None
