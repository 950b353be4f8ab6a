"""Train both models from a folder of pictures: `python -m models.authenticity.train --data DIR --out DIR [--kept DIR]`.

Reproducible: the same pictures, tower, trunk and seed give the same files. Measuring is the long part (about 0.1 s a picture and
view on one core) and is kept; fitting takes minutes. Nothing here reads the part `dev`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from scipy.special import expit

from data_contracts.errors import NotFoundError, RiskError
from models.authenticity import tower
from models.authenticity.artifact import SHIPPED, Model, save
from models.authenticity.families import FAMILIES, family
from models.authenticity.fitting import HeldOut, Rows, Settings, build, fit_whole
from models.authenticity.heads import Floats
from models.authenticity.laundering import AS_IS
from models.authenticity.manifest import DEFAULT_DATA, MISLABELLED, Label, Picture, chosen, read_manifest
from models.authenticity.measure import Measurer
from models.authenticity.metrics import auc, recall_at
from models.authenticity.network import LIGHT_FILE, TOWER_COLUMNS, light_encode
from models.authenticity.pictures import Place, pixels
from models.authenticity.splits import parts

Say = Callable[[str], None]
MATCHED_AT_LEAST = 6  # pictures of both classes before a source is a matched set


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of one training."""

    data: Path
    out: Path
    kept: Path
    tower: Path


def train(places: Places, settings: Settings, say: Say) -> dict[str, Any]:
    """Measure, fit, judge and write; the card comes back."""
    pictures = chosen(read_manifest(places.data), part="train", labels=(Label.REAL, Label.GENERATED))
    say(f"{len(pictures)} pictures of {len({p.source for p in pictures})} sources; mislabelled and left out: {', '.join(MISLABELLED)}")
    measurer = Measurer(places.data, places.kept, say)
    big = tower_rows(measurer, pictures, places.tower)
    model, seen = build("tower", big, settings)
    say(f"tower: {described(held_out_figures(big, model, seen))}")
    small = light_rows(measurer, big, seen, places.out / LIGHT_FILE)
    light, light_seen = build("light", small, settings)
    say(f"light: {described(held_out_figures(small, light, light_seen))}")
    card = {
        "trained_on": trained_on(big),
        "settings": asdict(settings),
        "held_out": {"tower": held_out_figures(big, model, seen), "light": held_out_figures(small, light, light_seen)},
        "family_left_out": family_left_out(big, settings, say),
    }
    save((model, light), card, places.out)
    return card


def tower_rows(measurer: Measurer, pictures: tuple[Picture, ...], file: Path) -> Rows:
    """What the tower and the traces say of the training pictures as they are."""
    if not file.is_file():
        message = f"no tower at {file}; run python -m models.authenticity.install_tower"
        raise NotFoundError(message)
    installed = tower.Tower(file)
    whole = measurer.rows("tower", lambda square: installed.look(pixels(square)), pictures, AS_IS, Place.CENTRE)[:, TOWER_COLUMNS]
    cuts = tuple(p for p in pictures if not p.is_whole)
    traced = measurer.trace_rows(cuts, AS_IS, 1)[:, 0]
    traces = np.full((len(pictures), traced.shape[1]), np.nan, np.float32)
    traces[[place for place, p in enumerate(pictures) if not p.is_whole]] = traced
    return Rows(pictures, whole, traces, np.array([float(p.label is Label.GENERATED) for p in pictures]))


def light_rows(measurer: Measurer, big: Rows, seen: HeldOut, network: Path) -> Rows:
    """The same pictures through the light network, its head to be fitted half to the labels, half to the tower's held-out opinion."""
    if not network.is_file():
        message = f"no light network at {network}; run python -m models.authenticity.distil"
        raise NotFoundError(message)
    encode: Callable[[Image.Image], Floats] = light_encode(network)
    whole = measurer.rows(f"light{network.stat().st_size}", encode, tuple(big.pictures), AS_IS, Place.CENTRE)
    return replace(big, whole=whole, soft=(big.soft + expit(seen.whole)) / 2)


def held_out_figures(rows: Rows, model: Model, seen: HeldOut) -> dict[str, Any]:
    """AUC within every source that has both classes, and AI goods against evidence photos, by heads that knew neither."""
    score = model.fusion(seen.whole, seen.specialist)
    found: dict[str, Any] = {}
    for source in sorted(set(rows.sources)):
        own = rows.sources == source
        fakes = int(rows.generated[own].sum())
        if min(fakes, int(own.sum()) - fakes) >= MATCHED_AT_LEAST:
            found[source] = round(auc(rows.generated[own], score[own]), 3)
    goods = np.array([s.startswith("goods-" if g else "evidence-") for s, g in zip(rows.sources, rows.generated, strict=True)])
    found["goods against evidence"] = round(auc(rows.generated[goods], score[goods]), 3)
    found["goods, recall at 2% false alarms"] = round(recall_at(rows.generated[goods], score[goods], 0.02), 3)
    verdicts = model.score(seen.whole, seen.specialist)
    real = ~rows.generated
    found["real called generated"] = round(float((verdicts[real] >= model.limits.generated_from).mean()), 4)
    found["generated called generated"] = round(float((verdicts[~real] >= model.limits.generated_from).mean()), 3)
    found["real called authentic"] = round(float((verdicts[real] <= model.limits.authentic_to).mean()), 3)
    return found


def family_left_out(rows: Rows, settings: Settings, say: Say) -> dict[str, dict[str, float | None]]:
    """For each family of generators: the whole view fitted without it, on half the real sources, judged on it against the other half.

    `auc` is null for a family without pictures.
    """
    named = np.array([family(p) if p.label is Label.GENERATED else "" for p in rows.pictures])
    half = parts(rows.groups, 2, settings.seed)
    found: dict[str, dict[str, float | None]] = {}
    for name, _ in FAMILIES:
        own = named == name
        if not own.any():
            found[name] = {"pictures": 0, "auc": None}
            continue
        each = []
        for side in (0, 1):
            head = fit_whole(rows, (half == side) & ~own, settings)
            judged = (half != side) & (own | ~rows.generated)
            each.append(auc(rows.generated[judged], head(rows.whole[judged])))
        found[name] = {"pictures": int(own.sum()), "auc": round(float(np.nanmean(each)), 3)}
        say(f"left out {name}: {found[name]}")
    return found


def trained_on(rows: Rows) -> dict[str, Any]:
    """How many pictures of which class and source."""
    counted: dict[str, dict[str, int]] = {"real": {}, "generated": {}}
    for picture in rows.pictures:
        of_class = counted[picture.label.value]
        of_class[picture.source] = of_class.get(picture.source, 0) + 1
    return {"pictures": len(rows.pictures), **counted}


def described(figures: Mapping[str, Any]) -> str:
    """One line for the log."""
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def main(
    out: Annotated[Path, typer.Option(help="Folder of the trained models; default: the shipped ones.")] = SHIPPED,
    data: Annotated[Path, typer.Option(help="Folder with pictures and manifest.csv.")] = DEFAULT_DATA,
    kept: Annotated[Path, typer.Option(help="Folder that keeps measured rows between trainings.")] = Path("build/authenticity"),
    seed: Annotated[int, typer.Option(help="Seed of the split into parts.")] = 7,
) -> None:
    """Train the tower's and the light model's heads."""
    try:
        train(Places(data, out, kept, tower.default_path()), Settings(seed=seed), typer.echo)
    except RiskError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(error.exit_code) from error


if __name__ == "__main__":
    typer.run(main)
