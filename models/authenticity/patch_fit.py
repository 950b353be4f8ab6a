"""Teaching the patch net's trunk on kept traces, and measuring its maps: pixel AUC a picture, the mean and pooled."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata
from torch import Tensor
from torch.nn import functional

from models.authenticity.edit_autoencoders import Pixels
from models.authenticity.patch_net import PatchTrunk
from models.authenticity.patch_samples import CELLS, TRACES_FILE, Halves

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EDITED_FROM = 0.5  # share of a cell
EDITED_WEIGHT = 2.0  # edited cells are the fewer
SETTLED_ON = 150  # samples


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast."""

    steps: int = 1500
    batch: int = 12
    rate: float = 2e-3
    seed: int = 1


def pixel_auc(edited: Bools, answers: npt.NDArray[np.floating]) -> float | None:
    """Chance that an edited place answers higher than an untouched one; None without both."""
    truth = edited.ravel()
    positive = int(truth.sum())
    negative = truth.size - positive
    if positive == 0 or negative == 0:
        return None
    ranks = rankdata(answers.ravel())
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def learn(samples: Path, plan: Plan, *, ready: Callable[[], int], watch: Callable[[int, PatchTrunk], None]) -> PatchTrunk:
    """A trunk taught on the first `ready()` kept samples; `watch` is called now and then."""
    torch.manual_seed(plan.seed)
    dice = np.random.default_rng(plan.seed)
    traces: Halves = np.load(samples / TRACES_FILE, mmap_mode="r")
    cells: Pixels = np.load(samples / CELLS, mmap_mode="r")
    trunk = PatchTrunk()
    trunk.settle(torch.from_numpy(traces[: min(SETTLED_ON, ready())].astype(np.float32)))
    optimiser = torch.optim.AdamW(trunk.parameters(), plan.rate, weight_decay=1e-2)
    for step in range(plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * (min(1.0, step / 100) * (0.5 + 0.5 * np.cos(np.pi * step / plan.steps)) + 1e-3)
        chosen = np.sort(dice.integers(0, ready(), plan.batch))
        given, wanted = _turned(torch.from_numpy(traces[chosen].astype(np.float32)), torch.from_numpy(cells[chosen].astype(np.float32) / 255))
        loss = functional.binary_cross_entropy_with_logits(trunk(given), wanted, weight=1 + (EDITED_WEIGHT - 1) * wanted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trunk.parameters(), 1.0)
        optimiser.step()
        watch(step, trunk)
    return trunk.eval()


def _turned(traces: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
    """Half of the batches end for end: the traces of a cell stay, their order changes."""
    if torch.rand(()) < 0.5:  # noqa: PLR2004
        return traces.flip((2, 3)), cells.flip((1, 2))
    return traces, cells


@torch.no_grad()
def map_figures(trunk: PatchTrunk, samples: Path, most: int) -> dict[str, float]:
    """Mean pixel AUC over kept edited samples, and the pooled one over all, untouched squares included."""
    was_training = trunk.training
    trunk.eval()
    traces: Halves = np.load(samples / TRACES_FILE, mmap_mode="r")[:most]
    cells: Pixels = np.load(samples / CELLS, mmap_mode="r")[:most]
    answers = np.concatenate([trunk(torch.from_numpy(traces[at : at + 16].astype(np.float32))).numpy() for at in range(0, len(traces), 16)])
    edited = cells / 255 > EDITED_FROM
    singles = [value for mask, answer in zip(edited, answers, strict=True) if (value := pixel_auc(mask, answer)) is not None]
    pooled = pixel_auc(edited, answers)
    trunk.train(was_training)
    return {"mean": float(np.mean(singles)), "pooled": float("nan") if pooled is None else pooled, "pictures": float(len(singles))}
