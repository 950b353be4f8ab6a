from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from features.image.examples import scene
from models.authenticity.edit_autoencoders import Design, Pixels, SmallAutoencoder, redrawn, taef2, train_small
from models.authenticity.edit_making import is_held_out, read_pools
from models.authenticity.edit_pairs import CONTENT_SHARES, CONTENTS, PLAIN_RENDERERS, make_pair, network_renderer

SIDE = 256


def photo(seed: int) -> Pixels:
    picture = Image.fromarray(scene(640, 480)).crop((seed * 16, seed * 8, seed * 16 + SIDE, seed * 8 + SIDE))
    grain = np.random.default_rng(seed).normal(0, 3, (SIDE, SIDE, 3))
    return np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(10))
def test_outside_its_mask_an_edited_photo_is_the_photo(seed: int) -> None:
    base = photo(seed)
    pair = make_pair(base, (photo(seed + 1), photo(seed + 2)), PLAIN_RENDERERS, np.random.default_rng(seed))
    outside = pair.mask == 0
    assert outside.any()
    assert np.abs(pair.picture[outside].astype(int) - base[outside]).max() <= 1  # a feather's tail may round
    assert (pair.picture[pair.mask > 200] != base[pair.mask > 200]).any()


def test_the_same_seed_gives_the_same_pair() -> None:
    first, second = (make_pair(photo(1), (photo(2), photo(3)), PLAIN_RENDERERS, np.random.default_rng(5)) for _ in range(2))
    assert first.recipe == second.recipe
    assert np.array_equal(first.picture, second.picture)


def test_the_shares_of_contents_add_up() -> None:
    assert len(CONTENT_SHARES) == len(CONTENTS)
    assert sum(CONTENT_SHARES) == pytest.approx(1)


@pytest.mark.parametrize("design", list(Design))
def test_every_design_keeps_the_size(design: Design) -> None:
    assert redrawn(SmallAutoencoder(design).eval(), photo(0)[:64, :96]).shape == (64, 96, 3)


def test_a_taught_autoencoder_draws_nearer_to_the_photo_than_a_new_one() -> None:
    crops = np.stack([photo(seed)[:32, :32] for seed in range(8)])
    taught = train_small(Design.NEAREST, crops, steps=25, seed=1)
    untaught = SmallAutoencoder(Design.NEAREST, halvings=3).eval()
    gaps = [np.abs(redrawn(net, photo(9)[:64, :64]).astype(float) - photo(9)[:64, :64]).mean() for net in (taught, untaught)]
    assert gaps[0] < gaps[1]
    assert network_renderer(taught)(photo(9)[:64, :64], np.random.default_rng(0)).shape == (64, 64, 3)


@pytest.mark.shared
def test_taef2_redraws_a_photo_nearly_as_it_was(shelf: Path) -> None:
    picture = photo(2)[:96, :96]
    gap = redrawn(taef2(shelf / "data" / "vae"), picture).astype(float) - picture
    assert 10 * np.log10(255**2 / (gap**2).mean()) > 20


@pytest.mark.shared
def test_nothing_held_out_is_learnt_from(shelf: Path) -> None:
    learnt, held = (read_pools(shelf / "data" / "images", held_out=held) for held in (False, True))
    assert not {p.source for p in learnt.real.pictures} & {p.source for p in held.real.pictures}
    assert is_held_out("imd2020")
    assert all(p.part == "train" for p in learnt.real.pictures)
