"""The parsers by themselves: what they read, what they refuse, and that no bytes make them raise."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.image import examples
from features.image.container.parts import MAX_INFLATED, Format, PartKind
from features.image.container.take_apart import sniff, take_apart
from features.image.metadata import Source, read_metadata
from features.image.xmp import read_xmp
from tests.features.image.writers import avi, flv, heic, insert_segment, mkv, mp4, samsung

SEEDS = {
    "jpeg": examples.camera_jpeg(),
    "jpeg xmp": examples.with_xmp(examples.aigc_xmp_attribute()),
    "samsung": samsung("Name", '{"a":1}'),
    "png": examples.png_with_text(("AIGC", examples.AIGC)),
    "webp": examples.webp(examples.user_comment("x"), examples.aigc_xmp_element()),
    "heic": heic(examples.exif({0x010F: "Apple"})[6:], examples.aigc_xmp_element()),
    "mp4": mp4({"AIGC": examples.AIGC}, {b"\xa9too": "Lavf"}),
    "mkv": mkv({"AIGC": examples.AIGC}),
    "avi": avi({b"AIGC": examples.AIGC}),
    "flv": flv({"AIGC": examples.AIGC}),
    "tiff": examples.exif({0x010F: "Apple"}, {0x829A: 0.1}, {1: "N", 2: (1.0, 2.0, 3.0)})[6:],
}


def _head(data: bytes) -> bytes:
    """The part that holds structure: mutating pixels teaches nothing."""
    return data[:4000] + data[-2000:]


@pytest.mark.parametrize("name", SEEDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_mutation_makes_a_parser_raise(name: str, data: st.DataObject) -> None:
    raw = bytearray(_head(SEEDS[name]))
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                raw[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
            case 1:
                del raw[place:]
                raw.extend(b"\x00")
            case 2:
                raw[place:place] = data.draw(st.binary(max_size=16))
            case _:
                raw[place : place + 4] = data.draw(
                    st.sampled_from([b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01"])
                )
    read_metadata(take_apart(bytes(raw)))


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_no_noise_makes_a_parser_raise(noise: bytes) -> None:
    for start in (
        b"",
        b"\xff\xd8\xff\xe1",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\xff\xff\xffWEBP",
        b"\x00\x00\x00\x18ftypheic",
        b"\x1aE\xdf\xa3",
        b"FLV\x01",
        b"II*\x00",
    ):
        read_metadata(take_apart(start + noise))


def test_the_format_is_what_the_bytes_say() -> None:
    found = {name: take_apart(data).format for name, data in SEEDS.items()}
    assert found["jpeg"] is Format.JPEG
    assert found["heic"] is Format.HEIC
    assert found["mp4"] is Format.MP4
    assert found["mkv"] is Format.MATROSKA
    assert sniff(b"GIF89a" + b"\x00" * 9) is Format.GIF
    assert sniff(b"not a picture") is Format.UNKNOWN
    assert take_apart(b"").problems == ("unknown_format",)


def test_a_truncated_file_says_so() -> None:
    for name in ("jpeg", "png", "webp"):
        assert "truncated" in take_apart(SEEDS[name][:-200]).problems, name


def test_a_packed_text_that_is_a_bomb_is_dropped() -> None:
    bomb = zlib.compress(b"A" * (MAX_INFLATED + 1))
    data = examples.png(chunks=examples.chunk(b"zTXt", b"parameters\x00\x00" + bomb))
    assert take_apart(data).of_kind(PartKind.TEXT) == ()


def test_a_dtd_in_xmp_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&c;</x:xmpmeta>'
    assert read_xmp(bomb) is None
    assert read_metadata(take_apart(examples.with_xmp(bomb))).broken == ("jpeg:APP1",)


def test_a_property_is_known_by_its_namespace_and_not_by_its_prefix() -> None:
    packet = examples.aigc_xmp_attribute().replace(b"TC260", b"other")
    assert [name for name, _ in read_xmp(packet) or ()] == ["TC260:AIGC"]
    wrong = examples.aigc_xmp_attribute().replace(b"www.tc260.org.cn", b"example.org")
    assert "TC260:AIGC" not in [name for name, _ in read_xmp(wrong) or ()]


def test_a_lying_length_ends_the_walk_and_is_named() -> None:
    data = insert_segment(examples.jpeg(), 0xE1, b"x" * 10)
    lying = data[:4] + struct.pack(">H", 1) + data[6:]
    assert "bad_length" in take_apart(lying).problems


def test_a_motion_photo_or_a_second_picture_behind_the_end_is_no_problem() -> None:
    assert take_apart(examples.jpeg() + examples.jpeg()).problems == ()
    assert take_apart(examples.jpeg() + SEEDS["mp4"]).problems == ()
    assert take_apart(examples.jpeg() + b"\x00" * 40).problems == ()


def test_other_bytes_behind_the_end_are_named() -> None:
    assert take_apart(examples.jpeg() + b"{}more").problems == ("trailing_bytes",)
    assert take_apart(examples.png() + b"{}more and more").problems == ("trailing_bytes",)


def test_the_coding_tables_of_a_jpeg_are_read() -> None:
    facts = take_apart(examples.jpeg(quality=50)).jpeg
    assert facts is not None
    assert facts.tables[0][1][:4] == (16, 11, 12, 14)
    assert facts.sampling[0] == (2, 2)


def test_sizes_are_read_from_the_structure() -> None:
    assert {take_apart(SEEDS[name]).size for name in ("jpeg", "png", "webp")} == {(640, 480)}


def test_exif_values_are_read_with_their_types() -> None:
    block = examples.exif({0x010F: "Canon"}, {0x829A: 0.008, 0x9003: "2026:03:01 10:00:00"}, {1: "N", 2: (31.0, 12.0, 30.0)})
    exif = read_metadata(take_apart(examples.jpeg(exif=block))).exif
    assert exif.text("Make") == "Canon"
    assert exif.number("ExposureTime") == pytest.approx(0.008)
    assert exif.tags["GPSLatitude"] == (31.0, 12.0, 30.0)
    assert exif.text("Software") is None
    assert exif.number("Make") is None


def test_a_directory_that_points_at_itself_ends() -> None:
    loop = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    assert read_metadata(take_apart(loop)).exif.broken


def test_a_film_tag_keeps_its_name() -> None:
    fields = read_metadata(take_apart(mp4({"AIGC": examples.AIGC}, {b"\xa9too": "Lavf60"}))).fields
    assert [(item.source, item.name) for item in fields] == [(Source.TAG, "AIGC"), (Source.TAG, "\xa9too")]
