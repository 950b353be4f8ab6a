"""The light model's network: EfficientNet-Lite0 (Tan and Le 2019; weights of its first training Apache-2.0), read at six depths.

Only training needs torch; service runs the ONNX export. Input: a view's pixels, 0 to 255; output one row of LIGHT_FEATURES numbers:
mean and spread of every depth's channels. A small convolutional net keeps the fine texture that a patch transformer averages away.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-3
PIXEL_MIDDLE, PIXEL_SPREAD = 127.0, 128.0
HEAD_CHANNELS = 1280


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of equal blocks: widening, kernel, first stride, channels out, how many."""

    widen: int
    kernel: int
    stride: int
    channels: int
    repeats: int


STAGES = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)
READ_AFTER = (1, 2, 3, 4, 6)  # stages whose output is read; the head is read as well
LIGHT_FEATURES = 2 * (sum(STAGES[stage].channels for stage in READ_AFTER) + HEAD_CHANNELS)


class _SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow does, which the first training assumed: odd padding goes right and down."""

    def forward(self, x: Tensor) -> Tensor:
        need = [max(0, (-(-side // s) - 1) * s + k - side) for side, s, k in zip(x.shape[-2:], self.stride, self.kernel_size, strict=True)]
        high, wide = need
        padded = functional.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, 0, 1, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=0.01)


class _Block(nn.Module):
    def __init__(self, stage: Stage, *, first: bool, channels_in: int) -> None:
        super().__init__()
        wide = channels_in * stage.widen
        stride = stage.stride if first else 1
        self.has_expand = stage.widen > 1
        if self.has_expand:
            self._expand_conv = _SameConv(channels_in, wide, 1, bias=False)
            self._bn0 = _norm(wide)
        self._depthwise_conv = _SameConv(wide, wide, stage.kernel, stride, groups=wide, bias=False)
        self._bn1 = _norm(wide)
        self._project_conv = _SameConv(wide, stage.channels, 1, bias=False)
        self._bn2 = _norm(stage.channels)
        self.adds = stride == 1 and channels_in == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self.has_expand else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        z: Tensor = x + y if self.adds else y
        return z


class LightNet(nn.Module):
    """The trunk; names of its parts are those of the published weights."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks, channels, self.read = [], 32, set[int]()
        for number, stage in enumerate(STAGES):
            for repeat in range(stage.repeats):
                blocks.append(_Block(stage, first=repeat == 0, channels_in=channels))
                channels = stage.channels
            if number in READ_AFTER:
                self.read.add(len(blocks) - 1)
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _SameConv(channels, HEAD_CHANNELS, 1, bias=False)
        self._bn1 = _norm(HEAD_CHANNELS)

    def forward(self, view: Tensor) -> Tensor:
        """One row of LIGHT_FEATURES a picture."""
        x = functional.relu6(self._bn0(self._conv_stem((view - PIXEL_MIDDLE) / PIXEL_SPREAD)))
        seen = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in self.read:
                seen.append(x)
        seen.append(functional.relu6(self._bn1(self._conv_head(x))))
        return torch.cat([part for x in seen for part in (x.mean((2, 3)), x.flatten(2).std(2))], dim=1)
