from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from features.image.examples import scene
from models.authenticity.edit_cases import LARGEST_SHARE, SMALLEST_SHARE, Case, difference, edited_cases
from models.authenticity.edit_figures import found_rows, look_at
from models.authenticity.laundering import AS_IS, jpeg


def edited(before: Image.Image) -> Image.Image:
    after = before.copy()
    after.paste((120, 60, 30), (100, 80, 180, 150))
    return after


@pytest.mark.parametrize("saves", [False, True])
def test_the_difference_to_the_original_is_where_it_was_edited(*, saves: bool) -> None:
    before = Image.fromarray(scene(320, 240))
    after = jpeg(edited(before), 90) if saves else edited(before)
    found = difference(after, before)
    truth = np.zeros((240, 320), bool)
    truth[80:150, 100:180] = True
    assert (found & truth).sum() / (found | truth).sum() > 0.8


@pytest.mark.shared
def test_the_shelf_s_development_edits_are_found_with_their_regions(shelf: Path) -> None:
    cases = edited_cases(shelf / "data" / "images", "dev")
    assert {case.source for case in cases} == {"migan-inpaint", "imd2020"}
    assert len(cases) >= 25
    assert all(SMALLEST_SHARE <= case.edited.mean() <= LARGEST_SHARE for case in cases)
    assert all(case.edited.shape == case.picture().size[::-1] for case in cases)


class Glow:
    """A map that shows where red is."""

    cell, long_side = 8, 1280

    def answers(self, shown: Image.Image) -> npt.NDArray[np.float32]:
        """Red less green of every cell."""
        pixels = np.asarray(shown, np.float32)[..., 0] - np.asarray(shown, np.float32)[..., 1]
        high, wide = (length // 8 for length in pixels.shape)
        return np.asarray(pixels[: high * 8, : wide * 8].reshape(high, 8, wide, 8).mean((1, 3)), np.float32)


def test_a_map_is_measured_on_the_edit_and_on_the_photo_before_it(tmp_path: Path) -> None:
    before = Image.fromarray(np.full((240, 320, 3), 90, np.uint8))
    edited(before).save(tmp_path / "after.png")
    before.save(tmp_path / "before.png")
    truth = np.zeros((240, 320), bool)
    truth[80:150, 100:180] = True
    looked = look_at(Glow(), Case(tmp_path / "after.png", "made", "mask", truth, tmp_path / "before.png"), AS_IS, 0)
    assert looked is not None
    assert looked.edited > 0.95
    assert looked.original == 0.5
    row = list(found_rows([looked, looked], "as is"))[-1]
    assert (row.kind, row.pictures) == ("all", 2)
    assert row.gain is not None
    assert row.gain.mean == pytest.approx(looked.edited - 0.5)
