"""A trained ranker on disk: `booster.txt` (LightGBM's text), `card.json` (all the rest) and `SHA256SUMS` over both. Never a pickle.

Loading compares file hashes, the catalogue's hash and the names, order and kinds of the features, and refuses with both sides named.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data_contracts.errors import ModelMismatchError, NotFoundError
from data_contracts.reason import REASONS
from data_contracts.score import Family
from features.catalog import catalogue_hash
from features.declare import Feature
from models.ranker.calibrate import Calibration
from models.ranker.dataset import Encoding
from models.ranker.drift import Spread
from models.ranker.trees import names_of

FORMAT = 1
BOOSTER, CARD, SUMS = "booster.txt", "card.json", "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class CardFeature:
    """What the model knows of one feature; `words` is a category's vocabulary, null for a number."""

    name: str
    family: Family
    reason: str
    sign: int
    words: tuple[str, ...] | None

    @classmethod
    def of(cls, feature: Feature, encoding: Encoding, sign: int) -> "CardFeature":
        """From its declaration; `sign` is the direction that the model was held to."""
        return cls(feature.name, feature.family, feature.reason, sign, encoding.vocabulary.get(feature.name))


@dataclass(frozen=True, slots=True)
class Card:
    """Everything about a model but its trees.

    as_of: the moment it was trained at; it may only be judged on later requests. data: rows, labels and time span it saw.
    held_out: quality on the held-out labelled requests, where the calibration was fitted; not an evaluation.
    scores: where the scores of requests lay that no tree had learnt from, labelled or not; null in a card from before it was kept.
    """

    as_of: str
    features: tuple[CardFeature, ...]
    catalogue_hash: str
    calibration: Calibration
    settings: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    held_out: Mapping[str, Any] = field(default_factory=dict)
    scores: Spread | None = None
    format: int = FORMAT

    @property
    def encoding(self) -> Encoding:
        """Names in order and vocabularies."""
        words = {feature.name: feature.words for feature in self.features if feature.words is not None}
        return Encoding(tuple(feature.name for feature in self.features), words)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A trained ranker: its trees as text and its card."""

    booster_text: str
    card: Card

    @property
    def version(self) -> str:
        """Day of training and the first digits of the content's hash: the same content, the same version."""
        digest = hashlib.sha256((self.booster_text + _card_text(self.card)).encode()).hexdigest()
        return f"{self.card.as_of[:10]}-{digest[:8]}"


def save(artifact: Artifact, folder: Path) -> None:
    """Write the three files; the sums last, so that a half-written artifact does not load."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUMS).unlink(missing_ok=True)
    texts = {BOOSTER: artifact.booster_text, CARD: _card_text(artifact.card)}
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in texts.items())
    (folder / SUMS).write_text(sums, encoding="utf-8")


def load(folder: Path) -> Artifact:
    """Read an artifact and hold it against this code's catalogue.

    NotFoundError: no artifact there. ModelMismatchError: it does not fit, or it is only a part of one.
    """
    if not (folder / SUMS).is_file():
        if any((folder / name).exists() for name in (BOOSTER, CARD)):
            message = f"{folder} holds a part of a model, {SUMS} is missing; restore the model or train it again"
            raise ModelMismatchError(message, field=SUMS)
        message = f"{folder} holds no model ({SUMS} is missing); train one with `refund-risk train DIR --out {folder}`"
        raise NotFoundError(message)
    texts = {name: _checked(folder, name, wanted) for name, wanted in _sums(folder).items()}
    artifact = Artifact(texts[BOOSTER], _card(texts[CARD]))
    _check_names(artifact)
    _check_reasons(artifact)
    if artifact.card.catalogue_hash != (ours := catalogue_hash()):
        message = (
            f"the model in {folder} was trained on catalogue {artifact.card.catalogue_hash[:12]}, this code has {ours[:12]}; "
            "train it again, or run the code version that trained it"
        )
        raise ModelMismatchError(message, field="catalogue_hash")
    return artifact


def _sums(folder: Path) -> dict[str, str]:
    """Wanted hash by file name."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if set(sums) != {BOOSTER, CARD}:
        message = f"{folder / SUMS} lists {', '.join(sorted(sums)) or 'nothing'}, expected {BOOSTER} and {CARD}; restore the model or train it again"
        raise ModelMismatchError(message, field=SUMS)
    return sums


def _checked(folder: Path, name: str, wanted: str) -> str:
    """The file's text, when its hash is the wanted one."""
    path = folder / name
    if not path.is_file():
        message = f"{path} is missing; restore the model or train it again"
        raise ModelMismatchError(message, field=name)
    content = path.read_bytes()
    got = hashlib.sha256(content).hexdigest()
    if got != wanted:
        message = f"{path} has sha256 {got[:12]}, {SUMS} says {wanted[:12]}; the file was changed: restore it or train again"
        raise ModelMismatchError(message, field=name)
    return content.decode()


def _check_names(artifact: Artifact) -> None:
    """The card's names must be the booster's, in order."""
    trees = names_of(artifact.booster_text)
    card = artifact.card.encoding.names
    if trees == card:
        return
    different = sorted(set(trees) ^ set(card))
    what = f"different: {', '.join(different[:5])}" if different else "the same names in another order"
    message = f"{BOOSTER} reads {len(trees)} features, {CARD} lists {len(card)} ({what}); restore the model or train it again"
    raise ModelMismatchError(message, field="features")


def _check_reasons(artifact: Artifact) -> None:
    """Every reason that the card names must have its texts: a decision could not be explained otherwise."""
    unknown = sorted({feature.reason for feature in artifact.card.features} - set(REASONS))
    if unknown:
        message = f"{CARD} names the reasons {', '.join(unknown[:5])}, which data_contracts/reasons.toml does not have; train the model again"
        raise ModelMismatchError(message, field="reasons")


def _card_text(card: Card) -> str:
    """The card as JSON, the same bytes for the same card."""
    return json.dumps(asdict(card), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _card(text: str) -> Card:
    """The card of a JSON text. ModelMismatchError: another format."""
    raw = json.loads(text)
    if raw.get("format") != FORMAT:
        message = f"{CARD} has format {raw.get('format')}, this code reads format {FORMAT}; train the model again"
        raise ModelMismatchError(message, field="format")
    features = tuple(
        CardFeature(item["name"], item["family"], item["reason"], item["sign"], None if item["words"] is None else tuple(item["words"]))
        for item in raw["features"]
    )
    calibration = Calibration(raw["calibration"]["way"], tuple(raw["calibration"]["raw"]), tuple(raw["calibration"]["probability"]))
    said = raw.get("scores")
    scores = None if said is None else Spread(tuple(said["edges"]), tuple(said["shares"]), said["rows"])
    return Card(raw["as_of"], features, raw["catalogue_hash"], calibration, raw["settings"], raw["data"], raw["held_out"], scores)
