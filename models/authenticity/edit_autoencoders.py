"""Networks that redraw a picture: what an AI editor's decoder does to the pixels it returns, without changing what they show.

TAEF2 is the tiny autoencoder of FLUX.2 (madebyollin/taesd, MIT; layers as published). The small ones are of our own, in designs that
differ in how they scale up, because each way of scaling up leaves a trace of its own. All serve training only.
"""

from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

Pixels = npt.NDArray[np.uint8]

STEP = 8  # pixels; every autoencoder here takes sides that are a multiple of it
TAEF2_WIDTH, TAEF2_LATENT, TAEF2_POOLED = 64, 32, 256


class _Block(nn.Module):
    """Three convolutions around a shortcut; in the middle of the network with a pooled path before them."""

    def __init__(self, *, pooled: bool) -> None:
        super().__init__()
        wide = TAEF2_WIDTH
        self.conv = nn.Sequential(_conv(wide, wide), nn.ReLU(), _conv(wide, wide), nn.ReLU(), _conv(wide, wide))
        self.pool = (
            nn.Sequential(
                nn.Conv2d(wide, TAEF2_POOLED, 1, bias=False), nn.GroupNorm(4, TAEF2_POOLED), nn.ReLU(), nn.Conv2d(TAEF2_POOLED, wide, 1, bias=False)
            )
            if pooled
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        return functional.relu(self.conv(x) + x)


class _Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


def _conv(into: int, out: int, stride: int = 1, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(into, out, 3, stride, 1, bias=bias)


def taef2(folder: Path) -> nn.Sequential:
    """TAEF2 with the weights `taef2_encoder.pth` and `taef2_decoder.pth` of that folder; pictures 0 to 1 in and out."""
    wide = TAEF2_WIDTH
    down: list[nn.Module] = [_conv(3, wide), _Block(pooled=False)]
    up: list[nn.Module] = [_Clamp(), _conv(TAEF2_LATENT, wide), nn.ReLU()]
    for depth in range(3):
        down += [_conv(wide, wide, 2, bias=False), *(_Block(pooled=depth == 2) for _ in range(3))]  # noqa: PLR2004  # the last of three
        up += [*(_Block(pooled=depth == 0) for _ in range(3)), nn.Upsample(scale_factor=2), _conv(wide, wide, bias=False)]
    encoder = nn.Sequential(*down, _conv(wide, TAEF2_LATENT))
    decoder = nn.Sequential(*up, _Block(pooled=False), _conv(wide, 3))
    for part, name in ((encoder, "encoder"), (decoder, "decoder")):
        part.load_state_dict(torch.load(folder / f"taef2_{name}.pth", map_location="cpu", weights_only=True))
    return nn.Sequential(encoder, decoder).eval()


class Design(StrEnum):
    """How a small autoencoder scales up."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    TRANSPOSED = "transposed"
    SHUFFLED = "shuffled"
    GATED = "gated"


class SmallAutoencoder(nn.Module):
    """Four or eight times down and up again, with noise injected on the way up as style-based generators do."""

    def __init__(self, design: Design, wide: int = 24, halvings: int = 2) -> None:
        super().__init__()
        self.design = design
        down: list[nn.Module] = [nn.Conv2d(3, wide, 3, 1, 1), nn.SiLU()]
        for _ in range(halvings):
            down += [nn.Conv2d(wide, wide, 4, 2, 1), nn.SiLU()]
        self.down = nn.Sequential(*down, nn.Conv2d(wide, 12, 3, 1, 1))
        self.enter = nn.Conv2d(12, wide, 3, 1, 1)
        self.ups = nn.ModuleList(_Up(design, wide) for _ in range(halvings))
        self.leave = nn.Conv2d(wide, 3, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The picture redrawn, 0 to 1."""
        y = functional.silu(self.enter(self.down(x)))
        for up in self.ups:
            y = up(y)
        redrawn: Tensor = self.leave(y)
        return redrawn


class _Up(nn.Module):
    def __init__(self, design: Design, wide: int) -> None:
        super().__init__()
        self.design = design
        self.noise = nn.Parameter(torch.full((1, wide, 1, 1), 0.02))
        match design:
            case Design.TRANSPOSED:
                self.scale: nn.Module = nn.ConvTranspose2d(wide, wide, 4, 2, 1)
            case Design.SHUFFLED:
                self.scale = nn.Sequential(nn.Conv2d(wide, 4 * wide, 3, 1, 1), nn.PixelShuffle(2))
            case Design.BILINEAR | Design.GATED:
                self.scale = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            case Design.NEAREST:
                self.scale = nn.Upsample(scale_factor=2)
        self.mix = nn.Conv2d(wide, 2 * wide if design is Design.GATED else wide, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.scale(x)
        y = self.mix(y + self.noise * torch.randn_like(y[:, :1]))
        if self.design is Design.GATED:
            value, gate = y.chunk(2, dim=1)
            return functional.silu(value) * torch.sigmoid(gate)
        return functional.silu(y)


def train_small(design: Design, crops: Pixels, *, steps: int, seed: int) -> SmallAutoencoder:
    """A small autoencoder of that design, taught on n x side x side x 3 crops to keep colours, edges and the strength of fine texture."""
    torch.manual_seed(seed)
    dice = np.random.default_rng(seed)
    net = SmallAutoencoder(design, halvings=2 + seed % 2)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps) + 1e-4
        chosen = crops[dice.integers(0, len(crops), 8)]
        wanted = torch.from_numpy(chosen).permute(0, 3, 1, 2).float() / 255
        got = net(wanted)
        loss = (got - wanted).abs().mean() + 0.5 * _texture_gap(got, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net.eval()


def _texture_gap(got: Tensor, wanted: Tensor) -> Tensor:
    """How far the local strength of fine detail is off: it makes the decoder invent texture instead of smoothing it away."""

    def strength(x: Tensor) -> Tensor:
        fine = x - functional.avg_pool2d(x, 3, 1, 1)
        return functional.avg_pool2d(fine.abs(), 8, 4)

    return (strength(got) - strength(wanted)).abs().mean()


@torch.no_grad()
def redrawn(net: nn.Module, picture: Pixels) -> Pixels:
    """The picture as the network draws it again; sides must be multiples of STEP."""
    x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
    values: Tensor = net(x).clamp(0, 1) * 255
    return np.asarray(values[0].permute(1, 2, 0).round().to(torch.uint8).numpy())
