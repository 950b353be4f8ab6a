"""The models of a home: which are registered, which one decides, and how it came to that."""

from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import ModelMismatchError
from models.ranker.artifact import Artifact, load
from models.ranker.registry import Promotion, Registered, Registry, kept_in
from models.ranker.scorer import Scorer
from risk import clock
from risk.home import MODEL, check_home

MODELS = "models"
"""The folder of a home with the registry and a copy of every registered model."""


@dataclass(frozen=True, slots=True)
class Models:
    """What is registered, newest first. `serves`: the version that the service takes at its next start, null for none."""

    home: str
    serves: str | None
    models: tuple[Registered, ...]
    promotions: tuple[Promotion, ...]


def open_registry(home: Path) -> Registry:
    """The registry of an installation. NotFoundError: there is no installation. SourceUnavailableError: the registry cannot be opened."""
    check_home(home)
    return Registry(home / MODELS, home / MODEL)


def add_model(home: Path, model: Path) -> Models:
    """Register the model in a folder, with the figures of its card. NotFoundError, ModelMismatchError: there is none that fits this code."""
    artifact = load(model)
    return register(home, artifact, {f"held_out_{name}": artifact.card.held_out[name] for name in ("auc", "ap") if name in artifact.card.held_out})


def register(home: Path, artifact: Artifact, figures: dict[str, float]) -> Models:
    """Register a model with its figures, as the challenger."""
    registry = open_registry(home)
    registry.register(artifact, figures)
    return told(home, registry)


def list_models(home: Path) -> Models:
    """Everything that is registered."""
    return told(home, open_registry(home))


def promote(home: Path, version: str, by: str, why: str) -> Models:
    """Let a registered model decide from the service's next start on. NotFoundError, ModelMismatchError: there is none that fits this code."""
    registry = open_registry(home)
    registry.promote(version, clock.now(), by, why)
    return told(home, registry)


def roll_back(home: Path, by: str, why: str) -> Models:
    """Take the last promotion back. NotFoundError: nothing decided before it."""
    registry = open_registry(home)
    registry.roll_back(clock.now(), by, why)
    return told(home, registry)


def told(home: Path, registry: Registry) -> Models:
    """The registry as it is now."""
    return Models(str(home), registry.served(), tuple(registry.entries()), tuple(registry.promotions()))


def kept_models(home: Path) -> dict[str, Scorer]:
    """The registered models that this code can run, by version: what a replay of older decisions needs."""
    found = {}
    for version, folder in kept_in(home / MODELS).items():
        try:
            found[version] = Scorer(load(folder))
        except ModelMismatchError:  # of another catalogue: its decisions are told as skipped
            continue
    return found
