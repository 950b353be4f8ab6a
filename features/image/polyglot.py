"""Is the file also something else: an archive, a document, a programme or a page that another reader would open?

Such a file is made, it does not happen; no camera writes one. Found by structure: the end record of a ZIP that fits the file's end, a PDF head where
readers accept it, or what follows the picture's own end. A motion photo's film and a gain map behind a picture are none.
"""

import struct

from features.image.container.parts import Container, PartKind

_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_ZIP_COMMENT = 0xFFFF
_PDF_HEAD = 1024
_STARTS = (
    b"PK\x03\x04",
    b"%PDF-",
    b"MZ",
    b"\x7fELF",
    b"Rar!",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b\x08",
    b"#!",
    b"<?php",
    b"<!doctype",
    b"<html",
    b"<script",
)
"""How archives, documents, programmes and pages begin."""


def is_polyglot(data: bytes, container: Container) -> bool:
    """Whether the bytes are a file of another kind as well."""
    trailers = (part.body.lstrip()[:16].lower() for part in container.parts if part.kind is PartKind.TRAILER)
    starts = tuple(start.lower() for start in _STARTS)
    return any(trailer.startswith(starts) for trailer in trailers) or b"%PDF-" in data[:_PDF_HEAD] or _ends_as_zip(data)


def _ends_as_zip(data: bytes) -> bool:
    """An end record whose comment runs to the last byte, behind a directory that lies in the file."""
    at = data.rfind(_ZIP_END, max(0, len(data) - _ZIP_END_BYTES - _ZIP_COMMENT))
    if at < 0 or at + _ZIP_END_BYTES > len(data):
        return False
    size, _, comment = struct.unpack_from("<IIH", data, at + 12)
    return bool(at + _ZIP_END_BYTES + comment == len(data) and size <= at)
