"""Flash video: the texts of the script tag onMetaData (AMF0)."""

from features.image.container.parts import MAX_BODY, MAX_PARTS, Container, Format, Part, PartKind, text_of

_SCRIPT = 18
_HEAD = 11
_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _ARRAY, _DATE, _LONG_STRING = 0, 1, 2, 3, 5, 8, 11, 12
_FIXED = {_NUMBER: 8, _BOOLEAN: 1, _NULL: 0, _DATE: 10}
_MAX_TAGS = 16
"""onMetaData is the first tag; nobody needs more of them."""


def read(data: bytes) -> Container:
    """Take a Flash video's metadata out."""
    parts: list[Part] = []
    at = int.from_bytes(data[5:9], "big") + 4
    for _ in range(_MAX_TAGS):
        if at + _HEAD > len(data):
            break
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        body = data[at + _HEAD : min(at + _HEAD + length, at + _HEAD + MAX_BODY)]
        if data[at] & 31 == _SCRIPT:
            parts.extend(_script(body))
        at += _HEAD + length + 4
    return Container(Format.FLV, tuple(parts[:MAX_PARTS]))


def _script(body: bytes) -> list[Part]:
    name_end = 3 + int.from_bytes(body[1:3], "big")
    if body[:1] != bytes([_STRING]) or body[3:name_end] != b"onMetaData" or name_end >= len(body):
        return []
    if body[name_end] not in (_ARRAY, _OBJECT):
        return []
    at = name_end + (5 if body[name_end] == _ARRAY else 1)
    parts: list[Part] = []
    while at + 3 <= len(body) and len(parts) < MAX_PARTS:
        stop = at + 2 + int.from_bytes(body[at : at + 2], "big")
        key, kind = text_of(body[at + 2 : stop]), body[stop] if stop < len(body) else -1
        start = stop + 1
        if kind in _FIXED:
            at = start + _FIXED[kind]
        elif kind in (_STRING, _LONG_STRING):
            width = 2 if kind == _STRING else 4
            at = start + width + int.from_bytes(body[start : start + width], "big")
            parts.append(Part(PartKind.TEXT, "flv:onMetaData", body[start + width : at], key))
        else:
            break  # a nested object (key frame lists): labels stand before it or are not read
    return parts
