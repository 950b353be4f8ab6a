"""ISO base media boxes (HEIC, AVIF, MP4, MOV): items of EXIF and XMP, C2PA and XMP boxes, and the film's tags."""

from collections.abc import Iterator
from dataclasses import dataclass

from features.image.container.parts import MAX_BODY, MAX_DEPTH, MAX_PARTS, MAX_STEPS, Container, Format, Part, PartKind, text_of

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_MAX_ITEMS = 512
_NESTED = frozenset({b"moov", b"udta", b"trak", b"ilst"})


@dataclass(frozen=True, slots=True)
class _Box:
    name: bytes
    start: int
    end: int
    uuid: bytes = b""


def read(data: bytes) -> Container:
    """Take a file of boxes apart."""
    parts: list[Part] = []
    top = list(_boxes(data, 0, len(data)))
    problems = ["truncated"] if top and top[-1].end > len(data) else []
    sizes: list[tuple[int, int]] = []
    for box in top:
        _visit(data, box, parts, sizes, 0)
    return Container(_format(data, top), tuple(parts[:MAX_PARTS]), tuple(problems), max(sizes, default=None))


def _format(data: bytes, top: list[_Box]) -> Format:
    box = next((box for box in top if box.name == b"ftyp"), None)
    if box is None:
        return Format.MP4
    body = data[box.start : min(box.end, box.start + 256)]
    brands = {body[:4], *(body[at : at + 4] for at in range(8, len(body), 4))}
    if brands & _AVIF_BRANDS:
        return Format.AVIF
    if body[:4] in _HEIC_BRANDS or brands & {b"heic", b"heix"}:
        return Format.HEIC
    return Format.MP4


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    """The boxes between two places; lengths are clamped to `end` but for the first box that lies (its end shows it)."""
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
        yield _Box(name, start + len(uuid), at + length, uuid)
        at += length


def _visit(data: bytes, box: _Box, parts: list[Part], sizes: list[tuple[int, int]], depth: int) -> None:
    end = min(box.end, len(data))
    if depth > MAX_DEPTH or len(parts) >= MAX_PARTS:
        return
    if box.name == b"uuid":
        kind = {_C2PA: PartKind.C2PA, _XMP: PartKind.XMP}.get(box.uuid)
        if kind is not None:
            parts.append(Part(kind, "bmff:uuid", data[box.start : min(end, box.start + MAX_BODY)]))
    elif box.name == b"meta":
        _meta(data, box, parts, sizes)
    elif box.name == b"tkhd" and end - box.start >= 84:  # noqa: PLR2004  # the shortest track header
        sizes.append((int.from_bytes(data[end - 8 : end - 6], "big"), int.from_bytes(data[end - 4 : end - 2], "big")))
    elif box.name[:1] == b"\xa9" and depth:
        parts.append(Part(PartKind.TEXT, "bmff:udta", data[box.start + 4 : min(end, box.start + MAX_BODY)], box.name.decode("latin-1")))
    elif box.name in _NESTED:
        for inner in _boxes(data, box.start, end):
            _visit(data, inner, parts, sizes, depth + 1)


def _meta(data: bytes, box: _Box, parts: list[Part], sizes: list[tuple[int, int]]) -> None:
    """Read a meta box, full (ISO) or plain (QuickTime)."""
    start = box.start if data[box.start + 4 : box.start + 8] == b"hdlr" else box.start + 4
    inner = {found.name: found for found in _boxes(data, start, min(box.end, len(data)))}
    if b"keys" in inner and b"ilst" in inner:
        parts.extend(_tags(data, inner[b"keys"], inner[b"ilst"]))
    elif b"ilst" in inner:
        parts.extend(_named_tags(data, inner[b"ilst"]))
    if b"iinf" in inner and b"iloc" in inner:
        parts.extend(_items(data, inner[b"iinf"], inner[b"iloc"]))
    if b"iprp" in inner:
        for properties in _boxes(data, inner[b"iprp"].start, inner[b"iprp"].end):
            sizes.extend(
                (int.from_bytes(data[found.start + 4 : found.start + 8], "big"), int.from_bytes(data[found.start + 8 : found.start + 12], "big"))
                for found in _boxes(data, properties.start, properties.end)
                if found.name == b"ispe"
            )


def _tags(data: bytes, keys: _Box, values: _Box) -> Iterator[Part]:
    """Apple's key list: the n-th key names the values in box n."""
    names = [text_of(data[found.start : found.end]) for found in _boxes(data, keys.start + 8, keys.end)]
    for box in _boxes(data, values.start, values.end):
        number = int.from_bytes(box.name, "big")
        if 1 <= number <= len(names):
            yield from _values(data, box, names[number - 1])


def _named_tags(data: bytes, values: _Box) -> Iterator[Part]:
    for box in _boxes(data, values.start, values.end):
        yield from _values(data, box, box.name.decode("latin-1"))


def _values(data: bytes, box: _Box, name: str) -> Iterator[Part]:
    for found in _boxes(data, box.start, min(box.end, len(data))):
        if found.name == b"data":
            body = data[found.start + 8 : min(found.end, found.start + MAX_BODY, len(data))]
            yield Part(PartKind.TEXT, "bmff:ilst", body, name)


def _items(data: bytes, info: _Box, places: _Box) -> Iterator[Part]:
    wide = data[info.start] != 0
    for box in list(_boxes(data, info.start + (8 if wide else 6), info.end))[:_MAX_ITEMS]:
        body = data[box.start : min(box.end, box.start + 512)]
        if box.name != b"infe" or body[:1] not in (b"\x02", b"\x03"):
            continue
        at = 6 if body[0] == 2 else 8  # noqa: PLR2004  # version 3 has wider item numbers
        number, kind, rest = int.from_bytes(body[4:at], "big"), body[at + 2 : at + 6], body[at + 6 :]
        xmp = kind == b"mime" and b"application/rdf+xml" in rest.split(b"\x00")
        if kind != b"Exif" and not xmp:
            continue
        content = _item(data, places, number)
        if kind == b"Exif" and content is not None:
            content = content[4 + int.from_bytes(content[:4], "big") :]
            yield Part(PartKind.EXIF, "bmff:Exif", content.removeprefix(b"Exif\x00\x00"))
        elif content is not None:
            yield Part(PartKind.XMP, "bmff:XMP", content)


def _item(data: bytes, places: _Box, number: int) -> bytes | None:
    """The first extent of an item stored in the file itself; null where it is not."""
    body = data[places.start : min(places.end, places.start + MAX_BODY)]
    if len(body) < 8:  # noqa: PLR2004  # version, widths, count
        return None
    version, offset_size, length_size, base_size = body[0], body[4] >> 4, body[4] & 15, body[5] >> 4
    index_size = body[5] & 15 if version else 0
    id_size = 4 if version == 2 else 2  # noqa: PLR2004  # version 2 has wider item numbers
    at = 6 + id_size
    for _ in range(min(int.from_bytes(body[6:at], "big"), _MAX_ITEMS)):
        found = int.from_bytes(body[at : at + id_size], "big")
        at += id_size
        method = int.from_bytes(body[at : at + 2], "big") & 15 if version else 0
        at += 4 if version else 2
        base = int.from_bytes(body[at : at + base_size], "big")
        at += base_size
        extents = int.from_bytes(body[at : at + 2], "big")
        at += 2
        if found == number and method == 0 and extents:
            at += index_size
            offset = base + int.from_bytes(body[at : at + offset_size], "big")
            length = int.from_bytes(body[at + offset_size : at + offset_size + length_size], "big")
            return data[offset : offset + min(length, MAX_BODY)]
        at += extents * (index_size + offset_size + length_size)
    return None
