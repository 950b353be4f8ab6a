import numpy as np
import pytest

from models.authenticity.edit_shapes import LARGEST_SHARE, SMALLEST_SHARE, soft_mask


@pytest.mark.parametrize("seed", range(12))
def test_a_mask_covers_neither_nothing_nor_all(seed: int) -> None:
    mask = soft_mask(np.random.default_rng(seed), 128)
    assert mask.shape == (128, 128)
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert SMALLEST_SHARE * 0.5 <= mask.mean() <= LARGEST_SHARE * 1.1


def test_the_same_seed_gives_the_same_mask() -> None:
    assert np.array_equal(soft_mask(np.random.default_rng(3), 96), soft_mask(np.random.default_rng(3), 96))
