"""Train both models from a folder of pictures: `python -m models.authenticity.train --data DIR --out DIR [--kept DIR]`.

Reproducible: the same pictures, tower, trunk and seed give the same files. Measuring is the long part (about 0.1 s a picture and
view on one core) and is kept; fitting takes minutes. Nothing here reads the part `dev`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from scipy.special import expit

from data_contracts.errors import NotFoundError, RiskError
from models.authenticity import tower
from models.authenticity.artifact import SHIPPED, Limits, Model, save
from models.authenticity.families import FAMILIES, family
from models.authenticity.fitting import AS_IS_WAY, Bools, HeldOut, Rows, Settings, build, fit_whole
from models.authenticity.heads import Doubles
from models.authenticity.laundering import way
from models.authenticity.manifest import DEFAULT_DATA, MISLABELLED, Label, Picture, chosen, read_manifest
from models.authenticity.measure import AS_KEPT, UNTOUCHED, Encode, Measurer, at_random
from models.authenticity.metrics import auc, recall_at, with_interval
from models.authenticity.network import LIGHT_FILE, TOWER_ENCODER, light_encode, light_encoder, tower_encode
from models.authenticity.pictures import Place
from models.authenticity.splits import parts

Say = Callable[[str], None]
WAY_TYPE = "<U24"
FAMILY_DRAWS = 400
LIGHT_MISSED = 0.01
NEVER = 2.0  # a score that no picture reaches
MATCHED_AT_LEAST = 6  # pictures of both classes before a source is a matched set


ABOUT = {
    "for": "Weak evidence beside provenance, reuse and contradictions. Alone it decides nothing about a person.",
    "known failures": [
        "The light model accuses nobody: its network learnt on the training pictures, so its held-out figures and families left out flatter it.",
        "Generators it never saw, on matched subjects, are told from photos only a little better than by chance: see family_left_out.",
        "It was taught on nothing edited, scanned or photographed from a real screen; screens are simulated.",
        "An 'authentic' is weak evidence; a missing 'generated' is none.",
        "Pictures under 160 pixels get no score.",
    ],
    "licences": "Most training pictures state none: used for training only, none is stored here. Tower: OpenAI CLIP ViT-B/16 (MIT), not stored here. "
    "Light network: starts from EfficientNet-Lite0's published weights (Apache-2.0).",
    "commands": [
        "python -m models.authenticity.install_tower",
        "python -m models.authenticity.distil --start efficientnet-lite0.pth --data DIR --out OUT --stop-after N",
        "python -m models.authenticity.train --data DIR --out OUT",
        "python benchmarks/images.py --data DIR",
    ],
}


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
    encode = installed_tower(places.tower)
    big = with_deliveries(measurer, kept_rows(measurer, pictures, TOWER_ENCODER, encode), TOWER_ENCODER, encode, settings.turns)
    model, seen, big = build("tower", big, settings)
    say(f"tower: {described(held_out_figures(big, model, seen))}")
    small = light_rows(measurer, big, seen, places.out / LIGHT_FILE, settings.turns)
    light, light_seen, small = build("light", small, settings)
    light = replace(light, limits=cautious(small, light, light_seen))
    say(f"light: {described(held_out_figures(small, light, light_seen))}")
    card = {
        "about": ABOUT,
        "trained_on": trained_on(big),
        "settings": asdict(settings),
        "held_out": {"tower": held_out_figures(big, model, seen), "light": held_out_figures(small, light, light_seen)},
        "family_left_out": {"tower": family_left_out(big, settings, say), "light": family_left_out(small, settings, say)},
    }
    save((model, light), card, places.out, (LIGHT_FILE,))
    return card


def tower_rows(measurer: Measurer, pictures: tuple[Picture, ...], file: Path) -> Rows:
    """What the tower and the traces say of the training pictures as they are."""
    return kept_rows(measurer, pictures, TOWER_ENCODER, installed_tower(file))


def installed_tower(file: Path) -> Encode:
    """The tower in that file; NotFoundError says how to get it."""
    if not file.is_file():
        message = f"no tower at {file}; run python -m models.authenticity.install_tower"
        raise NotFoundError(message)
    return tower_encode(tower.Tower(file))


def kept_rows(measurer: Measurer, pictures: tuple[Picture, ...], encoder: str, encode: Encode) -> Rows:
    """The pictures as they are: the encoder's rows of all, the traces of the cuts."""
    whole = measurer.rows(encoder, encode, pictures, AS_KEPT, Place.CENTRE)
    cuts = tuple(p for p in pictures if not p.is_whole)
    traced = measurer.trace_rows(cuts, UNTOUCHED, 1)[:, 0]
    traces = np.full((len(pictures), traced.shape[1]), np.nan, np.float32)
    traces[[place for place, p in enumerate(pictures) if not p.is_whole]] = traced
    soft = np.array([float(p.label is Label.GENERATED) for p in pictures])
    return Rows(pictures, whole, traces, soft, np.full(len(pictures), AS_IS_WAY, WAY_TYPE))


def with_deliveries(measurer: Measurer, rows: Rows, encoder: str, encode: Encode, turns: int) -> Rows:
    """Those rows and the same pictures after random deliveries: wholes through the encoder, cuts through the traces."""
    parts = [rows]
    is_whole = np.array([p.is_whole for p in rows.pictures])
    wholes, cuts = (tuple(p for p in rows.pictures if p.is_whole is whole) for whole in (True, False))
    for turn in range(1, turns + 1):
        whole = measurer.rows(encoder, encode, wholes, at_random(turn), Place.CENTRE)
        silent = np.full((len(wholes), rows.traces.shape[1]), np.nan, np.float32)
        parts.append(Rows(wholes, whole, silent, rows.soft[is_whole], ways_of(wholes, turn)))
        traced = measurer.trace_rows(cuts, at_random(turn), 1)[:, 0]
        parts.append(Rows(cuts, rows.whole[~is_whole], traced, rows.soft[~is_whole], ways_of(cuts, turn)))
    stacked = (np.concatenate([getattr(part, name) for part in parts]) for name in ("whole", "traces", "soft", "ways"))
    return Rows(tuple(p for part in parts for p in part.pictures), *stacked)


def ways_of(pictures: tuple[Picture, ...], turn: int) -> npt.NDArray[np.str_]:
    """The way that `at_random(turn)` took with each picture."""
    return np.array([way(p.seed + turn) for p in pictures], WAY_TYPE)


def light_rows(measurer: Measurer, big: Rows, seen: HeldOut, network: Path, turns: int) -> Rows:
    """The same rows through the light network, its head to be fitted half to the labels, half to the tower's held-out opinion."""
    if not network.is_file():
        message = f"no light network at {network}; run python -m models.authenticity.distil"
        raise NotFoundError(message)
    encode, name = light_encode(network), light_encoder(network)
    pictures = tuple(p for p, how in zip(big.pictures, big.ways, strict=True) if how == AS_IS_WAY)
    rows = with_deliveries(measurer, kept_rows(measurer, pictures, name, encode), name, encode, turns)
    return replace(rows, soft=(big.soft + expit(seen.whole)) / 2)


def cautious(rows: Rows, light: Model, seen: HeldOut) -> Limits:
    """The light model's limits: it accuses nobody, and calls authentic what all but LIGHT_MISSED of the held-out generated pictures lie above.

    Its network was taught on these very pictures, so its held-out scores flatter it; limits fitted on them for an accusation would not hold.
    """
    score = light.score(seen.whole, seen.specialist)[rows.generated]
    return Limits(float(np.quantile(score, LIGHT_MISSED)), NEVER)


def held_out_figures(rows: Rows, model: Model, seen: HeldOut) -> dict[str, Any]:
    """AUC within every source that has both classes, and AI goods against evidence photos, by heads that knew neither."""
    score = model.fusion(seen.whole, seen.specialist)
    found: dict[str, Any] = {}
    kept = rows.ways == AS_IS_WAY
    for source in sorted(set(rows.sources)):
        own = kept & (rows.sources == source)
        fakes = int(rows.generated[own].sum())
        if min(fakes, int(own.sum()) - fakes) >= MATCHED_AT_LEAST:
            found[source] = round(auc(rows.generated[own], score[own]), 3)
    goods = np.array([s.startswith("goods-" if g else "evidence-") for s, g in zip(rows.sources, rows.generated, strict=True)])
    goods &= kept
    found["goods against evidence"] = round(auc(rows.generated[goods], score[goods]), 3)
    found["goods, recall at 2% false alarms"] = round(recall_at(rows.generated[goods], score[goods], 0.02), 3)
    verdicts = model.score(seen.whole, seen.specialist)
    for how in sorted(set(rows.ways)):
        found[how] = verdict_shares(rows.generated, verdicts, rows.ways == how, model.limits)
    return found


def verdict_shares(generated: Bools, score: Doubles, own: Bools, limits: Limits) -> dict[str, float]:
    """One look's verdicts on those rows, as shares, and their AUC."""
    real, fake = own & ~generated, own & generated
    return {
        "auc": round(auc(generated[own], score[own]), 3),
        "real called generated": round(float((score[real] >= limits.generated_from).mean()), 4),
        "generated called generated": round(float((score[fake] >= limits.generated_from).mean()), 3),
        "real called authentic": round(float((score[real] <= limits.authentic_to).mean()), 3),
        "generated called authentic": round(float((score[fake] <= limits.authentic_to).mean()), 3),
    }


def family_left_out(rows: Rows, settings: Settings, say: Say) -> dict[str, dict[str, float | None]]:
    """For each family of generators: the whole view fitted without it, on half the real sources, judged on it against the other half.

    Judged on pictures as they are. auc: mean of both halves, low and high: of both halves' 95% intervals; null for a family without pictures.
    """
    named = np.array([family(p) if p.label is Label.GENERATED else "" for p in rows.pictures])
    half = parts(rows.groups, 2, settings.seed)
    kept = rows.ways == AS_IS_WAY
    found: dict[str, dict[str, float | None]] = {}
    for name, _ in FAMILIES:
        own = named == name
        count = int((own & kept).sum())
        if count == 0:
            found[name] = {"pictures": 0, "auc": None, "low": None, "high": None}
            continue
        each = []
        for side in (0, 1):
            head = fit_whole(rows, (half == side) & ~own, settings)
            judged = kept & (half != side) & (own | ~rows.generated)
            if rows.generated[judged].any():
                each.append(with_interval(auc, rows.generated[judged], head(rows.whole[judged]), draws=FAMILY_DRAWS))
        means = {key: round(float(np.mean([getattr(figure, key) for figure in each])), 3) for key in ("value", "low", "high")}
        found[name] = {"pictures": count, "auc": means["value"], "low": means["low"], "high": means["high"]}
        say(f"left out {name}: {found[name]}")
    return found


def trained_on(rows: Rows) -> dict[str, Any]:
    """How many pictures of which class and source, and how often each way of delivery."""
    counted: dict[str, dict[str, int]] = {"real": {}, "generated": {}}
    kept = [p for p, how in zip(rows.pictures, rows.ways, strict=True) if how == AS_IS_WAY]
    for picture in kept:
        of_class = counted[picture.label.value]
        of_class[picture.source] = of_class.get(picture.source, 0) + 1
    ways, many = np.unique(rows.ways, return_counts=True)
    return {"pictures": len(kept), "rows by way": dict(zip(ways.tolist(), many.tolist(), strict=True)), **counted}


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
