import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from data_contracts.errors import ModelMismatchError, NotFoundError
from features.image.examples import scene
from models.authenticity.artifact import SHIPPED
from models.authenticity.heat_map import CARD, CELL, FORMAT, LONG_SIDE, NET, PatchNet, load_patch_net, strongest_region, summary
from models.authenticity.patch_net import PatchTrunk, export

BOX = (200, 120, 360, 280)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untaught net with a card of its own: everything but what it learnt."""
    torch.manual_seed(4)
    place = tmp_path_factory.mktemp("patches")
    export(PatchTrunk(16), place / NET)
    limits = {"weights": [0.2, 0.2, 0.2, 0.2, 0.1, 0.5], "bias": -1.0, "edited_from": 0.999, "clean_to": 0.1}
    digest = hashlib.sha256((place / NET).read_bytes()).hexdigest()
    (place / CARD).write_text(json.dumps({"format": FORMAT, "sha256": digest, "limits": limits}))
    return place


@pytest.fixture
def net(folder: Path) -> PatchNet:
    return load_patch_net(folder)


def photo() -> Image.Image:
    return Image.fromarray(scene(640, 480))


def smoothed_in_a_box() -> Image.Image:
    picture = photo()
    picture.paste(picture.crop(BOX).filter(ImageFilter.GaussianBlur(2)), BOX[:2])
    return picture


@pytest.mark.skipif(not (SHIPPED / CARD).is_file(), reason="no patch net is shipped; run python -m models.authenticity.train_patches")
def test_the_shipped_net_finds_a_redrawn_box() -> None:
    heat = load_patch_net().look(smoothed_in_a_box()).map.astype(float)
    left, top, right, bottom = (side // CELL for side in BOX)
    inside = np.zeros(heat.shape, bool)
    inside[top:bottom, left:right] = True
    assert heat[inside].mean() > heat[~inside].mean() + 20


def test_the_map_covers_the_whole_picture_and_says_the_same_again(net: PatchNet) -> None:
    first, second = net.look(photo()), net.look(photo())
    assert first.map.shape == (480 // CELL, 640 // CELL)
    assert first.map.dtype == np.uint8
    assert np.array_equal(first.map, second.map)
    assert 0 <= first.score <= 1
    assert first.unavailable is None
    assert first.version == net.version


def test_a_large_photo_is_looked_at_in_bounded_size(net: PatchNet) -> None:
    heat = net.look(Image.fromarray(scene(2600, 300))).map
    assert heat.shape[1] == LONG_SIDE // CELL


def test_an_untouched_picture_is_not_called_edited(net: PatchNet) -> None:
    assert net.look(photo()).verdict != "edited"


def test_a_tiny_picture_is_not_judged(net: PatchNet) -> None:
    seen = net.look(Image.new("RGB", (90, 400)))
    assert seen.unavailable == "too_small"
    assert seen.verdict == "unsure"
    assert seen.region is None


def test_above_the_limit_the_verdict_is_edited_and_names_a_region(net: PatchNet) -> None:
    bold = PatchNet(net._content, replace(net.limits, edited_from=0.0, clean_to=-1.0), "bold")
    seen = bold.look(smoothed_in_a_box())
    assert seen.verdict == "edited"
    assert seen.region is not None


def test_no_limit_within_reach_means_no_accusation(net: PatchNet) -> None:
    timid = PatchNet(net._content, replace(net.limits, edited_from=1.1, clean_to=-1.0), "timid")
    assert timid.look(smoothed_in_a_box()).verdict == "unsure"


def test_the_strongest_region_is_the_box_with_the_most_heat() -> None:
    heat = np.zeros((20, 40), np.uint8)
    heat[2:4, 3:5] = 250
    heat[10:15, 20:30] = 220
    region = strongest_region(heat)
    assert region is not None
    assert (region.left, region.top, region.right, region.bottom) == (0.5, 0.5, 0.75, 0.75)
    assert strongest_region(np.full((4, 4), 9, np.uint8)) is None


def test_a_summary_of_an_even_map_has_no_spread() -> None:
    even = summary(np.full((30, 40), -2.0, np.float32))
    assert np.allclose(even, [-2, -2, -2, -2, 0, 0], atol=1e-5)


def test_without_files_there_is_no_patch_net(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="train_patches"):
        load_patch_net(tmp_path)


def test_a_changed_net_or_card_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in (NET, CARD):
        shutil.copy(folder / name, tmp_path / name)
    assert load_patch_net(tmp_path).version == load_patch_net(folder).version
    (tmp_path / NET).write_bytes((tmp_path / NET).read_bytes() + b"\0")
    with pytest.raises(ModelMismatchError, match="sha256"):
        load_patch_net(tmp_path)
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | {"format": 0}))
    with pytest.raises(ModelMismatchError, match="format"):
        load_patch_net(tmp_path)


def test_other_limits_are_another_version(folder: Path, tmp_path: Path) -> None:
    for name in (NET, CARD):
        shutil.copy(folder / name, tmp_path / name)
    card = json.loads((tmp_path / CARD).read_text())
    card["limits"]["edited_from"] += 0.001
    (tmp_path / CARD).write_text(json.dumps(card))
    assert load_patch_net(tmp_path).version != load_patch_net(folder).version
