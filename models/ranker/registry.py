"""Which model decides and which ones wait: versions, aliases and promotions, in an MLflow registry kept in one SQLite file, without a server.

Each model is copied to a folder of its version, which no later training touches. A promotion writes that copy to the served folder, from where a
service takes its model when it starts; so the registry is needed to change the model, never to serve it. MLflow keeps each version's figures, who
is `champion` (promoted last) and `challenger` (registered last, not promoted yet), and every promotion with who and why. It is imported only when
the registry is opened, and sends nothing anywhere.
"""

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.errors import ModelMismatchError, NotFoundError, SourceUnavailableError
from models.ranker.artifact import SUMS, Artifact, load, save

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "ranker"
CHAMPION, CHALLENGER = "champion", "challenger"
FIGURE, PROMOTION = "figure.", "promotion."
FILE = "registry.db"
FOUND = "-"
"""Who promoted a model that was put into the served folder by hand."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One version: its number in the registry, the model's own version, its folder, its figures, and its alias (null for none)."""

    number: int
    version: str
    folder: Path
    figures: Mapping[str, str]
    alias: str | None


@dataclass(frozen=True, slots=True)
class Promotion:
    """From `at` on that version was to decide; `back`: the promotion before it was taken back."""

    version: str
    at: datetime
    by: str
    why: str
    back: bool = False


class Registry:
    """The models of one installation: copies and registry in `folder`, the one that decides in `served`."""

    def __init__(self, folder: Path, served: Path) -> None:
        """Open it; it is made when there is none. SourceUnavailableError: the file is damaged or cannot be written."""
        self._folder, self._served = folder, served
        folder.mkdir(parents=True, exist_ok=True)
        self._client = _client(folder / FILE)

    def register(self, artifact: Artifact, figures: Mapping[str, float] | None = None) -> Registered:
        """Keep a model under its version, as the challenger; the same content again is the same entry and changes nothing."""
        known = self._known(artifact.version)
        if known is not None:
            return known
        entry = self._keep(artifact, figures or {})
        self._client.set_registered_model_alias(NAME, CHALLENGER, str(entry.number))
        return replace(entry, alias=CHALLENGER)

    def entries(self) -> list[Registered]:
        """Every version, newest first."""
        aliases = {int(number): alias for alias, number in self._client.get_registered_model(NAME).aliases.items()}
        found = (self._entry(item, aliases) for item in self._client.search_model_versions(f"name = '{NAME}'"))
        return sorted(found, key=lambda entry: -entry.number)

    def promotions(self) -> list[Promotion]:
        """Every promotion that ever was, the first one first."""
        items = self._client.search_model_versions(f"name = '{NAME}'")
        told = [(name, item.tags["version"], json.loads(said)) for item in items for name, said in item.tags.items() if name.startswith(PROMOTION)]
        return [
            Promotion(version, datetime.fromisoformat(name.removeprefix(PROMOTION)), said["by"], said["why"], said["back"])
            for name, version, said in sorted(told, key=lambda each: each[0])
        ]

    def served(self) -> str | None:
        """The version in the served folder; null where there is none, or none that this code can serve."""
        try:
            return load(self._served).version
        except (NotFoundError, ModelMismatchError):
            return None

    def promote(self, version: str, at: datetime, by: str, why: str) -> Promotion:
        """Let a version decide from the service's next start on.

        NotFoundError: it is not registered. ModelMismatchError: this code cannot serve it.
        """
        entry = self._known(version)
        if entry is None:
            message = f"no model {version} is registered; there are {', '.join(each.version for each in self.entries()) or 'none'}"
            raise NotFoundError(message, field="version")
        artifact = load(entry.folder)
        self._adopt(at)
        return self._serve(entry, artifact, Promotion(version, at, by, why))

    def roll_back(self, at: datetime, by: str, why: str) -> Promotion:
        """Let the version decide again that decided before the last promotion. NotFoundError: none did."""
        self._adopt(at)
        before = standing(self.promotions())[:-1]
        entry = self._known(before[-1]) if before else None
        if entry is None:
            raise NotFoundError("no model decided before the one that decides now, so there is none to go back to", field="version")
        return self._serve(entry, load(entry.folder), Promotion(entry.version, at, by, why, back=True))

    def _keep(self, artifact: Artifact, figures: Mapping[str, float]) -> Registered:
        folder = self._folder / artifact.version
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        save(artifact, partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
        tags = {"version": artifact.version, **{FIGURE + name: f"{value:.4f}" for name, value in figures.items()}}
        made = self._client.create_model_version(NAME, source=str(folder.resolve()), tags=tags)
        return self._entry(made, {})

    def _serve(self, entry: Registered, artifact: Artifact, promotion: Promotion) -> Promotion:
        """Write it to the served folder first: what is told of it afterwards is true, and a promotion cut short is found by the next."""
        save(artifact, self._served)
        if promotion.back or standing(self.promotions())[-1:] != [entry.version]:
            self._tell(entry, promotion)
        self._client.set_registered_model_alias(NAME, CHAMPION, str(entry.number))
        if entry.alias == CHALLENGER:
            self._client.delete_registered_model_alias(NAME, CHALLENGER)
        return promotion

    def _adopt(self, at: datetime) -> None:
        """A model that was put into the served folder by hand decided, too: it can be gone back to."""
        version = self.served()
        if version is not None and standing(self.promotions())[-1:] != [version]:
            entry = self._known(version) or self._keep(load(self._served), {})
            self._tell(entry, Promotion(version, at - timedelta(microseconds=1), FOUND, "it was in the served folder"))

    def _tell(self, entry: Registered, promotion: Promotion) -> None:
        said = json.dumps({"by": promotion.by, "why": promotion.why, "back": promotion.back}, ensure_ascii=False)
        name = PROMOTION + promotion.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._client.set_model_version_tag(NAME, str(entry.number), name, said)

    def _known(self, version: str) -> Registered | None:
        return next((entry for entry in self.entries() if entry.version == version), None)

    def _entry(self, item: Any, aliases: Mapping[int, str]) -> Registered:  # noqa: ANN401  # MLflow's entity has no types
        """MLflow's entity as ours; the folder is looked up beside the registry, so that a home may be moved."""
        version, number = str(item.tags["version"]), int(item.version)
        figures = {name.removeprefix(FIGURE): said for name, said in sorted(item.tags.items()) if name.startswith(FIGURE)}
        return Registered(number, version, self._folder / version, figures, aliases.get(number))


def standing(promotions: Sequence[Promotion]) -> list[str]:
    """The versions that were promoted and not taken back, the one that decides last."""
    found: list[str] = []
    for each in promotions:
        if each.back:
            found.pop()
        else:
            found.append(each.version)
    return found


def kept_in(folder: Path) -> dict[str, Path]:
    """The copies of models by version, without asking the registry."""
    return {sums.parent.name: sums.parent for sums in sorted(folder.glob(f"*/{SUMS}")) if sums.parent.suffix != ".partial"}


def _client(file: Path) -> "MlflowClient":
    """MLflow's client on a SQLite file, quiet and without telemetry, with our one registered model."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    address = f"sqlite:///{file.resolve()}"
    try:
        client = MlflowClient(tracking_uri=address, registry_uri=address)
        if not client.search_registered_models(f"name = '{NAME}'"):
            client.create_registered_model(NAME)
    except (MlflowException, SQLAlchemyError) as error:
        message = (
            f"the registry of models in {file} cannot be opened ({type(error).__name__}); restore it from a backup, or let this user write to it"
        )
        raise SourceUnavailableError(message) from error
    return client
