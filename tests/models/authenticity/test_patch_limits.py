from pathlib import Path

import numpy as np
from PIL import Image

from features.image.examples import scene
from models.authenticity.heat_map import Limits, PatchNet
from models.authenticity.patch_limits import fit_limits, limits_of, summaries
from models.authenticity.patch_net import PatchTrunk, export


def test_the_limit_lies_above_every_untouched_photo_it_was_fitted_on() -> None:
    dice = np.random.default_rng(2)
    untouched = list(dice.normal(0, 1, (300, 6)).astype(np.float32))
    edited = list(dice.normal(1.5, 1, (80, 6)).astype(np.float32))
    fitted = fit_limits(untouched, edited)
    assert fitted.false_alarms == 0
    assert 0.1 < fitted.recall <= 1
    assert fitted.limits.clean_to < fitted.limits.edited_from < 1
    assert (fitted.untouched, fitted.edited) == (300, 80)


def test_a_higher_untouched_score_moves_the_limit_up() -> None:
    low, high = (limits_of(np.linspace(0, top, 100))[1] for top in (0.3, 0.9))
    assert low < high < 1


def test_pictures_too_small_to_compare_are_passed_over(tmp_path: Path) -> None:
    export(PatchTrunk(16), tmp_path / "net.onnx")
    net = PatchNet((tmp_path / "net.onnx").read_bytes(), Limits((), 0.0, 1.01, 0.0), "untaught")
    small, large = Image.new("RGB", (64, 64)), Image.fromarray(scene(320, 240))
    assert len(list(summaries(net, [large, small]))) == 1
