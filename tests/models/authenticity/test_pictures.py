"""The one law that every picture passes."""

import io

import numpy as np
import pytest
from PIL import Image

from models.authenticity.laundering import limit_long_side
from models.authenticity.patches import GRID, LONG_SIDE, SIDE, cuts
from models.authenticity.pictures import STORED_SIDE, VIEW_SIDE, Place, decoded, pixels, raw_pixels, stored, upright, view
from tests.models.authenticity.builders import a_photo


def test_a_large_picture_is_stored_with_a_short_side_of_256() -> None:
    assert stored(a_photo(1280, 720)).size == (455, STORED_SIDE)


def test_a_stored_picture_is_stored_no_second_time() -> None:
    once = stored(a_photo(800, 600))
    assert stored(once) is once


@pytest.mark.parametrize("place", list(Place))
def test_every_view_is_one_square(place: Place) -> None:
    assert view(stored(a_photo(900, 300)), place).size == (VIEW_SIDE, VIEW_SIDE)


def test_the_ends_of_a_wide_picture_are_not_its_centre() -> None:
    small = stored(a_photo(900, 300))
    seen = {place: view(small, place).tobytes() for place in (Place.START, Place.CENTRE, Place.END)}
    assert len(set(seen.values())) == 3


def test_the_inputs_of_both_encoders_have_one_shape() -> None:
    square = view(a_photo(256, 256), Place.CENTRE)
    assert pixels(square).shape == raw_pixels(square).shape == (1, 3, VIEW_SIDE, VIEW_SIDE)
    assert pixels(square).dtype == np.float32


def test_transparent_parts_are_white() -> None:
    assert upright(Image.new("RGBA", (8, 8), (0, 0, 0, 0))).getpixel((3, 3)) == (255, 255, 255)


def test_a_phone_photo_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    memory = io.BytesIO()
    a_photo(64, 32).save(memory, "JPEG", exif=exif)
    assert decoded(memory.getvalue()).size == (32, 64)


def test_cuts_are_squares_on_the_grid_and_never_twice_the_same_place() -> None:
    assert [cut.size for cut in cuts(a_photo(1280, 720))] == [(SIDE, SIDE)] * 5
    assert len(cuts(a_photo(SIDE, SIDE))) == 1
    assert len(cuts(a_photo(SIDE + GRID - 1, SIDE))) == 1


def test_a_tiny_picture_has_no_cut() -> None:
    assert cuts(a_photo(90, 400)) == ()


def test_a_cut_of_a_large_picture_is_the_same_as_of_the_picture_scaled_down() -> None:
    large = a_photo(2400, 1800)
    assert [cut.tobytes() for cut in cuts(large)] == [cut.tobytes() for cut in cuts(limit_long_side(large, LONG_SIDE))]
