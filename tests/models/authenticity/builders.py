"""Pictures and models small enough for tests."""

import numpy as np
from PIL import Image

from models.authenticity.artifact import Fusion, Limits, Model
from models.authenticity.gate import fit_gate
from models.authenticity.heads import Floats, Head
from models.authenticity.traces import traces


def a_photo(width: int = 640, height: int = 480, seed: int = 0) -> Image.Image:
    """Smooth shapes with noise, like a photo to a codec."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(coarse, np.float32) + rng.normal(0, 4, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def a_head(columns: int, weight: float = 0.0, bias: float = 0.0) -> Head:
    """Adds up its columns."""
    return Head(np.zeros(columns, np.float32), np.ones(columns, np.float32), np.full(columns, weight, np.float32), bias)


def brightness(square: Image.Image) -> Floats:
    """A stand-in encoder: one number, the mean brightness from -1 to 1, and three that stay still."""
    value = float(np.asarray(square, np.float32).mean()) / 127.5 - 1
    return np.array([value, 0.1, -0.1, 0.0], np.float32)


def a_model(*, slope: float = 10.0, limits: Limits | None = None) -> Model:
    """Bright pictures are generated, dark ones are not; the specialist is silent."""
    rng = np.random.default_rng(1)
    gate = fit_gate(rng.normal(0, 1, (200, 4)).astype(np.float32), directions=2, share_far=0.005)
    whole = Head(np.zeros(4, np.float32), np.ones(4, np.float32), np.array([slope, 0, 0, 0], np.float32), 0.0)
    width = traces(np.zeros((64, 64, 3), np.uint8)).size
    return Model("test", whole, a_head(width), gate, Fusion(1.0, 1.0, 0.5, 0.0), limits or Limits(0.2, 0.9))
