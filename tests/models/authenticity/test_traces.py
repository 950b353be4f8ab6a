"""Statistics of a patch: finite, of one length, blind to turning the picture over, not blind to a codec."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.authenticity.laundering import jpeg
from models.authenticity.traces import traces
from tests.models.authenticity.builders import a_photo


@settings(max_examples=12, deadline=None)
@given(height=st.integers(64, 150), width=st.integers(64, 150), level=st.integers(0, 255), noise=st.sampled_from([0.0, 1.0, 60.0]))
def test_traces_are_finite_and_of_one_length(height: int, width: int, level: int, noise: float) -> None:
    rng = np.random.default_rng(height)
    patch = np.clip(level + noise * rng.normal(size=(height, width, 3)), 0, 255).astype(np.uint8)
    row = traces(patch)
    assert row.shape == traces(np.zeros((64, 64, 3), np.uint8)).shape
    assert np.isfinite(row).all()


def test_a_mirrored_patch_leaves_nearly_the_same_traces() -> None:
    patch = np.asarray(a_photo(256, 256))
    assert np.abs(traces(patch) - traces(patch[:, ::-1])).mean() < 0.02


def test_a_codec_leaves_traces() -> None:
    photo = a_photo(256, 256)
    kept = np.abs(traces(np.asarray(photo)) - traces(np.asarray(jpeg(photo, 50)))).max()
    assert kept > 1
