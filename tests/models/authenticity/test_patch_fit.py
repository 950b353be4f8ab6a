from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from features.image.examples import scene
from models.authenticity.edit_making import MASKS, PICTURES
from models.authenticity.patch_fit import Plan, learn, map_figures, pixel_auc
from models.authenticity.patch_net import CELL, PatchTrunk
from models.authenticity.patch_samples import CROP, delivered, make_samples

SIDE = 256


@given(some.lists(some.tuples(some.booleans(), some.integers(0, 5)), min_size=2, max_size=30))
@settings(deadline=None, max_examples=60)
def test_pixel_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, int]]) -> None:
    edited, answers = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    inside, outside = answers[edited], answers[~edited]
    if not inside.size or not outside.size:
        assert pixel_auc(edited, answers) is None
        return
    pairs = (inside[:, None] > outside[None]) + 0.5 * (inside[:, None] == outside[None])
    assert pixel_auc(edited, answers) == pytest.approx(float(pairs.mean()))


@pytest.mark.parametrize("seed", range(8))
def test_a_delivery_moves_the_mask_with_the_picture(seed: int) -> None:
    picture = np.full((SIDE, SIDE, 3), 40, np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    picture[:, 100:], mask[:, 100:] = 220, 255
    arrived, moved = delivered(picture, mask, np.random.default_rng(seed))
    assert arrived.shape[:2] == moved.shape
    bright = arrived[..., 1] > 130
    assert (bright == (moved > 127)).mean() > 0.98


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    dice = np.random.default_rng(0)
    pictures, masks = np.zeros((4, SIDE, SIDE, 3), np.uint8), np.zeros((4, SIDE, SIDE), np.uint8)
    for number in range(4):
        pictures[number] = scene(640, 480)[number : number + SIDE, 20 * number : 20 * number + SIDE]
        masks[number, :, 128:] = 255
        pictures[number, :, 128:] = np.clip(pictures[number, :, 128:] + dice.normal(0, 12, (SIDE, 128, 3)), 0, 255)
    np.save(tmp_path / PICTURES, pictures)
    np.save(tmp_path / MASKS, masks)
    return tmp_path


def test_the_trunk_learns_where_grain_was_added(pairs: Path) -> None:
    kept = pairs / "kept"
    ready = list(make_samples(pairs, lambda number: scene(640, 480)[number : number + SIDE, :SIDE], kept, deliveries=2, seed=1))
    assert ready == [3, 6, 9, 12]
    assert np.load(kept / "cells.npy").shape == (12, CROP // CELL, CROP // CELL)
    steps: list[int] = []
    untaught = map_figures(PatchTrunk(), kept, 12)
    trunk = learn(kept, Plan(steps=15, batch=3), ready=lambda: 12, watch=lambda step, _: steps.append(step))
    taught = map_figures(trunk, kept, 12)
    assert steps == list(range(15))
    assert untaught["pictures"] == taught["pictures"] > 0
    assert taught["pooled"] > max(0.8, untaught["pooled"])
