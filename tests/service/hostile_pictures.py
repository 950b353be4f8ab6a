"""Files that mean harm or are broken, made from pictures of our own: cut, two things at once, tiny files that say they are huge, other names."""

import io
import struct
import zipfile
import zlib

from features.image import examples

HUGE = 60_000
"""Pixels a side that a bomb claims: 10.8 GB unpacked."""


def archive() -> bytes:
    """A small ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("run.bat", "echo")
    return out.getvalue()


def png_bomb(side: int = HUGE) -> bytes:
    """A PNG whose few bytes unpack to rows of one colour without end."""
    squeezer = zlib.compressobj(9)
    rows = b"".join(squeezer.compress(bytes(side * 3 + 1)) for _ in range(300)) + squeezer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + examples.chunk(b"IHDR", head) + examples.chunk(b"IDAT", rows) + examples.chunk(b"IEND", b"")


def gif_bomb(side: int = HUGE, frames: int = 2_000) -> bytes:
    """A GIF of many frames on a screen that no screen has."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + frame * frames + b"\x3b"


def webp_bomb() -> bytes:
    """A WebP whose canvas is as large as the format allows."""
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\xff\xff" * 2
    body = b"WEBP" + canvas + examples.webp()[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff_bomb(side: int = HUGE) -> bytes:
    """A TIFF that claims its size and points outside of itself for it."""
    tags = ((256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 4, side), (279, 4, 0xFFFF_FFFF))
    return b"II*\x00" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags) + bytes(4)


def jpeg_bomb() -> bytes:
    """A JPEG whose frame header says 65,500 x 65,500."""
    data = bytearray(examples.jpeg())
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def circular_tiff() -> bytes:
    """A TIFF whose next directory is the same one."""
    return b"II*\x00" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 256, 4, 1, 10) + struct.pack("<I", 8)


def text_bomb() -> bytes:
    """A PNG with a packed text of 64 MiB."""
    return examples.png(chunks=examples.chunk(b"zTXt", b"parameters\x00\x00" + zlib.compress(bytes(64 << 20), 9)))


UNREADABLE = {
    "a cut JPEG header": examples.jpeg()[:20],
    "only the first marker": b"\xff\xd8\xff",
    "a PNG without pixels": examples.png()[:33],
    "a JPEG and a ZIP": examples.jpeg() + archive(),
    "a PNG and a page": examples.png() + b"<html><script>alert(1)</script></html>",
    "a JPEG and a PDF": examples.jpeg() + b"%PDF-1.7\n1 0 obj",
    "a JPEG with a PDF inside": examples.jpeg(comment=b"%PDF-1.7\n1 0 obj"),
    "a PNG and a programme": examples.png(appended=b"MZ\x90\x00" + bytes(60)),
    "a PNG bomb": png_bomb(),
    "a GIF bomb": gif_bomb(),
    "a TIFF bomb": tiff_bomb(),
    "a JPEG bomb": jpeg_bomb(),
    "a TIFF in a circle": circular_tiff(),
    "a page named as a photo": b"<!doctype html><script>fetch('//evil')</script>",
    "a drawing with a script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>',
    "a PDF named as a photo": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
    "an archive named as a photo": archive(),
    "a programme named as a photo": b"\x7fELF" + bytes(500),
    "zeros": bytes(10_000),
    "a PostScript programme": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(%pipe%id) (w) file\n",
}
"""What nobody may draw conclusions from."""

ANY_ANSWER = {
    "a cut JPEG": examples.jpeg()[:-3_000],
    "a cut PNG": examples.png()[:-3_000],
    "a cut WebP": examples.webp()[:-300],
    "a WebP bomb": webp_bomb(),
    "a text bomb": text_bomb(),
    "metadata that is none": examples.jpeg(exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff" + b"\xff" * 500),
    "a PNG named as a JPEG": examples.png(),
    "a JPEG with holes": bytes(0 if 2_000 < place < 4_000 else byte for place, byte in enumerate(examples.jpeg())),
}
"""What may be judged, or may not: but soon, and without harm."""
