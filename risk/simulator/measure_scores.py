"""Measure how the image signals score pictures of known making, and write it for the simulator: `python -m risk.simulator.measure_scores --data DIR`.

Only judgements on pictures count whose source the judge did not learn from. `generated`: heads and gate fitted on the other parts of the sources, the
score before the second looks. `edited`: missing, no model that ships judges edits. `reuse`: fingerprints of copies among other photos.
Each as the files are and after a random delivery (saved again, scaled, cropped, screenshot, photo of a screen).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from PIL import Image
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from data_contracts.errors import NotFoundError, RiskError
from features.image import reuse
from features.image.fingerprint import to_index, to_query
from features.image.picture import Picture as File
from features.image.reuse_library import ReuseLibrary
from models.authenticity import tower
from models.authenticity.artifact import Limits, read_card
from models.authenticity.fitting import AS_IS_WAY, Rows, Settings, evenly, fit_whole, limit
from models.authenticity.gate import fit_gate
from models.authenticity.laundering import delivered
from models.authenticity.manifest import DEFAULT_DATA, Label, Picture, chosen, read_manifest
from models.authenticity.measure import AS_KEPT, Encode, Measurer, at_random
from models.authenticity.network import TOWER_ENCODER
from models.authenticity.pictures import Place, opened
from models.authenticity.splits import held_out
from models.authenticity.train import installed_tower, ways_of
from risk.simulator.images import AS_IS, DELIVERED, SCORES
from risk.simulator.score_quantiles import SHARES, Scored, rooted

Say = Callable[[str], None]
Floats = npt.NDArray[np.float64]

LIKE_EVIDENCE = ("evidence-", "goods-")
MATCHED = ("teenbiscuits", "danhammo", "ladywinter", "authenta", "iaornotia")
"""Sources that are like a claim's evidence, and those with both classes of one subject: galleries of posters and portraits stay out."""
FIRST_TURN = 1
COPIES = 400
"""Pictures whose copies are looked for, and as many that have none."""


def is_like_evidence(picture: Picture) -> bool:
    """Whole pictures of the sources that a claim's evidence is like."""
    return picture.is_whole and (picture.source.startswith(LIKE_EVIDENCE) or picture.source in MATCHED)


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """How a whole picture is judged by heads that did not learn from its source: log-odds to a score by one line, and the limits that follow."""

    slope: float
    bias: float
    limits: Limits

    def score(self, whole: Floats) -> Floats:
        """The score of a head's log-odds."""
        return np.asarray(expit(self.slope * whole + self.bias), np.float64)


def generated_tables(measurer: Measurer, tower_file: Path, settings: Settings) -> dict[str, Any]:
    """The tables of `generated` by kind and delivery."""
    manifest = read_manifest(measurer.data)
    encode = installed_tower(tower_file)
    rows = seen_rows(measurer, chosen(manifest, part="train", labels=(Label.REAL, Label.GENERATED)), encode, settings.turns)
    whole = held_out_whole(rows, settings)
    judge = learnt_judge(rows, whole, settings)
    score = judge.score(whole)
    score[far(rows, settings)] = np.nan
    edited = seen_rows(measurer, tuple(p for p in chosen(manifest, part="train", labels=(Label.EDITED,)) if p.is_whole), encode, settings.turns)
    everything = np.ones(len(rows.pictures), np.bool_)
    of_edited = judge.score(fit_whole(rows, everything, settings)(edited.whole))
    gate = fit_gate(rows.whole, directions=settings.gate_directions, share_far=settings.gate_share)
    of_edited[gate.is_far(edited.whole)] = np.nan
    like = np.array([is_like_evidence(p) for p in rows.pictures])
    found: dict[str, Any] = {"authentic": {}, "edited": {}, "generated": {}}
    for delivery in (AS_IS, DELIVERED):
        mine = (rows.ways == AS_IS_WAY) == (delivery == AS_IS)
        for kind, label in (("authentic", ~rows.generated), ("generated", rows.generated)):
            found[kind][delivery] = _scored(judge, score[like & mine & label], rows.sources[like & mine & label])
        theirs = (edited.ways == AS_IS_WAY) == (delivery == AS_IS)
        found["edited"][delivery] = _scored(judge, of_edited[theirs], edited.sources[theirs])
    return found


def seen_rows(measurer: Measurer, pictures: tuple[Picture, ...], encode: Encode, turns: int) -> Rows:
    """The pictures as they are, and the whole ones after random deliveries. No traces: the specialist is silent on wholes."""
    wholes = tuple(p for p in pictures if p.is_whole)
    parts = [
        (pictures, measurer.rows(TOWER_ENCODER, encode, pictures, AS_KEPT, Place.CENTRE), np.full(len(pictures), AS_IS_WAY, "<U24")),
        *(
            (wholes, measurer.rows(TOWER_ENCODER, encode, wholes, at_random(turn), Place.CENTRE), ways_of(wholes, turn))
            for turn in range(1, turns + 1)
        ),
    ]
    together = tuple(p for part, _, _ in parts for p in part)
    soft = np.array([float(p.label is Label.GENERATED) for p in together])
    whole = np.concatenate([rows for _, rows, _ in parts])
    return Rows(together, whole, np.full((len(together), 1), np.nan, np.float32), soft, np.concatenate([ways for _, _, ways in parts]))


def held_out_whole(rows: Rows, settings: Settings) -> Floats:
    """The log-odds of each picture by a head fitted on the other parts."""
    found = np.full(len(rows.pictures), np.nan)
    for learn, judge in held_out(rows.groups, settings.folds, settings.seed):
        found[judge] = fit_whole(rows, learn, settings)(rows.whole[judge])
    return found


def learnt_judge(rows: Rows, whole: Floats, settings: Settings) -> Judge:
    """The calibration and the limits, as training fits them on held-out judgements."""
    line = LogisticRegression(C=1e6, max_iter=1000).fit(whole[:, None], rows.generated, sample_weight=evenly(rows))
    slope, bias = float(line.coef_[0, 0]), float(line.intercept_[0])
    return Judge(slope, bias, limit(rows, np.asarray(expit(slope * whole + bias)), settings))


def far(rows: Rows, settings: Settings) -> npt.NDArray[np.bool_]:
    """Which pictures a gate calls unlike anything, each gate fitted on the other parts."""
    found = np.zeros(len(rows.pictures), np.bool_)
    for learn, judge in held_out(rows.groups, settings.folds, settings.seed):
        gate = fit_gate(rows.whole[learn], directions=settings.gate_directions, share_far=settings.gate_share)
        found[judge] = gate.is_far(rows.whole[judge])
    return found


def _scored(judge: Judge, values: Floats, sources: Sequence[str]) -> dict[str, Any]:
    weight = rooted(sources)
    between = (values > judge.limits.authentic_to) & (values < judge.limits.generated_from)
    return Scored(values, weight, float(weight[between].sum() / weight.sum())).table()


def network_version() -> str:
    """The network that ships, by its card; its training is the same recipe."""
    try:
        return str(read_card()["models"]["tower"]["version"])
    except NotFoundError:
        return "not shipped"


def silent_tables() -> dict[str, Any]:
    """`edited` as the service has it: no model that ships judges edits, so every picture has no score."""
    silent = {"pictures": 0, "null": 1.0, "unsure": None, "scores": [0.0] * len(SHARES)}
    return {kind: {delivery: dict(silent) for delivery in (AS_IS, DELIVERED)} for kind in ("authentic", "edited", "generated")}


def _arrived(data: Path, picture: Picture, delivery: str) -> Image.Image:
    image = opened(data / picture.path)
    return image if delivery == AS_IS else delivered(image, picture.seed + FIRST_TURN, is_whole=picture.is_whole)


def reuse_tables(data: Path, say: Say) -> dict[str, Any]:
    """The tables of `reuse`: photos of evidence with a copy in the library, and photos without one."""
    photos = [p for p in chosen(read_manifest(data), part="train", labels=(Label.REAL,)) if p.is_whole and p.source.startswith("evidence-")]
    order = np.random.default_rng(7).permutation(len(photos))[: 2 * COPIES]
    kept, fresh = [photos[place] for place in order[::2]], [photos[place] for place in order[1::2]]
    library = ReuseLibrary()
    for picture in kept:
        library.add(picture.path, to_index(File((data / picture.path).read_bytes())))
    found: dict[str, Any] = {}
    for kind, pictures in (("reused", kept), ("fresh", fresh)):
        for delivery in (AS_IS, DELIVERED):
            say(f"reuse: {len(pictures)} {kind} pictures, {delivery}")
            values = np.array([_reused(library, _bytes(data, picture, delivery)) for picture in pictures])
            found.setdefault(kind, {})[delivery] = Scored(values, np.ones(len(values))).table()
    return found


def _bytes(data: Path, picture: Picture, delivery: str) -> bytes:
    if delivery == AS_IS:
        return (data / picture.path).read_bytes()
    packed = BytesIO()
    _arrived(data, picture, delivery).save(packed, "JPEG", quality=90)
    return packed.getvalue()


def _reused(library: ReuseLibrary, data: bytes) -> float:
    prints = to_query(File(data))
    return max((reuse.strength(match) for match in library.find(prints)), default=0.0) if prints else float("nan")


def measured(data: Path, kept: Path, tower_file: Path, say: Say) -> dict[str, Any]:
    """The whole file, with its card."""
    settings = Settings()
    generated = generated_tables(Measurer(data, kept, say), tower_file, settings)
    return {
        "card": {
            "data": "the shelf's pictures by manifest.csv; part train",
            "generated": {
                "model": f"the recipe of {network_version()}, {TOWER_ENCODER}",
                "how": "heads and gate fitted on the other parts of the sources, the specialist silent; edited pictures by heads of all others",
                "sources": f"{', '.join(f'{name}*' for name in LIKE_EVIDENCE)}, {', '.join(MATCHED)}; wholes",
                "weights": "a source counts by the root of its size",
            },
            "edited": {"model": "none", "how": "no model that ships judges edits: every score is missing, as in service"},
            "reuse": {"model": f"reuse-{reuse.VERSION}", "how": f"PDQ among {COPIES} evidence photos; strengths, so only a few values occur"},
            "delivered": "models.authenticity.laundering.delivered: saved again 58%, cropped 18%, screenshot 12%, photo of a screen 12%",
        },
        "shares": list(SHARES),
        "scores": {"generated": generated, "edited": silent_tables(), "reuse": reuse_tables(data, say)},
    }


def main(
    data: Annotated[Path, typer.Option(help="Folder with pictures and manifest.csv.")] = DEFAULT_DATA,
    kept: Annotated[Path, typer.Option(help="Folder that keeps measured rows between runs.")] = Path("build/authenticity"),
    out: Annotated[Path, typer.Option(help="The file of tables.")] = SCORES,
    tower_file: Annotated[Path | None, typer.Option(help="The tower; default: where it was installed.")] = None,
) -> None:
    """Measure and write the score tables."""
    try:
        found = measured(data, kept, tower_file or tower.default_path(), typer.echo)
    except RiskError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(error.exit_code) from error
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"written: {out}")


if __name__ == "__main__":
    typer.run(main)
