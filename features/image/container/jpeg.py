"""JPEG segments: application data, comments, coding tables, what follows the end, and Samsung's trailer."""

import re
from dataclasses import dataclass, field

from features.image.container.parts import MAX_BODY, MAX_PARTS, MAX_STEPS, Container, Format, JpegFacts, Part, PartKind
from features.image.container.samsung import trailer

_SOI, _EOI, _SOS, _DQT, _COM, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xFE, 0xDD
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_APP0, _APP1, _APP11, _APP13, _APP15 = 0xE0, 0xE1, 0xEB, 0xED, 0xEF
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_NEXT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
_MORE_XMP_HEAD = len(_MORE_XMP) + 40
_JUMBF_HEAD = 8
_TABLE = 64
_PLAIN_TRAILERS = (b"\xff\xd8\xff", b"ftyp")


@dataclass
class _Found:
    """What the walk gathered so far."""

    parts: list[Part] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    sampling: tuple[tuple[int, int], ...] = ()
    progressive: bool = False
    size: tuple[int, int] | None = None
    jumbf: dict[bytes, bytearray] = field(default_factory=dict)
    more_xmp: bytearray = field(default_factory=bytearray)


def read(data: bytes) -> Container:
    """Take a JPEG apart. Segments after the end marker are kept as `late`; a second picture or film behind it is no problem."""
    found = _Found()
    end = _walk(data, 2, found, late=False)
    if found.more_xmp:
        found.parts.append(Part(PartKind.XMP, "jpeg:APP1 extended", bytes(found.more_xmp)))
    for store in found.jumbf.values():
        if store[4:8] == b"jumb" and b"c2pa" in store[16:48]:
            found.parts.append(Part(PartKind.C2PA, "jpeg:APP11", bytes(store[:MAX_BODY])))
    if end is None:
        found.problems.append("truncated")
    elif end < len(data):
        _after_the_end(data, end, found)
    facts = JpegFacts(tuple(sorted(found.tables.items())), found.sampling, found.progressive, tuple(found.segments))
    return Container(Format.JPEG, tuple(found.parts), tuple(found.problems), found.size, facts)


def _walk(data: bytes, at: int, found: _Found, *, late: bool) -> int | None:
    """Walk the segments from `at`; the place behind the end marker, or null where the file stops before it."""
    for _ in range(MAX_STEPS):
        while at + 1 < len(data) and data[at] == 0xFF and data[at + 1] == 0xFF:  # noqa: PLR2004  # fill bytes
            at += 1
        if at + 2 > len(data) or data[at] != 0xFF or len(found.parts) >= MAX_PARTS:  # noqa: PLR2004  # every marker starts so
            return None
        marker = data[at + 1]
        if marker == _EOI:
            return at + 2
        if marker in _STANDALONE or marker == _SOI:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):  # noqa: PLR2004  # the length counts its own two bytes
            found.problems.append("bad_length")
            return None
        _segment(marker, data[at + 4 : at + 2 + length], found, late=late)
        at += 2 + length
        if marker == _SOS:
            following = _NEXT_MARKER.search(data, at)
            if following is None:
                return None
            at = following.start()
    return None


def _segment(marker: int, body: bytes, found: _Found, *, late: bool) -> None:
    name = f"APP{marker - _APP0}" if _APP0 <= marker <= _APP15 else {_COM: "COM", _DQT: "DQT", _SOS: "SOS", _DRI: "DRI"}.get(marker, f"{marker:02X}")
    if not late:
        found.segments.append(name)
    if _APP0 <= marker <= _APP15:
        _application(marker, f"jpeg:{name}", body, found, late=late)
    elif marker == _COM:
        found.parts.append(Part(PartKind.TEXT, "jpeg:COM", body, "comment", late))
    elif marker == _DQT and not late:
        _tables(body, found)
    elif marker in _FRAMES and found.size is None and len(body) >= 6:  # noqa: PLR2004  # precision, height, width, components
        found.size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        found.progressive = marker in _PROGRESSIVE
        factors = [body[7 + 3 * index] for index in range(body[5]) if 7 + 3 * index < len(body)]
        found.sampling = tuple((factor >> 4, factor & 15) for factor in factors)


def _application(marker: int, where: str, body: bytes, found: _Found, *, late: bool) -> None:
    if marker == _APP1 and body.startswith(b"Exif\x00"):
        found.parts.append(Part(PartKind.EXIF, where, body[6:], late=late))
    elif marker == _APP1 and body.startswith(_XMP):
        found.parts.append(Part(PartKind.XMP, where, body[len(_XMP) :], late=late))
    elif marker == _APP1 and body.startswith(_MORE_XMP):
        if len(found.more_xmp) < MAX_BODY:
            found.more_xmp += body[_MORE_XMP_HEAD:]
    elif marker == _APP11 and body.startswith(b"JP") and len(body) > _JUMBF_HEAD:
        _jumbf(body, found)
    elif marker == _APP13 and body.startswith(b"Photoshop 3.0\x00"):
        found.parts.append(Part(PartKind.IPTC, where, body[14:], late=late))
    else:
        found.parts.append(Part(PartKind.APP, where, body, late=late))


def _jumbf(body: bytes, found: _Found) -> None:
    """Join the pieces of one JUMBF box; every piece after the first repeats the box's eight-byte head."""
    key = body[2:4] + body[8:16]
    if key not in found.jumbf:
        found.jumbf[key] = bytearray(body[_JUMBF_HEAD:])
    elif len(found.jumbf[key]) < 16 * MAX_BODY:
        found.jumbf[key] += body[_JUMBF_HEAD + 8 :]


def _tables(body: bytes, found: _Found) -> None:
    at = 0
    while at < len(body):
        wide, index = body[at] >> 4, body[at] & 15
        step = 2 if wide else 1
        values = body[at + 1 : at + 1 + _TABLE * step]
        if len(values) < _TABLE * step:
            found.problems.append("bad_table")
            return
        found.tables[index] = tuple(int.from_bytes(values[place : place + step], "big") for place in range(0, len(values), step))
        at += 1 + _TABLE * step


def _after_the_end(data: bytes, end: int, found: _Found) -> None:
    blocks = trailer(data, end)
    if blocks:
        found.parts.extend(blocks)
        return
    rest = data[end : end + 64]
    if rest[:1] == b"\xff" and rest[1:2] not in (b"\xd8", b"") and _APP0 <= rest[1] <= _COM:
        found.problems.append("segments_after_end")
        _walk(data, end, found, late=True)
    elif not rest.strip(b"\x00") or rest.startswith(_PLAIN_TRAILERS[0]) or rest[4:8] == _PLAIN_TRAILERS[1]:
        return  # padding, a second picture (gain map, preview) or a motion photo's film
    else:
        found.problems.append("trailing_bytes")
        found.parts.append(Part(PartKind.TRAILER, "jpeg:trailer", rest, late=True))
