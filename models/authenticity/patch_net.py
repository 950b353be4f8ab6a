"""The patch net: for every 8 x 8 pixels of a photo, how unlike the rest of its own picture their fine traces are.

It never sees content: its first layer is fixed, the strengths of all DCT frequencies of overlapping 8 x 8 windows (every scaling,
smoothing, decoding and saving changes them in its own way). Each place is also compared with the mean and the spread over the whole
picture, so that "unlike the rest" is asked, not only "like what was trained on". Only training needs torch; service runs the ONNX export.
"""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

CELL = 8  # pixels; one answer for each
WINDOW, STRIDE = 8, 4  # pixels; windows on the grid of JPEG and half a block off it
CHROMA_FREQUENCIES = 20  # of 63; the high ones are empty after any 4:2:0 save
LUMA_OF_RGB = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TRACES = WINDOW * WINDOW + 2 * (CHROMA_FREQUENCIES + 1) + WINDOW * WINDOW - 1
AROUND = 5  # cells; 40 pixels, less than the edits that matter
HIDDEN = 48
EVEN, SMALLEST_SPREAD = 0.1, 0.05  # in units of the logarithm: a picture or a number that hardly varies
OPSET = 18


def dct_basis(size: int = WINDOW) -> npt.NDArray[np.float32]:
    """All size x size orthonormal DCT-II patterns, from low to high (by the sum of both frequencies)."""
    places = np.arange(size)
    lines = np.array([np.cos(np.pi * (places + 0.5) * k / size) * np.sqrt((2 if k else 1) / size) for k in range(size)])
    order = sorted(((k, j) for k in range(size) for j in range(size)), key=lambda pair: (sum(pair), pair))
    return np.stack([np.outer(lines[k], lines[j]) for k, j in order]).astype(np.float32)


class Strengths(nn.Module):
    """The fixed first layer: n x 3 x high x wide (RGB, 0 to 255, multiples of CELL) to n x TRACES numbers for every cell.

    log(1 + |coefficient|) of every frequency of luma and the lower ones of both chromas, averaged over the four windows that start in
    the cell; then, for luma, how far the window on the JPEG grid is from that average.
    """

    colours: Tensor
    luma: Tensor
    chroma: Tensor

    def __init__(self) -> None:
        super().__init__()
        basis = torch.from_numpy(dct_basis())[:, None]
        self.register_buffer("colours", torch.tensor(LUMA_OF_RGB)[:, :, None, None])
        self.register_buffer("luma", basis)
        self.register_buffer("chroma", basis[: CHROMA_FREQUENCIES + 1].repeat(2, 1, 1, 1))

    def forward(self, picture: Tensor) -> Tensor:
        """The traces of every cell."""
        yuv = functional.conv2d(picture, self.colours)
        beyond = WINDOW - STRIDE
        yuv = functional.pad(yuv, (0, beyond, 0, beyond), mode="replicate")
        luma = torch.log1p(functional.conv2d(yuv[:, :1], self.luma, stride=STRIDE).abs())
        chroma = torch.log1p(functional.conv2d(yuv[:, 1:], self.chroma, stride=STRIDE, groups=2).abs())
        average = functional.avg_pool2d(luma, 2)
        on_grid = luma[:, 1:, ::2, ::2] - average[:, 1:]
        return torch.cat([average, functional.avg_pool2d(chroma, 2), on_grid], dim=1)


class PatchTrunk(nn.Module):
    """From n x TRACES x rows x columns to one log-odds of "edited here" for every cell.

    Traces are averaged over AROUND x AROUND cells; each cell is then described as it is, and in spreads from its own picture's mean.
    A small net of three layers judges every cell by itself: with a few thousand made edits to learn from, a deeper one learns the makers.
    """

    middle: Tensor
    spread: Tensor

    def __init__(self, wide: int = HIDDEN) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(1, 2 * TRACES, 1, 1))
        self.register_buffer("spread", torch.ones(1, 2 * TRACES, 1, 1))
        self.judge = nn.Sequential(nn.Conv2d(2 * TRACES, wide, 1), nn.ReLU(), nn.Conv2d(wide, wide // 2, 1), nn.ReLU(), nn.Conv2d(wide // 2, 1, 1))

    def described(self, traces: Tensor) -> Tensor:
        """Each cell's surroundings, as they are and compared with the picture."""
        rim = AROUND // 2
        near = functional.avg_pool2d(functional.pad(traces, (rim, rim, rim, rim), mode="replicate"), AROUND, 1)
        middle = near.mean((2, 3), keepdim=True)
        spread = ((near - middle) ** 2).mean((2, 3), keepdim=True).sqrt()
        return torch.cat([near, (near - middle) / (spread + EVEN)], dim=1)

    @torch.no_grad()
    def settle(self, traces: Tensor) -> None:
        """Take the usual middle and spread of every number from these examples."""
        rows = self.described(traces)
        self.middle.copy_(rows.mean((0, 2, 3), keepdim=True))
        self.spread.copy_(rows.std((0, 2, 3), keepdim=True) + SMALLEST_SPREAD)

    def forward(self, traces: Tensor) -> Tensor:
        """Log-odds of "edited here", n x rows x columns."""
        answers: Tensor = self.judge((self.described(traces) - self.middle) / self.spread)
        return answers[:, 0]


def export(trunk: PatchTrunk, file: Path) -> None:
    """Write first layer and trunk as one ONNX file with free height and width."""
    example = torch.zeros(1, 3, 8 * CELL, 8 * CELL)
    free = {"picture": {2: "high", 3: "wide"}, "map": {1: "rows", 2: "columns"}}
    net = nn.Sequential(Strengths(), trunk).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own deprecation
        torch.onnx.export(
            net, (example,), str(file), input_names=["picture"], output_names=["map"], dynamic_axes=free, opset_version=OPSET, dynamo=False
        )
