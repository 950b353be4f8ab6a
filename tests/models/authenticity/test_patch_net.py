from pathlib import Path

import numpy as np
import onnxruntime
import torch

from features.image.examples import scene
from models.authenticity.patch_net import CELL, TRACES, PatchTrunk, Strengths, dct_basis, export

SIDES = (96, 128)


def picture() -> torch.Tensor:
    return torch.from_numpy(scene(SIDES[1], SIDES[0]).transpose(2, 0, 1)[None].astype(np.float32))


def test_the_patterns_are_orthonormal_and_the_first_is_flat() -> None:
    flat = dct_basis().reshape(64, 64)
    assert np.allclose(flat @ flat.T, np.eye(64), atol=1e-5)
    assert np.ptp(flat[0]) < 1e-6


def test_every_cell_gets_its_traces() -> None:
    assert Strengths()(picture()).shape == (1, TRACES, SIDES[0] // CELL, SIDES[1] // CELL)


def test_an_even_picture_has_no_strengths_but_its_colour() -> None:
    traces = Strengths()(torch.full((1, 3, 32, 32), 100.0))[0].reshape(TRACES, -1)
    alive = (traces.abs() > 1e-3).any(1)
    assert alive.nonzero().ravel().tolist() == [0]


def test_the_exported_file_answers_as_the_net_does_on_any_size(tmp_path: Path) -> None:
    torch.manual_seed(1)
    trunk = PatchTrunk(16).eval()
    trunk.settle(Strengths()(picture()))
    export(trunk, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = trunk(Strengths()(picture())).numpy()
    assert wanted.shape == (1, SIDES[0] // CELL, SIDES[1] // CELL)
    assert np.allclose(session.run(None, {"picture": picture().numpy()})[0], wanted, atol=1e-4)


def test_a_settled_trunk_sees_its_examples_around_zero() -> None:
    trunk = PatchTrunk(16)
    traces = Strengths()(picture())
    trunk.settle(traces)
    rows = (trunk.described(traces) - trunk.middle) / trunk.spread
    assert rows.mean((0, 2, 3)).abs().max() < 1e-3
    assert rows.std() <= 1.05


def test_half_of_the_description_does_not_notice_that_the_whole_picture_changed_alike() -> None:
    traces = Strengths()(picture())
    before, after = (PatchTrunk(16).described(rows)[:, TRACES:] for rows in (traces, traces + 0.7))
    assert torch.allclose(before, after, atol=1e-3)
