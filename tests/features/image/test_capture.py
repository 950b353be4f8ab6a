"""Time, place, camera and way of delivery: what they say, and what they must not say."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from features.image import capture_camera, capture_place, capture_time, delivery_kind
from features.image.capture_place import distance_km
from features.image.capture_time import taken_between
from features.image.examples import exif, jpeg, png, scene
from features.image.exif import read_exif
from features.image.jpeg_tables import standard_quality, standard_table
from features.image.picture import Picture
from features.image.signal_kit import Context
from tests.features.image.writers import insert_segment

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def _taken(moment: datetime, offset: str | None = None) -> Picture:
    capture = {0x9003: moment.strftime("%Y:%m:%d %H:%M:%S"), **({0x9011: offset} if offset else {})}
    return Picture(jpeg(exif=exif({0x010F: "Apple"}, capture)))


def test_a_photo_older_than_the_order_is_named_with_its_age() -> None:
    result = capture_time.measure(_taken(NOON - timedelta(days=9)), Context(ordered_at=NOON))
    assert result.value == 0.6
    assert "8 days before the order" in result.findings[0].detail


def test_without_a_zone_only_what_is_certain_counts() -> None:
    photo = _taken(NOON - timedelta(hours=10))
    assert capture_time.measure(photo, Context(ordered_at=NOON)).value == 0.0
    assert capture_time.measure(_taken(NOON - timedelta(hours=10), "+00:00"), Context(ordered_at=NOON)).value == 0.4


def test_a_photo_before_the_delivery_counts_less_than_one_before_the_order() -> None:
    context = Context(ordered_at=NOON - timedelta(days=20), delivered_at=NOON, claimed_at=NOON + timedelta(days=1))
    assert capture_time.measure(_taken(NOON - timedelta(days=3)), context).value == 0.5
    assert capture_time.measure(_taken(NOON + timedelta(hours=3)), context).value == 0.0
    assert capture_time.measure(_taken(NOON + timedelta(days=9)), context).value == 0.3


@pytest.mark.parametrize("moment", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2000, 6, 1, tzinfo=UTC), datetime(2021, 1, 1, 0, 3, tzinfo=UTC)])
def test_a_clock_that_was_never_set_is_no_time(moment: datetime) -> None:
    assert capture_time.measure(_taken(moment), Context(ordered_at=NOON)).unavailable == "no_capture_time"


@given(st.datetimes(datetime(2006, 1, 2), datetime(2030, 1, 1)), st.integers(-12, 14))  # noqa: DTZ001  # the local time that a camera shows
@settings(max_examples=60, deadline=None)
def test_a_stated_zone_narrows_the_time_and_never_moves_it_out(local: datetime, hours: int) -> None:
    local = local.replace(microsecond=0)
    if (local.month, local.day, local.hour) == (1, 1, 0):
        return
    text = local.strftime("%Y:%m:%d %H:%M:%S")
    wide = taken_between(read_exif(exif({}, {0x9003: text})[6:]))
    narrow = taken_between(read_exif(exif({}, {0x9003: text, 0x9011: f"{hours:+03d}:00"})[6:]))
    assert wide is not None
    assert narrow is not None
    assert narrow[0] <= local.replace(tzinfo=UTC) - timedelta(hours=hours) <= narrow[1]
    assert wide[0] - timedelta(minutes=10) <= narrow[0]
    assert narrow[1] <= wide[1] + timedelta(minutes=10)


def test_no_exact_place_and_no_exact_distance_leave_the_module() -> None:
    gps = {1: "S", 2: (33.0, 51.0, 31.0), 3: "E", 4: (151.0, 12.0, 51.0)}
    result = capture_place.measure(Picture(jpeg(exif=exif({0x010F: "Apple"}, gps=gps))), Context(place=(31.2, 121.5)))
    assert result.findings[0].detail == "taken more than 1000 km from the delivery"
    assert result.value == 0.4


def test_distances_are_those_of_a_globe() -> None:
    assert distance_km((52.52, 13.40), (48.14, 11.58)) == pytest.approx(504, abs=5)
    assert distance_km((0, 179.9), (0, -179.9)) == pytest.approx(22, abs=1)


def test_a_zero_fix_is_no_place() -> None:
    gps = {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}
    assert capture_place.measure(Picture(jpeg(exif=exif({}, gps=gps))), Context(place=(31.2, 121.5))).unavailable == "no_place"


def _with_thumbnail(shown: np.ndarray, kept: np.ndarray) -> bytes:  # type: ignore[type-arg]  # pixels
    out = io.BytesIO()
    Image.fromarray(kept).resize((160, 120)).save(out, "JPEG")
    small = out.getvalue()
    make, model = b"Sony\x00\x00\x00\x00", b"DSC\x00"
    main = b"\x02\x00" + _entry(0x010F, 2, 8, 38) + _entry(0x0110, 2, 4, int.from_bytes(model, "little")) + (46).to_bytes(4, "little")
    second = b"\x02\x00" + _entry(0x0201, 4, 1, 76) + _entry(0x0202, 4, 1, len(small)) + b"\x00" * 4
    block = b"II*\x00\x08\x00\x00\x00" + main + make + second + small
    return insert_segment(jpeg(shown), 0xE1, b"Exif\x00\x00" + block)


def _entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little") + value.to_bytes(4, "little")


def test_a_thumbnail_of_another_picture_is_noticed() -> None:
    blocks = np.random.default_rng(1).integers(0, 255, (6, 8, 1), np.uint8).repeat(80, 0).repeat(80, 1).repeat(3, 2)
    other = capture_camera.measure(Picture(_with_thumbnail(scene(), blocks)), Context())
    assert (other.value, other.findings[0].detail) == (0.6, "the thumbnail shows another picture than the file")
    assert capture_camera.measure(Picture(_with_thumbnail(scene(), scene())), Context()).value == 0.0


def test_a_region_that_the_thumbnail_does_not_show_is_named() -> None:
    changed = scene().copy()
    changed[120:200, 160:260] = 255 - changed[120:200, 160:260] // 4
    result = capture_camera.measure(Picture(_with_thumbnail(changed, scene())), Context())
    assert result.value == 0.5
    region = result.findings[0].region
    assert region is not None
    assert region.left < 210 / 640 + 0.1
    assert region.right > 160 / 640


@pytest.mark.parametrize("quality", [1, 25, 50, 75, 90, 95, 100])
def test_standard_tables_are_known_by_their_quality(quality: int) -> None:
    facts = Picture(jpeg(quality=quality)).container.jpeg
    assert facts is not None
    assert facts.tables[0][1] == standard_table(quality)
    assert facts.tables[1][1] == standard_table(quality, chroma=True)
    assert standard_quality(facts) == quality


def test_a_photo_without_tags_was_passed_on_and_a_screen_is_a_screenshot() -> None:
    assert delivery_kind.guess(Picture(jpeg(scene(1280, 960)))).kind is delivery_kind.Kind.REDELIVERED
    flat = np.full((2400, 1080, 3), 240, np.uint8)
    flat[500:1300] = scene(1080, 800)
    assert delivery_kind.guess(Picture(png(flat))).kind is delivery_kind.Kind.SCREENSHOT


def test_a_scanner_names_itself_or_fits_a_sheet() -> None:
    named = Picture(jpeg(exif=exif({0x010F: "EPSON", 0x0110: "L3150"})))
    assert delivery_kind.guess(named).kind is delivery_kind.Kind.SCAN
    sheet = Picture(jpeg(scene(827, 1169), exif=exif({0x011A: 100.0, 0x0128: 2})))
    assert delivery_kind.guess(sheet).kind is delivery_kind.Kind.SCAN
