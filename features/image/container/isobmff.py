"""ISO base media boxes (HEIC, AVIF, MP4, MOV): items of EXIF and XMP, C2PA and XMP boxes, and the film's tags."""

from collections.abc import Iterator

from features.image.container.boxes import Box, boxes
from features.image.container.items import read_items
from features.image.container.parts import MAX_BODY, MAX_DEPTH, MAX_PARTS, Container, Format, Part, PartKind, text_of

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_NESTED = frozenset({b"moov", b"udta", b"trak", b"ilst"})


def read(data: bytes) -> Container:
    """Take a file of boxes apart."""
    parts: list[Part] = []
    top = list(boxes(data, 0, len(data)))
    problems = ["truncated"] if top and top[-1].end > len(data) else []
    sizes: list[tuple[int, int]] = []
    for box in top:
        _visit(data, box, parts, sizes, 0)
    return Container(_format(data, top), tuple(parts[:MAX_PARTS]), tuple(problems), max(sizes, default=None))


def _format(data: bytes, top: list[Box]) -> Format:
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


def _visit(data: bytes, box: Box, parts: list[Part], sizes: list[tuple[int, int]], depth: int) -> None:
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
        for inner in boxes(data, box.start, end):
            _visit(data, inner, parts, sizes, depth + 1)


def _meta(data: bytes, box: Box, parts: list[Part], sizes: list[tuple[int, int]]) -> None:
    """Read a meta box, full (ISO) or plain (QuickTime)."""
    start = box.start if data[box.start + 4 : box.start + 8] == b"hdlr" else box.start + 4
    inner = {found.name: found for found in boxes(data, start, min(box.end, len(data)))}
    if b"keys" in inner and b"ilst" in inner:
        parts.extend(_tags(data, inner[b"keys"], inner[b"ilst"]))
    elif b"ilst" in inner:
        parts.extend(_named_tags(data, inner[b"ilst"]))
    if b"iinf" in inner and b"iloc" in inner:
        parts.extend(_items(data, box))
    if b"iprp" in inner:
        for properties in boxes(data, inner[b"iprp"].start, inner[b"iprp"].end):
            sizes.extend(
                (int.from_bytes(data[found.start + 4 : found.start + 8], "big"), int.from_bytes(data[found.start + 8 : found.start + 12], "big"))
                for found in boxes(data, properties.start, properties.end)
                if found.name == b"ispe"
            )


def _tags(data: bytes, keys: Box, values: Box) -> Iterator[Part]:
    """Apple's key list: the n-th key names the values in box n."""
    names = [text_of(data[found.start : found.end]) for found in boxes(data, keys.start + 8, keys.end)]
    for box in boxes(data, values.start, values.end):
        number = int.from_bytes(box.name, "big")
        if 1 <= number <= len(names):
            yield from _values(data, box, names[number - 1])


def _named_tags(data: bytes, values: Box) -> Iterator[Part]:
    for box in boxes(data, values.start, values.end):
        yield from _values(data, box, box.name.decode("latin-1"))


def _values(data: bytes, box: Box, name: str) -> Iterator[Part]:
    for found in boxes(data, box.start, min(box.end, len(data))):
        if found.name == b"data":
            body = data[found.start + 8 : min(found.end, found.start + MAX_BODY, len(data))]
            yield Part(PartKind.TEXT, "bmff:ilst", body, name)


def _items(data: bytes, meta: Box) -> Iterator[Part]:
    found = read_items(data, meta)
    for item in found.items.values():
        xmp = item.kind == b"mime" and b"application/rdf+xml" in item.rest.split(b"\x00")
        content = found.content(data, item.number, MAX_BODY) if xmp or item.kind == b"Exif" else None
        if content is not None and xmp:
            yield Part(PartKind.XMP, "bmff:XMP", content)
        elif content is not None:
            content = content[4 + int.from_bytes(content[:4], "big") :]
            yield Part(PartKind.EXIF, "bmff:Exif", content.removeprefix(b"Exif\x00\x00"))
