"""A trained authenticity model on disk: `<name>.npz` (plain arrays), `card.json` (all the rest), `SHA256SUMS` over the folder. Never a pickle.

Two models lie in one folder: *tower* (needs the frozen CLIP tower) and *light* (needs only what is committed). Their scores are on
scales of their own: each carries its own limits, and a score of one is never held against a limit of the other.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import ModelMismatchError, NotFoundError
from models.authenticity.gate import Gate
from models.authenticity.heads import Doubles, Head

FORMAT = 1
CARD, SUMS = "card.json", "SHA256SUMS"
SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the views add up: weight of the whole, and of what each specialist says beyond `opens`; then the line to log-odds.

    A specialist may accuse, never acquit: it knows one family of generators, so its silence says nothing.
    """

    whole: float
    specialist: float
    opens: float
    bias: float

    def __call__(self, whole: Doubles, specialist: Doubles) -> Doubles:
        """Calibrated log-odds; a specialist that could not look (NaN) adds nothing."""
        beyond = np.maximum(0.0, np.nan_to_num(specialist, nan=self.opens) - self.opens)
        return self.whole * whole + self.specialist * beyond + self.bias


@dataclass(frozen=True, slots=True)
class Limits:
    """Scores at which a verdict is given; between them the answer is unsure."""

    authentic_to: float
    generated_from: float


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Everything needed to judge what the encoder saw."""

    name: str
    whole: Head
    specialist: Head
    gate: Gate
    fusion: Fusion
    limits: Limits

    def score(self, whole: Doubles, specialist: Doubles) -> Doubles:
        """Probability of "generated" in the training mix, from the two views' raw log-odds."""
        from scipy.special import expit  # a tenth of a second that readers of the names here do not pay

        return np.asarray(expit(self.fusion(whole, specialist)), np.float64)

    @property
    def version(self) -> str:
        """Name and the first digits of the content's hash: the same content, the same version."""
        digest = hashlib.sha256(json.dumps(_plain(self), sort_keys=True).encode())
        for _, array in sorted(_arrays(self).items()):
            digest.update(np.ascontiguousarray(array).tobytes())
        return f"{self.name}-{digest.hexdigest()[:10]}"


def save(models: Iterable[Model], card: Mapping[str, Any], folder: Path, others: tuple[str, ...] = ()) -> None:
    """Write the models, the card and the sums; `others` (the light network) lie there already and are summed as well."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {}
    for model in models:
        np.savez(folder / f"{model.name}.npz", allow_pickle=False, **_arrays(model))
        described[model.name] = {"version": model.version, **_plain(model)}
    text = json.dumps({"format": FORMAT, "models": described, **card}, indent=1, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
    summed = sorted((CARD, *(f"{name}.npz" for name in described), *others))
    lines = [f"{_digest(folder / name)}  {name}" for name in summed]
    (folder / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_card(folder: Path = SHIPPED) -> dict[str, Any]:
    """The card, after every file's hash was checked; NotFoundError without a card, ModelMismatchError for a changed file."""
    if not (folder / CARD).is_file():
        message = f"no authenticity model in {folder}; run python -m models.authenticity.train --out {folder}"
        raise NotFoundError(message)
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        wanted, name = line.split("  ", 1)
        got = _digest(folder / name) if (folder / name).is_file() else "no such file"
        if got != wanted:
            message = f"{folder / name} has sha256 {got[:12]}, the sums say {wanted[:12]}; restore it or train again"
            raise ModelMismatchError(message)
    card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    if card.get("format") != FORMAT:
        message = f"card format {card.get('format')} in {folder}, this code reads {FORMAT}; train again"
        raise ModelMismatchError(message)
    return card


def load(name: str, folder: Path = SHIPPED) -> Model:
    """One of the models, checked; ModelMismatchError when card and arrays do not belong together."""
    plain = read_card(folder)["models"].get(name)
    if plain is None:
        message = f"no model named {name} in {folder}"
        raise NotFoundError(message)
    with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    model = _built(name, plain, arrays)
    if model.version != plain["version"]:
        message = f"{name} is {model.version}, its card says {plain['version']}; restore the folder or train again"
        raise ModelMismatchError(message)
    return model


def _arrays(model: Model) -> dict[str, Any]:
    heads = {"whole": model.whole, "specialist": model.specialist}
    found = {f"{key}.{part}": getattr(head, part) for key, head in heads.items() for part in ("mean", "spread", "weight")}
    return found | {f"gate.{part}": getattr(model.gate, part) for part in ("mean", "spread", "directions", "lengths")}


def _plain(model: Model) -> dict[str, Any]:
    return {
        "fusion": asdict(model.fusion),
        "limits": asdict(model.limits),
        "whole_bias": model.whole.bias,
        "specialist_bias": model.specialist.bias,
        "gate": {"rest": model.gate.rest, "far_from": model.gate.far_from},
    }


def _built(name: str, plain: Mapping[str, Any], arrays: Mapping[str, Any]) -> Model:
    def head(key: str) -> Head:
        return Head(arrays[f"{key}.mean"], arrays[f"{key}.spread"], arrays[f"{key}.weight"], plain[f"{key}_bias"])

    parts = {part: arrays[f"gate.{part}"] for part in ("mean", "spread", "directions", "lengths")}
    gate = Gate(**parts, rest=plain["gate"]["rest"], far_from=plain["gate"]["far_from"])
    return Model(name, head("whole"), head("specialist"), gate, Fusion(**plain["fusion"]), Limits(**plain["limits"]))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
