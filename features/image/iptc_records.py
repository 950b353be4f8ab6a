"""IPTC IIM records inside Photoshop resource blocks: the few text fields that carry credits and programmes."""

from collections.abc import Iterator

from features.image.container.parts import text_of

_NAMES = {
    5: "ObjectName",
    25: "Keywords",
    40: "SpecialInstructions",
    65: "OriginatingProgram",
    80: "Byline",
    110: "Credit",
    115: "Source",
    120: "Caption",
}
_IIM = 0x0404
_APPLICATION_RECORD = 2
_MAX_RECORDS = 1024


def read_iptc(block: bytes) -> tuple[tuple[str, str], ...]:
    """The known text fields in file order; empty where the block holds none."""
    records = block if block[:1] == b"\x1c" else next(_resources(block), b"")
    return tuple(_fields(records))


def _resources(block: bytes) -> Iterator[bytes]:
    at = 0
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        number = int.from_bytes(block[at + 4 : at + 6], "big")
        name = 1 + block[at + 6]
        start = at + 6 + name + name % 2
        length = int.from_bytes(block[start : start + 4], "big")
        if number == _IIM:
            yield block[start + 4 : start + 4 + length]
        at = start + 4 + length + length % 2


def _fields(records: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    for _ in range(_MAX_RECORDS):
        if records[at : at + 1] != b"\x1c" or at + 5 > len(records):
            return
        record, number, length = records[at + 1], records[at + 2], int.from_bytes(records[at + 3 : at + 5], "big")
        if length & 0x8000:
            return  # extended lengths are for pictures, not for text
        if record == _APPLICATION_RECORD and number in _NAMES:
            yield _NAMES[number], text_of(records[at + 5 : at + 5 + length])
        at += 5 + length
