"""Bytes -> container: the format is what the first bytes say, and each format has one bounded parser."""

from collections.abc import Callable, Mapping

from features.image.container import flv, isobmff, jpeg, matroska, png, riff
from features.image.container.parts import MAX_BODY, Container, Format, Part, PartKind

_READERS: Mapping[Format, Callable[[bytes], Container]] = {
    Format.JPEG: jpeg.read,
    Format.PNG: png.read,
    Format.WEBP: riff.read,
    Format.AVI: riff.read,
    Format.MP4: isobmff.read,
    Format.MATROSKA: matroska.read,
    Format.FLV: flv.read,
}
_STARTS = (
    (b"\xff\xd8\xff", Format.JPEG),
    (png.SIGNATURE, Format.PNG),
    (b"GIF8", Format.GIF),
    (b"II*\x00", Format.TIFF),
    (b"MM\x00*", Format.TIFF),
    (b"BM", Format.BMP),
    (b"\x1aE\xdf\xa3", Format.MATROSKA),
    (b"FLV\x01", Format.FLV),
)


def sniff(data: bytes) -> Format:
    """What the first bytes say; HEIC and AVIF come out as MP4 here, their parser tells them apart."""
    if data[:4] == b"RIFF":
        return {b"WEBP": Format.WEBP, b"AVI ": Format.AVI}.get(data[8:12], Format.UNKNOWN)
    if data[4:8] in (b"ftyp", b"moov", b"wide", b"mdat") and len(data) > 8:  # noqa: PLR2004  # a whole box head
        return Format.MP4
    return next((kind for start, kind in _STARTS if data.startswith(start)), Format.UNKNOWN)


def take_apart(data: bytes) -> Container:
    """The metadata parts of a file. Never raises for any bytes: what is wrong stands in `problems`."""
    kind = sniff(data)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(data)
    if kind is Format.TIFF:
        return Container(kind, (Part(PartKind.EXIF, "tiff", data[: 16 * MAX_BODY]),))
    return Container(kind, problems=("unknown_format",) if kind is Format.UNKNOWN else ())
