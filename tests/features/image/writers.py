"""Files written by hand for the tests: every container with a marker in every place that it has for one."""

import struct
import zlib
from collections.abc import Callable, Mapping

from features.image import examples
from features.image.container.jpeg import _MORE_XMP

_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def insert_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment right behind its start."""
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:]


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def full(name: bytes, body: bytes, version: int = 0) -> bytes:
    return box(name, bytes([version, 0, 0, 0]) + body)


def heic(exif: bytes = b"", xmp: bytes = b"") -> bytes:
    """An item file: the head, item infos, item places, and the items in mdat."""
    items = [(b"Exif", b"", struct.pack(">I", 0) + exif)] if exif else []
    items += [(b"mime", b"application/rdf+xml\x00", xmp)] if xmp else []
    infos = b"".join(full(b"infe", struct.pack(">HH", n + 1, 0) + kind + b"\x00" + extra, 2) for n, (kind, extra, _) in enumerate(items))
    info = full(b"iinf", struct.pack(">H", len(items)) + infos)
    head = box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic")

    def places(start: int) -> bytes:
        body, at = b"\x44\x00" + struct.pack(">H", len(items)), start
        for n, (_, _, content) in enumerate(items):
            body += struct.pack(">HHHII", n + 1, 0, 1, at, len(content))
            at += len(content)
        return full(b"iloc", body)

    def meta(start: int) -> bytes:
        return full(b"meta", full(b"hdlr", b"\x00" * 4 + b"pict" + b"\x00" * 13) + info + places(start))

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", b"".join(content for _, _, content in items))


def mp4(keys: Mapping[str, str] | None = None, udta: Mapping[bytes, str] | None = None, xmp: bytes = b"", *, quicktime: bool = False) -> bytes:
    inner = b""
    if keys:
        names = b"".join(box(b"mdta", key.encode()) for key in keys)
        values = b"".join(
            box(struct.pack(">I", n + 1), box(b"data", struct.pack(">II", 1, 0) + text.encode())) for n, text in enumerate(keys.values())
        )
        content = full(b"hdlr", b"\x00" * 4 + b"mdta" + b"\x00" * 13) + full(b"keys", struct.pack(">I", len(keys)) + names) + box(b"ilst", values)
        inner = box(b"meta", content) if quicktime else full(b"meta", content)
    for name, text in (udta or {}).items():
        inner += box(name, struct.pack(">HH", len(text.encode()), 0) + text.encode())
    top = box(b"moov", box(b"mvhd", b"\x00" * 100) + box(b"udta", inner))
    packet = box(b"uuid", _XMP_UUID + xmp) if xmp else b""
    return box(b"ftyp", b"isom\x00\x00\x00\x00isommp42") + packet + top


def mkv(tags: Mapping[str, str], *, unknown_length: bool = False) -> bytes:
    def element(name: str, body: bytes) -> bytes:
        return bytes.fromhex(name) + struct.pack(">Q", len(body) | 1 << 56) + body

    simple = b"".join(element("67C8", element("45A3", key.encode()) + element("4487", text.encode())) for key, text in tags.items())
    content = element("1254C367", element("7373", simple))
    head = element("1A45DFA3", element("4282", b"webm"))
    return head + (bytes.fromhex("18538067") + b"\xff" + content if unknown_length else element("18538067", content))


def avi(info: Mapping[bytes, str]) -> bytes:
    body = b"INFO"
    for key, text in info.items():
        raw = text.encode()
        body += key + struct.pack("<I", len(raw)) + raw + b"\x00" * (len(raw) % 2)
    content = b"AVI " + b"LIST" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(content)) + content


def flv(values: Mapping[str, str]) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack(">H", len(value.encode())) + value.encode()

    body = b"\x02" + text("onMetaData") + b"\x08" + struct.pack(">I", len(values) + 1) + text("duration") + b"\x00" + struct.pack(">d", 1.0)
    body += b"".join(text(key) + b"\x02" + text(value) for key, value in values.items()) + b"\x00\x00\x09"
    tag = b"\x12" + len(body).to_bytes(3, "big") + b"\x00" * 7 + body
    return b"FLV\x01\x05" + struct.pack(">I", 9) + b"\x00" * 4 + tag + struct.pack(">I", len(tag))


def samsung(name: str, body: str) -> bytes:
    """A JPEG with Samsung's trailer that holds one named block."""
    block = struct.pack("<HHI", 0, 0x0BA1, len(name)) + name.encode() + body.encode()
    directory = b"SEFH" + struct.pack("<II", 101, 1) + struct.pack("<HHII", 0, 0x0BA1, len(block), len(block))
    return examples.jpeg() + block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def iim(number: int, text: str) -> bytes:
    """A JPEG segment body with one IPTC record."""
    records = b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(text.encode())) + text.encode()
    return b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(records)) + records + b"\x00" * (len(records) % 2)


def text_pngs(key: str, text: str) -> dict[str, bytes]:
    """A PNG text in each of the four ways to write one, and behind other chunks."""
    raw, name = text.encode(), key.encode()
    return {
        "png tEXt": examples.png(chunks=examples.chunk(b"tEXt", name + b"\x00" + raw)),
        "png zTXt": examples.png(chunks=examples.chunk(b"zTXt", name + b"\x00\x00" + zlib.compress(raw))),
        "png iTXt": examples.png(chunks=examples.chunk(b"iTXt", name + b"\x00\x00\x00en\x00\x00" + raw)),
        "png iTXt packed": examples.png(chunks=examples.chunk(b"iTXt", name + b"\x00\x01\x00\x00\x00" + zlib.compress(raw))),
    }


def exif_files(block: bytes) -> dict[str, bytes]:
    """An EXIF block (with its head) in every container that takes one."""
    tiff = block.removeprefix(b"Exif\x00\x00")
    raw_profile = b"Raw profile type exif\x00\x00" + zlib.compress(b"\nexif\n    %d\n%s\n" % (len(block), block.hex().encode()))
    return {
        "jpeg exif": examples.jpeg(exif=block),
        "png eXIf": examples.png(chunks=examples.chunk(b"eXIf", tiff)),
        "png raw profile": examples.png(chunks=examples.chunk(b"zTXt", raw_profile)),
        "webp exif": examples.webp(exif_block=block),
        "heic exif": heic(exif=tiff),
        "avif exif": heic(exif=tiff).replace(b"heic", b"avif"),
        "tiff": tiff,
    }


def xmp_files(packet: bytes) -> dict[str, bytes]:
    """An XMP packet in every container that takes one."""
    keyword = b"XML:com.adobe.xmp\x00"
    extended = _MORE_XMP + b"0" * 32 + struct.pack(">II", len(packet), 0) + packet
    return {
        "jpeg xmp": examples.jpeg(xmp=packet),
        "jpeg extended xmp": insert_segment(examples.jpeg(), 0xE1, extended),
        "png iTXt xmp": examples.png(chunks=examples.chunk(b"iTXt", keyword + b"\x00\x00\x00\x00" + packet)),
        "png packed xmp": examples.png(chunks=examples.chunk(b"iTXt", keyword + b"\x01\x00\x00\x00" + zlib.compress(packet))),
        "png tEXt xmp": examples.png(chunks=examples.chunk(b"tEXt", keyword + packet)),
        "webp xmp": examples.webp(xmp=packet),
        "heic xmp": heic(xmp=packet),
        "avif xmp": heic(xmp=packet).replace(b"heic", b"avif"),
        "mp4 xmp": mp4(xmp=packet),
    }


Make = Callable[[], bytes]
