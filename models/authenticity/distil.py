"""Teach the light network to see what the tower sees: `python -m models.authenticity.distil --start WEIGHTS.pth --data DIR --out DIR`.

The student gets a training picture, mirrored or delivered roughly at random, and must give the tower's main directions of
the picture as it was, and the tower's held-out opinion. No label of a picture reaches the student except through heads
that never saw its source, so the light model's own held-out figures stay honest. One epoch is about 4,000 pictures:
6 minutes on an idle core, seconds on a GPU (used when there is one). Each epoch ends with a checkpoint; a broken run goes on from it.
"""

import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
import typer
from torch import Tensor, nn
from torch.nn import functional

from models.authenticity import tower
from models.authenticity.fitting import Rows, Settings, judge_held_out
from models.authenticity.heads import Floats, fit_basis
from models.authenticity.laundering import rough
from models.authenticity.light_net import LIGHT_FEATURES, LightNet
from models.authenticity.manifest import DEFAULT_DATA, Label, chosen, read_manifest
from models.authenticity.measure import Measurer
from models.authenticity.network import LIGHT_FILE
from models.authenticity.pictures import Place, opened, stored, view
from models.authenticity.train import tower_rows

DIRECTIONS = 128
OPINION_WEIGHT = 1.0
CHECKPOINT = "light-student.pt"
MIRRORED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how hard to learn. The rate falls over `epochs`; learning stops after `stop_after` of them."""

    epochs: int = 6
    stop_after: int = 6
    batch: int = 32
    rate: float = 1e-3
    decay: float = 1e-4
    rough_share: float = 0.4
    seed: int = 7


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What the student must say of each picture: the tower's main directions (standardised) and its log-odds."""

    directions: Floats
    opinion: Floats


def lesson(rows: Rows, settings: Settings) -> Lesson:
    """From the tower's rows and the judgements of heads that did not know the source."""
    from sklearn.decomposition import PCA

    scaled = (rows.whole - rows.whole.mean(axis=0)) / (rows.whole.std(axis=0) + 1e-6)
    found = PCA(DIRECTIONS, svd_solver="randomized", random_state=settings.seed).fit_transform(scaled)
    opinion = judge_held_out(replace(rows, whole=fit_basis(rows.whole, settings.directions)(rows.whole)), settings).whole
    return Lesson((found / found.std(axis=0)).astype(np.float32), np.clip(opinion, -6, 6).astype(np.float32))


class Student(nn.Module):
    """The light network with the two answers it is taught by; only the network is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = LightNet()
        self.norm = nn.BatchNorm1d(LIGHT_FEATURES, affine=False)
        self.directions = nn.Linear(LIGHT_FEATURES, DIRECTIONS)
        self.opinion = nn.Linear(LIGHT_FEATURES, 1)

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """(directions, log-odds) of each view."""
        row = self.norm(self.trunk(views))
        return self.directions(row), self.opinion(row)[:, 0]


def loss_of(answer: tuple[Tensor, Tensor], directions: Tensor, opinion: Tensor) -> Tensor:
    """Squared error of the directions, cross-entropy against the tower's opinion."""
    return functional.mse_loss(answer[0], directions) + OPINION_WEIGHT * functional.binary_cross_entropy_with_logits(
        answer[1], torch.sigmoid(opinion)
    )


class Views:
    """The training views in memory, two deliveries each, and random batches of them."""

    def __init__(self, data: Path, rows: Rows, *, say: Any) -> None:  # noqa: ANN401  # any printer
        say(f"decoding {len(rows.pictures)} pictures, two deliveries each")
        self.plain = np.empty((len(rows.pictures), 224, 224, 3), np.uint8)
        self.rough = np.empty_like(self.plain)
        for place, picture in enumerate(rows.pictures):
            whole = opened(data / picture.path)
            self.plain[place] = np.asarray(view(stored(whole), Place.CENTRE))
            self.rough[place] = np.asarray(view(stored(rough(whole, picture.seed)), Place.CENTRE))

    def batches(self, schedule: Schedule, epoch: int) -> Iterator[tuple[npt.NDArray[np.int64], Tensor]]:
        """(places, views) in a random order that seed and epoch decide."""
        rng = np.random.default_rng((schedule.seed, epoch))
        order = rng.permutation(self.plain.shape[0])
        for start in range(0, order.size - schedule.batch + 1, schedule.batch):
            places = order[start : start + schedule.batch]
            is_rough = rng.random(places.size) < schedule.rough_share
            chosen_views = np.where(is_rough[:, None, None, None], self.rough[places], self.plain[places])
            mirrored = rng.random(places.size) < MIRRORED_SHARE
            chosen_views[mirrored] = chosen_views[mirrored, :, ::-1]
            yield places, torch.from_numpy(np.ascontiguousarray(chosen_views.transpose(0, 3, 1, 2))).float()


def teach(student: Student, views: Views, taught: Lesson, schedule: Schedule, kept: Path, say: Any) -> None:  # noqa: ANN401  # any printer
    """Run the epochs that are left, with a checkpoint after each."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    student.to(device)
    groups: list[dict[str, Any]] = [
        {"params": student.trunk.parameters(), "lr": schedule.rate / 2},
        {"params": [*student.directions.parameters(), *student.opinion.parameters()]},
    ]
    optimiser = torch.optim.AdamW(groups, lr=schedule.rate, weight_decay=schedule.decay)
    steps = views.plain.shape[0] // schedule.batch * schedule.epochs
    course = torch.optim.lr_scheduler.OneCycleLR(optimiser, [schedule.rate / 2, schedule.rate], total_steps=steps + 1, pct_start=0.15)
    first = 0
    if (kept / CHECKPOINT).is_file():
        stored_state = torch.load(kept / CHECKPOINT, weights_only=True, map_location=device)
        student.load_state_dict(stored_state["student"])
        optimiser.load_state_dict(stored_state["optimiser"])
        course.load_state_dict(stored_state["course"])
        first = int(stored_state["epoch"])
    for epoch in range(first, schedule.stop_after):
        student.train()
        losses = []
        for places, batch in views.batches(schedule, epoch):
            optimiser.zero_grad()
            loss = loss_of(student(batch.to(device)), *(torch.from_numpy(part[places]).to(device) for part in (taught.directions, taught.opinion)))
            torch.autograd.backward(loss)
            optimiser.step()
            course.step()
            losses.append(float(loss.detach()))
        state = {"student": student.state_dict(), "optimiser": optimiser.state_dict(), "course": course.state_dict(), "epoch": epoch + 1}
        torch.save(state, kept / CHECKPOINT)
        say(f"epoch {epoch + 1} of {schedule.epochs}: loss {np.mean(losses):.4f}")


def export(trunk: LightNet, file: Path) -> None:
    """Write the network as ONNX, one view a call."""
    trunk.eval().cpu()
    part = file.with_suffix(".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own deprecation and about a slice it does not fold
        torch.onnx.export(
            trunk, (torch.zeros(1, 3, 224, 224),), str(part), input_names=["view"], output_names=["row"], dynamo=False, opset_version=17
        )
    shutil.move(part, file)


def main(
    start: Annotated[Path, typer.Option(help="Weights of EfficientNet-Lite0's first training (.pth).")],
    out: Annotated[Path, typer.Option(help="Folder that gets light.onnx.")],
    data: Annotated[Path, typer.Option(help="Folder with pictures and manifest.csv.")] = DEFAULT_DATA,
    kept: Annotated[Path, typer.Option(help="Folder of measured rows and checkpoints.")] = Path("build/authenticity"),
    epochs: Annotated[int, typer.Option(help="Epochs over which the rate falls; a second run goes on.")] = 6,
    stop_after: Annotated[int, typer.Option(help="Epochs after which the network is written.")] = 6,
) -> None:
    """Distil the tower into the light network."""
    torch.set_num_threads(1)
    schedule = Schedule(epochs=epochs, stop_after=min(epochs, stop_after))
    torch.manual_seed(schedule.seed)
    pictures = chosen(read_manifest(data), part="train", labels=(Label.REAL, Label.GENERATED))
    rows = tower_rows(Measurer(data, kept, typer.echo), pictures, tower.default_path())
    student = Student()
    student.trunk.load_state_dict(torch.load(start, weights_only=True), strict=False)
    if epochs:
        teach(student, Views(data, rows, say=typer.echo), lesson(rows, Settings()), schedule, kept, typer.echo)
    out.mkdir(parents=True, exist_ok=True)
    export(student.trunk, out / LIGHT_FILE)


if __name__ == "__main__":
    typer.run(main)
