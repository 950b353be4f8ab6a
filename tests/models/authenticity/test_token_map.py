import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_contracts.errors import ModelMismatchError, NotFoundError
from features.image.examples import scene
from models.authenticity.pictures import VIEW_SIDE
from models.authenticity.token_map import FILE, LONG_SIDE, PATCH, TokenMap, described, load_token_map, save_token_map, starts
from models.authenticity.tower import WIDTH, Tower, default_path
from models.authenticity.train_token_map import fit, held_out_auc

needs_tower = pytest.mark.skipif(not default_path().is_file(), reason="no tower; run python -m models.authenticity.install_tower")


@pytest.fixture(scope="module")
def shipped() -> TokenMap:
    return load_token_map(Tower(default_path()))


def photo(width: int = 400, height: int = 300) -> Image.Image:
    return Image.fromarray(scene(width, height))


@pytest.mark.parametrize("length", [224, 230, 256, 300, 512, 657, 1024])
def test_windows_cover_a_side_on_the_patches_grid(length: int) -> None:
    places = starts(length)
    covered = {patch for start in places for patch in range(start // PATCH, (start + VIEW_SIDE) // PATCH)}
    assert covered == set(range(length // PATCH))
    assert all(start % PATCH == 0 and start + VIEW_SIDE <= length for start in places)


def test_a_change_of_the_whole_photo_alike_is_not_noticed() -> None:
    tokens = np.random.default_rng(1).normal(size=(9, 7, WIDTH)).astype(np.float32)
    assert np.allclose(described(tokens), described(tokens + 3), atol=1e-4)


@needs_tower
def test_the_map_covers_the_photo_says_the_same_again_and_accuses_nobody(shipped: TokenMap) -> None:
    first, second = shipped.look(photo()), shipped.look(photo())
    assert first.map.shape == (300 // PATCH, 400 // PATCH)
    assert np.array_equal(first.map, second.map)
    assert (first.verdict, first.score, first.unavailable) == ("unsure", 0.0, None)
    assert first.version == shipped.version


@needs_tower
def test_a_large_photo_is_looked_at_in_bounded_size(shipped: TokenMap) -> None:
    assert shipped.look(photo(2 * LONG_SIDE, 280)).map.shape == (140 // PATCH, LONG_SIDE // PATCH)


@needs_tower
def test_a_small_photo_is_not_judged_without_the_tower_being_asked(shipped: TokenMap) -> None:
    assert shipped.look(photo(90, 400)).unavailable == "too_small"


def test_the_line_finds_the_direction_that_differs() -> None:
    dice = np.random.default_rng(3)
    examples = []
    for _ in range(30):
        tokens, shares = dice.normal(size=(196, WIDTH)).astype(np.float32), np.zeros(196, np.float32)
        shares[:50] = 1
        tokens[:50, :20] += 1.5
        examples.append((tokens, shares))
    mean, pictures = held_out_auc(fit(examples[:25], 1), examples[25:])
    assert mean > 0.9
    assert pictures == 5


@needs_tower
def test_without_the_file_there_is_no_map(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="train_token_map"):
        load_token_map(Tower(default_path()), tmp_path)


@needs_tower
def test_another_tower_or_block_or_format_is_refused(tmp_path: Path) -> None:
    save_token_map(np.ones(WIDTH, np.float32), 0.5, {}, tmp_path)
    tower = Tower(default_path())
    assert load_token_map(tower, tmp_path).bias == 0.5
    good = json.loads((tmp_path / FILE).read_text())
    for change in ({"tower": "0"}, {"block": 11}, {"format": 0}):
        (tmp_path / FILE).write_text(json.dumps(good | change))
        with pytest.raises(ModelMismatchError, match="train again"):
            load_token_map(tower, tmp_path)
