"""Training the patch net from the shelf: make edits, keep their traces, teach the trunk, fit the limits, write net and card.

Run: python -m models.authenticity.train_patches --data DIR --vae DIR --work DIR --out DIR [--pairs N] [--steps N] [--seed N]
What lies in the work folder is used again: a broken run goes on where it stopped. About ten minutes of one core with the defaults.
"""

import argparse
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.authenticity.artifact import SHIPPED
from models.authenticity.edit_making import PICTURES, Pools, is_held_out, make_pairs, make_renderers, read_pools
from models.authenticity.heat_map import CARD, FORMAT, NET, Limits, PatchNet, version_of
from models.authenticity.manifest import DEFAULT_DATA, Label, chosen, read_manifest
from models.authenticity.patch_fit import Plan, learn, map_figures
from models.authenticity.patch_limits import Fitted, fit_limits, summaries
from models.authenticity.patch_net import PatchTrunk, export
from models.authenticity.patch_samples import make_samples
from models.authenticity.pictures import opened

LOG = logging.getLogger(__name__)
HELD_PAIRS = 200
DELIVERIES = 2
WATCH_EVERY = 250
NEVER = 1.01  # a limit that no score reaches: maps are given, accusations are not


@dataclass(frozen=True, slots=True)
class Task:
    """What to train from, where to work, where to write."""

    data: Path
    vae: Path
    work: Path
    out: Path
    pairs: int
    plan: Plan
    accuse: bool


def make(task: Task) -> None:
    """Pairs to learn from and pairs to hold out, each with their kept traces."""
    wanted = {"learnt": (False, task.pairs, DELIVERIES), "held": (True, HELD_PAIRS, 1)}
    missing = [name for name in wanted if not (task.work / name / "kept").exists()]
    if not missing:
        return
    learnt = read_pools(task.data)
    renderers = make_renderers(learnt, task.vae, task.plan.seed)
    for name in missing:
        held_out, count, deliveries = wanted[name]
        pools = read_pools(task.data, held_out=held_out)
        seed = task.plan.seed + held_out
        make_pairs(pools, renderers, task.work / name, count, seed)
        keep(task.work / name, pools, deliveries, seed)
        LOG.info("made %d pairs: %s", count, name)


def keep(folder: Path, pools: Pools, deliveries: int, seed: int) -> None:
    """The traces of one folder's pairs; the folder `kept` appears when they are all there."""
    part = folder / "part"
    for _ in make_samples(folder, lambda number: pools.real.draw(np.random.default_rng((seed, 1, number))), part, deliveries=deliveries, seed=seed):
        pass
    part.rename(folder / "kept")


def held_untouched(task: Task) -> Iterator[Image.Image]:
    """Real photos of the sources that were not learnt from."""
    for row in chosen(read_manifest(task.data), part="train", labels=[Label.REAL]):
        if is_held_out(row.source):
            yield opened(task.data / row.path)


def held_edited(task: Task) -> Iterator[Image.Image]:
    """Made edits of held-out photos, and the edited photos that the shelf has for training."""
    shelf = (opened(task.data / row.path) for row in chosen(read_manifest(task.data), part="train", labels=[Label.EDITED]))
    return chain((Image.fromarray(np.asarray(picture)) for picture in np.load(task.work / "held" / PICTURES, mmap_mode="r")), shelf)


def limited(task: Task, content: bytes) -> Fitted:
    """Score and limits of that net on held-out photos; without --accuse, no score reaches "edited"."""
    raw = PatchNet(content, Limits((), 0.0, NEVER, 0.0), "unfitted")
    fitted = fit_limits(list(summaries(raw, held_untouched(task))), list(summaries(raw, held_edited(task))))
    LOG.info(
        "limits %s: %d false alarms of %d, recall %.3f of %d", fitted.limits, fitted.false_alarms, fitted.untouched, fitted.recall, fitted.edited
    )
    return fitted


def write(task: Task, fitted: Fitted, figures: Mapping[str, float]) -> str:
    """The card beside the net; the version."""
    limits: dict[str, Any] = asdict(fitted.limits)
    if not task.accuse:
        limits["edited_from"] = NEVER
    digest = hashlib.sha256((task.out / NET).read_bytes()).hexdigest()
    card = {
        "format": FORMAT,
        "sha256": digest,
        "version": version_of(digest, limits),
        "limits": limits,
        "held_out": {"pixel_auc": dict(figures), "untouched": fitted.untouched, "edited": fitted.edited, "would_catch": fitted.recall},
        "trained_on": {"pairs": task.pairs, **asdict(task.plan)},
        "data": "edits of our own making on real training photos; TAEF2 (MIT) and small autoencoders redraw; no photo is stored here",
    }
    (task.out / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return version_of(digest, limits)


def train(task: Task) -> str:
    """Everything in turn; the version of what was written."""
    make(task)
    learnt, held = task.work / "learnt" / "kept", task.work / "held" / "kept"
    count = task.pairs * (DELIVERIES + 1)

    def watch(step: int, trunk: PatchTrunk) -> None:
        if step % WATCH_EVERY == WATCH_EVERY - 1:
            LOG.info("step %d: %s", step + 1, map_figures(trunk, held, 2 * HELD_PAIRS))

    trunk = learn(learnt, task.plan, ready=lambda: count, watch=watch)
    task.out.mkdir(parents=True, exist_ok=True)
    export(trunk, task.out / NET)
    return write(task, limited(task, (task.out / NET).read_bytes()), map_figures(trunk, held, 2 * HELD_PAIRS))


def main() -> None:
    """Read the arguments and train."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=DEFAULT_DATA)
    asked.add_argument("--vae", type=Path, default=DEFAULT_DATA.parent / "vae")
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--out", type=Path, default=SHIPPED)
    asked.add_argument("--pairs", type=int, default=1500)
    asked.add_argument("--steps", type=int, default=Plan().steps)
    asked.add_argument("--seed", type=int, default=Plan().seed)
    asked.add_argument("--accuse", action="store_true", help="ship the fitted limit; without it the verdict is never 'edited'")
    given = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    import torch

    torch.set_num_threads(1)
    plan = Plan(steps=given.steps, seed=given.seed)
    version = train(Task(given.data, given.vae, given.work, given.out, given.pairs, plan, given.accuse))
    LOG.info("wrote %s", version)


if __name__ == "__main__":
    main()
