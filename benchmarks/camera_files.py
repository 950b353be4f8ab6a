"""Files as cameras and phones write them, built around pictures that lost theirs: tags, maker notes, previews, gain maps and trailers by model.

The values are those that the makers' files are known to carry; the maker notes' bodies are random bytes behind the right heads. They are made, not
found: they show that our readers take nothing ordinary for a mark, not how real files differ from what is known of them.
"""

import io
import json
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

_HDR_PLUS = "SERSUAxEAQo="
_GOOGLE = (
    'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
    f'GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1" GCamera:hdrp_makernote="{_HDR_PLUS * 40}" hdrgm:Version="1.0"'
)
_APPLE = (
    'xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/" HDRGainMap:HDRGainMapVersion="65536" xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"'
)
_RATED = 'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="0" xmp:CreatorTool="{tool}"'


@dataclass(frozen=True, slots=True)
class Camera:
    """What one model writes: its words, its lens, and what else it puts into the file."""

    make: str
    model: str
    software: str
    note: bytes = b""
    focal: float = 5.43
    aperture: float = 1.8
    quality: int = 94
    xmp: str = ""
    comment: bytes = b""
    previews: int = 0
    trailer: str = ""
    host: str = ""


_OPPO = b"ASCII\x00\x00\x00oppo_536870912"
_XIAOMI = json.dumps({"filter": 0, "mirror": False, "AIScene": 0, "sensor_type": "rear", "hdr": "auto", "zoomMultiple": 2}).encode()
_VIVO = b"filter: 0; fileterIntensity: 0.0; filterMask: 0; captureOrientation: 90; module: photo; cct_value: 0; AI_Scene: (5, -1); aec_lux: 88.0"
CAMERAS: tuple[Camera, ...] = (
    Camera("Apple", "iPhone 15 Pro", "17.4.1", note=b"Apple iOS\x00\x00\x01MM", xmp=_APPLE, previews=2, host="iPhone 15 Pro", focal=6.86),
    Camera("Apple", "iPhone 13", "16.1.2", note=b"Apple iOS\x00\x00\x01MM", previews=1, host="iPhone 13", focal=5.1, aperture=1.6),
    Camera("Apple", "iPhone SE (2nd generation)", "15.6", note=b"Apple iOS\x00\x00\x01MM", focal=3.99),
    Camera("Google", "Pixel 8 Pro", "HDR+ 1.0.593063208zdh", note=b"HDRP\x02", xmp=_GOOGLE, previews=1, focal=6.9, aperture=1.68),
    Camera("Google", "Pixel 4a", "HDR+ 1.0.345618096nd", note=b"HDRP\x02", focal=4.38, aperture=1.73),
    Camera("samsung", "SM-S928B", "S928BXXU3AXH7", trailer="Image_UTC_Data", focal=6.3, aperture=1.7),
    Camera("samsung", "SM-A546B", "A546BXXU6BWK6", trailer="MCC_Data", focal=5.54),
    Camera("samsung", "Galaxy S23 Ultra", "S918BXXS3BWJM", trailer="Camera_Scene_Info", focal=6.3, aperture=1.7),
    Camera("HUAWEI", "ELS-NX9", "ELS-NX9 11.0.0.168(C432E9R4P4)", note=b"HwMnote\x00", comment=b"ASCII\x00\x00\x00edof", previews=1, focal=7.0),
    Camera("HONOR", "MAA-AN00", "MagicUI 8.0", comment=b"ASCII\x00\x00\x00hdr_auto", focal=6.4),
    Camera("Xiaomi", "2201122C", "Xiaomi 12 Pro", comment=_XIAOMI, focal=5.59, aperture=1.85),
    Camera("Redmi", "Redmi Note 11", "spes_eea-user 12 RKQ1", comment=_XIAOMI),
    Camera("OPPO", "PGEM10", "MediaTek Camera Application", comment=_OPPO),
    Camera("OnePlus", "ONEPLUS A6013", "OnePlus6T-user 11", comment=b"ASCII\x00\x00\x00oppo_0", focal=4.25),
    Camera("vivo", "V2227A", "MediaTek Camera Application", comment=_VIVO, focal=6.0),
    Camera("motorola", "moto g power", "burton-user 12", focal=4.71, aperture=1.7),
    Camera("LGE", "LG-H870", "LG-H870-V29a", focal=4.03),
    Camera("Sony", "XQ-BC72", "XQ-BC72-user 12", note=b"SONY MOBILE\x00", focal=5.11, aperture=1.7),
    Camera("Canon", "Canon EOS 80D", "", b"\x2c\x00\x01\x00\x03\x00", 35.0, 2.8, 96),
    Camera("Canon", "Canon EOS R6m2", "Firmware Version 1.2.0", b"\x34\x00\x01\x00\x03\x00", 50.0, 1.8, 97, xmp=_RATED.format(tool="")),
    Camera("NIKON CORPORATION", "NIKON D750", "Ver.1.12", b"Nikon\x00\x02\x11\x00\x00MM\x00*", 85.0, 1.8, 96, previews=1),
    Camera("NIKON CORPORATION", "NIKON Z 6_2", "Ver.01.60", b"Nikon\x00\x02\x11\x00\x00II*\x00", 24.0, 4.0, 96, previews=2),
    Camera("SONY", "ILCE-7M3", "ILCE-7M3 v3.10", b"SONY DSC \x00\x00\x00", 28.0, 2.0, 95, previews=1),
    Camera("FUJIFILM", "X-T30", "Digital Camera X-T30 Ver1.40", b"FUJIFILM\x0c\x00\x00\x00", 23.0, 2.0, 95),
    Camera("Panasonic", "DMC-LX100", "Ver.1.3", b"Panasonic\x00\x00\x00", 10.9, 1.7, 94, previews=1),
    Camera("OLYMPUS CORPORATION", "E-M10MarkIII", "Version 1.3", b"OLYMPUS\x00II\x03\x00", 17.0, 1.8, 94),
    Camera("RICOH IMAGING COMPANY, LTD.", "GR III", "GR III Ver. 1.50", b"RICOH\x00II", 18.3, 2.8, 95),
    Camera("PENTAX", "PENTAX K-70", "PENTAX K-70 Ver. 1.10", b"PENTAX \x00MM", 50.0, 1.8, 95),
    Camera(
        "DJI",
        "FC3411",
        "10.00.12.07",
        b"DJI\x00",
        8.38,
        2.8,
        92,
        xmp='xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" drone-dji:AbsoluteAltitude="+88.1"',
    ),
    Camera("GoPro", "HERO9 Black", "HD9.01.01.72.00", b"GoPro\x00", 2.92, 2.8, 93),
    Camera("Leica Camera AG", "LEICA Q2", "5.1", b"LEICA\x00\x00\x00", 28.0, 1.7, 96),
    Camera("EASTMAN KODAK COMPANY", "KODAK EASYSHARE C813", "", b"KDK\x00INFO", 6.0, 2.7, 85),
)


def camera_files(pictures: Callable[[int], Image.Image], count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """That many files, the models in turn; `pictures` gives the n-th picture in colours."""
    dice = random.Random(seed)  # noqa: S311  # a seed, not a secret
    for number in range(count):
        camera = CAMERAS[number % len(CAMERAS)]
        yield f"{camera.make} {camera.model}", _file(pictures(number), camera, dice)


def _file(picture: Image.Image, camera: Camera, dice: random.Random) -> bytes:
    out = io.BytesIO()
    extra: dict[str, Any] = {"exif": _exif(picture, camera, dice)}
    if camera.xmp:
        head = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        extra["xmp"] = f'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>{head}{camera.xmp}/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'.encode()
    picture.save(out, "JPEG", quality=camera.quality, subsampling=dice.choice([0, 2]), **extra)
    data = out.getvalue()
    previews = [_preview(picture, 2 + number) for number in range(camera.previews)]
    if previews:
        data = _with_previews(data, previews)
    return data + (_samsung(camera.trailer, dice) if camera.trailer else b"")


def _exif(picture: Image.Image, camera: Camera, dice: random.Random) -> bytes:
    block = Image.Exif()
    day = f"2024:{dice.randint(1, 12):02}:{dice.randint(1, 28):02} {dice.randint(7, 21):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}"
    words = {0x010F: camera.make, 0x0110: camera.model, 0x0131: camera.software, 0x0132: day, 0x013C: camera.host}
    for tag, word in words.items():
        if word:
            block[tag] = word
    block[0x011A], block[0x011B], block[0x0128], block[0x0213] = 72.0, 72.0, 2, 1
    shot = {
        0x829A: 1 / dice.choice([30, 60, 120, 250, 1000]),
        0x829D: camera.aperture,
        0x8827: dice.choice([32, 50, 100, 400, 1600]),
        0x920A: camera.focal,
        0x9003: day,
        0x9004: day,
        0x9010: "+02:00",
        0x9209: 16,
        0xA001: 1,
        0xA002: picture.width,
        0xA003: picture.height,
        0xA402: 0,
        0xA406: 0,
    }
    if camera.note:
        shot[0x927C] = camera.note + dice.randbytes(dice.randint(400, 6000))
    if camera.comment:
        shot[0x9286] = camera.comment
    block.get_ifd(0x8769).update(shot)
    if dice.random() < 0.4:  # noqa: PLR2004  # as many phones are allowed to know where they are
        block.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.3), 3: "E", 4: (13.0, 24.0, 3.1), 29: day[:10]})
    return block.tobytes()


def _preview(picture: Image.Image, shrink: int) -> bytes:
    out = io.BytesIO()
    picture.reduce(shrink).save(out, "JPEG", quality=80)
    return out.getvalue()


def _with_previews(data: bytes, previews: list[bytes]) -> bytes:
    """A multi-picture file: an index in APP2, the further pictures behind the first (previews, gain maps)."""
    count = len(previews) + 1
    head = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 3)
    entries = (
        struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, 4, 1, count) + struct.pack("<HHII", 0xB002, 7, 16 * count, 50)
    )
    at, places = len(data), struct.pack("<IIIHH", 0x030000, len(data), 0, 0, 0)
    for preview in previews:
        places += struct.pack("<IIIHH", 0x050000, len(preview), at, 0, 0)
        at += len(preview)
    body = b"MPF\x00" + head + entries + struct.pack("<I", 0) + places
    return data[:2] + b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body + data[2:] + b"".join(previews)


def _samsung(name: str, dice: random.Random) -> bytes:
    block = struct.pack("<HHI", 0, 0x0A01, len(name)) + name.encode() + str(dice.randint(1_600_000_000_000, 1_700_000_000_000)).encode()
    directory = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, 0x0A01, len(block), len(block))
    return block + directory + struct.pack("<I", len(directory)) + b"SEFT"
