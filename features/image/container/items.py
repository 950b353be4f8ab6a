"""Items of HEIC and AVIF files: what each is, where its bytes lie, what it is made of and how it is to be turned; bounded, never raising."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from features.image.container.boxes import Box, boxes
from features.image.container.parts import MAX_BODY

MAX_ITEMS = 2048
"""Items, references and properties kept of one file; a 48-megapixel phone photo has some two hundred tiles."""
MAX_ITEM = 64 << 20
_IN_FILE, _IN_IDAT = 0, 1
_TURNED = {0: 1, 1: 8, 2: 3, 3: 6}
_TURNED_AND_MIRRORED = {(0, 0): 4, (0, 1): 2, (1, 0): 5, (1, 1): 7, (2, 0): 2, (2, 1): 4, (3, 0): 7, (3, 1): 5}


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its kind (hvc1, grid, Exif, mime), what follows its name, and its properties by name in the file's order."""

    number: int
    kind: bytes
    rest: bytes = b""
    properties: tuple[tuple[bytes, bytes], ...] = ()

    def value(self, name: bytes) -> bytes | None:
        """The first property of that name; null where there is none."""
        return next((body for found, body in self.properties if found == name), None)

    @property
    def orientation(self) -> int:
        """The turn and mirror that the file asks for, as the EXIF number 1 to 8."""
        angle = (self.value(b"irot") or b"\x00")[0] & 3
        mirror = self.value(b"imir")
        return _TURNED[angle] if not mirror else _TURNED_AND_MIRRORED[angle, mirror[0] & 1]


@dataclass(frozen=True, slots=True)
class Items:
    """All items of one meta box by number; `primary` is the picture's, null where the file names none."""

    items: Mapping[int, Item] = field(default_factory=dict)
    primary: Item | None = None
    _places: Mapping[int, tuple[int, tuple[tuple[int, int], ...]]] = field(default_factory=dict)
    _parts: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    _idat: tuple[int, int] = (0, 0)

    def content(self, data: bytes, number: int, most: int = MAX_ITEM) -> bytes | None:
        """The item's bytes, its extents joined, at most that many; null where they are not in the file."""
        place = self._places.get(number)
        if place is None or place[0] not in (_IN_FILE, _IN_IDAT):
            return None
        base, end = self._idat if place[0] == _IN_IDAT else (0, len(data))
        pieces, room = [], most
        for offset, length in place[1]:
            start = min(base + offset, end)
            piece = data[start : min(start + (length or end - start), end, start + room)]
            pieces.append(piece)
            room -= len(piece)
        return b"".join(pieces)

    def made_of(self, number: int) -> tuple[int, ...]:
        """The items of which a derived one (a grid) is made, in order."""
        return self._parts.get(number, ())


def find_items(data: bytes) -> Items:
    """The items of a file's first meta box; none where it has none."""
    box = next((found for found in boxes(data, 0, len(data)) if found.name == b"meta"), None)
    return Items() if box is None else read_items(data, box)


def read_items(data: bytes, meta: Box) -> Items:
    """The items of a meta box (a full one, as items demand)."""
    inner = {found.name: found for found in boxes(data, meta.start + 4, min(meta.end, len(data)))}
    if b"iinf" not in inner or b"iloc" not in inner:
        return Items()
    properties = _properties(data, inner[b"iprp"]) if b"iprp" in inner else {}
    items = {number: Item(number, kind, rest, properties.get(number, ())) for number, kind, rest in _infos(data, inner[b"iinf"])}
    places = dict(_places(inner[b"iloc"].body(data, MAX_BODY)))
    parts = dict(_references(data, inner[b"iref"])) if b"iref" in inner else {}
    idat = inner.get(b"idat")
    return Items(
        items, items.get(_primary(data, inner.get(b"pitm"))), places, parts, (0, 0) if idat is None else (idat.start, min(idat.end, len(data)))
    )


def _primary(data: bytes, box: Box | None) -> int:
    body = b"\x00" if box is None else box.body(data, 8)
    return int.from_bytes(body[4 : 8 if body[:1] == b"\x01" else 6], "big")


def _infos(data: bytes, info: Box) -> Iterator[tuple[int, bytes, bytes]]:
    wide = data[info.start : info.start + 1] != b"\x00"
    for _, box in zip(range(MAX_ITEMS), boxes(data, info.start + (8 if wide else 6), min(info.end, len(data))), strict=False):
        body = box.body(data, 512)
        if box.name == b"infe" and body[:1] in (b"\x02", b"\x03"):
            at = 6 if body[:1] == b"\x02" else 8
            yield int.from_bytes(body[4:at], "big"), body[at + 2 : at + 6], body[at + 6 :]


def _places(body: bytes) -> Iterator[tuple[int, tuple[int, tuple[tuple[int, int], ...]]]]:
    """Item number -> (how it is stored, its extents as offset and length); a length of 0 is all that follows."""
    if len(body) < 8:  # noqa: PLR2004  # version, widths, count
        return
    version, offset_size, length_size, base_size = body[0], body[4] >> 4, body[4] & 15, body[5] >> 4
    index_size = body[5] & 15 if version else 0
    id_size = 4 if version == 2 else 2  # noqa: PLR2004  # version 2 has wider item numbers
    at = 6 + id_size
    for _ in range(min(int.from_bytes(body[6:at], "big"), MAX_ITEMS)):
        number, at = _number(body, at, id_size)
        method, at = _number(body, at, 2) if version else (_IN_FILE, at)
        base, at = _number(body, at + 2, base_size)
        count, at = _number(body, at, 2)
        extents = []
        for _ in range(min(count, MAX_ITEMS)):
            if at >= len(body):
                return
            offset, at = _number(body, at + index_size, offset_size)
            length, at = _number(body, at, length_size)
            extents.append((base + offset, length))
        yield number, (method & 15, tuple(extents))


def _references(data: bytes, box: Box) -> Iterator[tuple[int, tuple[int, ...]]]:
    wide = 4 if data[box.start : box.start + 1] == b"\x01" else 2
    for _, found in zip(range(MAX_ITEMS), boxes(data, box.start + 4, min(box.end, len(data))), strict=False):
        if found.name == b"dimg":
            body = found.body(data, wide * (MAX_ITEMS + 1) + 2)
            number, at = _number(body, 0, wide)
            count, at = _number(body, at, 2)
            yield number, tuple(_number(body, place, wide)[0] for place in range(at, min(at + count * wide, len(body)), wide))


def _properties(data: bytes, box: Box) -> dict[int, tuple[tuple[bytes, bytes], ...]]:
    """Item number -> its properties. The association names them by their place in the list, counted from 1."""
    listed: list[tuple[bytes, bytes]] = []
    named: dict[int, tuple[tuple[bytes, bytes], ...]] = {}
    for found in boxes(data, box.start, min(box.end, len(data))):
        if found.name == b"ipco":
            listed = [
                (one.name, one.body(data, 65_536))
                for _, one in zip(range(MAX_ITEMS), boxes(data, found.start, min(found.end, len(data))), strict=False)
            ]
        elif found.name == b"ipma":
            for number, places in _associations(found.body(data, MAX_BODY)):
                named[number] = tuple(listed[place - 1] for place in places if 0 < place <= len(listed))
    return named


def _associations(body: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    id_size, wide = 4 if body[:1] != b"\x00" else 2, bool(body[3:4] and body[3] & 1)
    count, at = _number(body, 4, 4)
    for _ in range(min(count, MAX_ITEMS)):
        number, at = _number(body, at, id_size)
        held, at = _number(body, at, 1)
        step = 2 if wide else 1
        places = tuple(_number(body, place, step)[0] & (0x7FFF if wide else 0x7F) for place in range(at, at + held * step, step))
        at += held * step
        if at > len(body):
            return
        yield number, places


def _number(body: bytes, at: int, size: int) -> tuple[int, int]:
    return int.from_bytes(body[at : at + size], "big"), at + size
