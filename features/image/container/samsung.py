"""Samsung's trailer behind a JPEG: named blocks listed in a directory that ends with SEFT (layout as ExifTool describes it)."""

from features.image.container.parts import MAX_BODY, Part, PartKind, text_of

_TAIL = 8
_ENTRY = 12
_HEAD = 12
_MAX_BLOCKS = 64
_MAX_NAME = 128


def trailer(data: bytes, end: int) -> list[Part]:
    """The blocks between the picture's end and the file's, empty where there is no such trailer."""
    if not data.endswith(b"SEFT") or len(data) - end < _TAIL + _HEAD:
        return []
    start = len(data) - _TAIL - int.from_bytes(data[-_TAIL:-4], "little")
    if start < end or data[start : start + 4] != b"SEFH":
        return []
    count = min(int.from_bytes(data[start + 8 : start + 12], "little"), _MAX_BLOCKS)
    parts = []
    for index in range(count):
        entry = data[start + _HEAD + index * _ENTRY : start + _HEAD + (index + 1) * _ENTRY]
        back, size = int.from_bytes(entry[4:8], "little"), int.from_bytes(entry[8:12], "little")
        block = start - back
        if len(entry) < _ENTRY or block < end or block + min(size, 8) > start:
            continue
        long = min(int.from_bytes(data[block + 4 : block + 8], "little"), _MAX_NAME)
        body = data[block + 8 + long : min(block + size, start, block + MAX_BODY)]
        parts.append(Part(PartKind.SAMSUNG, "jpeg:samsung", body, text_of(data[block + 8 : block + 8 + long])))
    return parts
