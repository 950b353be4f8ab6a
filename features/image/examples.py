"""Pictures made on the spot for the signals' examples, the demo and the console's help: a plain scene, and writers for every marker."""

import html
import io
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

AIGC = (
    '{"Label":"1","ContentProducer":"00119144030008867405X200001","ProduceID":"p1","ReservedCode1":"",'
    '"ContentPropagator":"","PropagateID":"","ReservedCode2":""}'
)
"""A label as GB 45438-2025 asks for it."""
_TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_CAMERA: Mapping[int, Any] = {0x010F: "Canon", 0x0110: "Canon EOS 80D"}
_CAPTURE: Mapping[int, Any] = {0x829A: 0.008, 0x829D: 2.8, 0x8827: 200, 0x920A: 35.0, 0x9003: "2026:03:01 10:00:00"}


@lru_cache(maxsize=16)
def scene(width: int = 640, height: int = 480, seed: int = 7) -> npt.NDArray[np.uint8]:
    """A picture that behaves like a photo: soft shapes with edges, and sensor noise that grows with brightness."""
    random = np.random.default_rng(seed)
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    light = 90 + 70 * across + 30 * np.sin(5 * down + seed)
    for _ in range(14):
        x, y, wide, high = random.uniform(0, 1, 4)
        light = np.where((abs(across - x) < 0.04 + wide / 8) & (abs(down - y) < 0.04 + high / 8), light * random.uniform(0.6, 1.3), light)
    colour = np.stack([light, light * random.uniform(0.8, 1.1), light * random.uniform(0.7, 1.1)], axis=-1)
    noisy = colour + random.normal(0, 1, colour.shape) * (1.2 + np.sqrt(np.maximum(colour, 0)) / 6)
    pixels: npt.NDArray[np.uint8] = np.clip(noisy, 0, 255).astype(np.uint8)
    return pixels


def jpeg(pixels: npt.NDArray[np.uint8] | None = None, quality: int = 90, exif: bytes = b"", xmp: bytes = b"", comment: bytes = b"") -> bytes:
    """A JPEG of the pixels (the scene where none are given)."""
    out = io.BytesIO()
    extra: dict[str, Any] = {key: value for key, value in {"exif": exif, "xmp": xmp, "comment": comment}.items() if value}
    Image.fromarray(scene() if pixels is None else pixels).save(out, "JPEG", quality=quality, **extra)
    return out.getvalue()


def exif(main: Mapping[int, Any], capture: Mapping[int, Any] | None = None, gps: Mapping[int, Any] | None = None) -> bytes:
    """An EXIF block of those tags."""
    block = Image.Exif()
    for tag, value in main.items():
        block[tag] = value
    if capture:
        block.get_ifd(0x8769).update(capture)
    if gps:
        block.get_ifd(0x8825).update(gps)
    return block.tobytes()


def camera_jpeg() -> bytes:
    """A photo with the tags that a camera writes."""
    return jpeg(exif=exif(_CAMERA, _CAPTURE))


def user_comment(text: str) -> bytes:
    """An EXIF block whose UserComment is that text, without the coding's name, as generators write it."""
    return exif({}, {0x9286: text.encode()})


def packet(inner: str) -> bytes:
    """An XMP packet around `inner`, which is what stands inside rdf:RDF."""
    head = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    return f'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>{head}{inner}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'.encode()


def aigc_xmp_attribute(label: str = AIGC) -> bytes:
    """The label as an XMP attribute."""
    return packet(f'<rdf:Description xmlns:TC260="{_TC260}" TC260:AIGC="{html.escape(label)}"/>')


def aigc_xmp_element(label: str = AIGC) -> bytes:
    """The label as an XMP element."""
    return packet(f'<rdf:Description xmlns:TC260="{_TC260}"><TC260:AIGC>{html.escape(label)}</TC260:AIGC></rdf:Description>')


def source_type(term: str) -> bytes:
    """An XMP packet with that digital source type."""
    space = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    value = f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"
    return packet(f'<rdf:Description xmlns:Iptc4xmpExt="{space}" Iptc4xmpExt:DigitalSourceType="{value}"/>')


def with_xmp(xmp: bytes) -> bytes:
    """A JPEG with that packet."""
    return jpeg(xmp=xmp)


def with_source_type(term: str) -> bytes:
    """A JPEG with that digital source type."""
    return with_xmp(source_type(term))


def chunk(name: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(pixels: npt.NDArray[np.uint8] | None = None, chunks: bytes = b"", appended: bytes = b"") -> bytes:
    """A PNG with extra chunks in front of the end, and bytes after it."""
    out = io.BytesIO()
    Image.fromarray(scene() if pixels is None else pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()[:-12] + chunks + chunk(b"IEND", b"") + appended


def png_with_text(*pairs: tuple[str, str]) -> bytes:
    """A PNG with those texts as tEXt chunks in UTF-8."""
    return png(chunks=b"".join(chunk(b"tEXt", key.encode() + b"\x00" + text.encode()) for key, text in pairs))


def webp(exif_block: bytes = b"", xmp: bytes = b"") -> bytes:
    """A WebP of the scene with EXIF and XMP."""
    out = io.BytesIO()
    Image.fromarray(scene()).save(out, "WEBP", quality=80, exif=exif_block, xmp=xmp)
    return out.getvalue()


def watermarked(bits: tuple[int, ...], pixels: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.uint8]:
    """The pixels (a bluish scene where none are given) with a word of bits in them, as the `dwtDct` method of invisible-watermark writes it."""
    import cv2

    yuv = np.asarray(cv2.cvtColor(scene(seed=1) if pixels is None else pixels, cv2.COLOR_RGB2YUV), dtype=np.float64)
    rows, columns = yuv.shape[0] // 8 * 8, yuv.shape[1] // 8 * 8
    blue = yuv[:rows, :columns, 1]
    average = (blue[::2, ::2] + blue[1::2, ::2] + blue[::2, 1::2] + blue[1::2, 1::2]) / 2
    blocks = average.reshape(rows // 8, 4, columns // 8, 4).swapaxes(1, 2).reshape(-1, 16)
    place = np.abs(blocks[:, 1:]).argmax(axis=1) + 1
    largest = blocks[np.arange(len(blocks)), place]
    wanted = (np.abs(largest) // 36 + 0.25 + 0.5 * np.resize(np.array(bits), len(blocks))) * 36
    moved = np.zeros_like(blocks)
    moved[np.arange(len(blocks)), place] = np.where(largest >= 0, wanted, -wanted) - largest
    moved = moved.reshape(rows // 8, columns // 8, 4, 4).swapaxes(1, 2).reshape(rows // 2, columns // 2)
    blue += np.repeat(np.repeat(moved / 2, 2, axis=0), 2, axis=1)
    return np.asarray(cv2.cvtColor(np.clip(yuv, 0, 255).astype(np.uint8), cv2.COLOR_YUV2RGB), dtype=np.uint8)
