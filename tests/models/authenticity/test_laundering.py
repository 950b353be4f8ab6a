"""Every cell: same picture and seed, same bytes; an upright RGB picture comes back."""

import numpy as np
import pytest

from models.authenticity.laundering import AS_IS, BY_NAME, CELLS, WAYS, Cell, delivered, limit_long_side, rough, way
from tests.models.authenticity.builders import a_photo

every_cell = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)


@every_cell
def test_a_cell_gives_the_same_picture_twice(cell: Cell) -> None:
    photo = a_photo(320, 240)
    assert np.array_equal(np.asarray(cell.launder(photo, 5)), np.asarray(cell.launder(photo, 5)))


@every_cell
def test_a_cell_gives_an_rgb_picture_of_a_sane_size(cell: Cell) -> None:
    arrived = cell.launder(a_photo(320, 240), 5)
    assert arrived.mode == "RGB"
    assert 100 <= min(arrived.size) <= max(arrived.size) <= 1600


def test_as_is_changes_nothing() -> None:
    photo = a_photo(64, 64)
    assert AS_IS.launder(photo, 1) is photo


def test_a_lower_quality_loses_more() -> None:
    photo = a_photo(320, 240)
    before = np.asarray(photo, np.float32)
    errors = [float(np.abs(np.asarray(BY_NAME[f"JPEG {quality}"].launder(photo, 0), np.float32) - before).mean()) for quality in (95, 75, 40)]
    assert errors == sorted(errors)


def test_a_small_picture_is_never_enlarged() -> None:
    assert limit_long_side(a_photo(100, 80), 640).size == (100, 80)
    assert limit_long_side(a_photo(1000, 500), 640).size == (640, 320)


def test_a_rough_delivery_differs_by_seed() -> None:
    photo = a_photo(320, 240)
    assert len({rough(photo, seed).tobytes() for seed in range(4)}) > 1


def test_a_random_delivery_is_the_same_for_the_same_seed_and_takes_every_way() -> None:
    photo = a_photo(320, 240)
    first = {way(seed): seed for seed in range(60)}
    assert set(first) == set(WAYS)
    for seed in first.values():
        assert delivered(photo, seed, is_whole=True).tobytes() == delivered(photo, seed, is_whole=True).tobytes()


def test_a_small_whole_is_delivered_at_the_size_of_a_phones_photo_and_a_cut_is_not() -> None:
    whole, cut = a_photo(341, 256), a_photo(352, 352)
    saved = next(seed for seed in range(60) if way(seed) == "saved")
    assert min(delivered(whole, saved, is_whole=True).size) > 400
    assert delivered(cut, saved, is_whole=False).size == cut.size
