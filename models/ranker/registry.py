"""Which model decides and which ones wait: versions and their aliases in an MLflow registry kept in one SQLite file, without a server.

Artifacts are copied to `HOME/models/<version>/`; MLflow keeps the version, where it lies, its figures, and the aliases `champion` (decides) and
`challenger` (is watched). MLflow is imported only when the registry is opened; it sends nothing anywhere.
"""

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.errors import NotFoundError
from models.ranker.artifact import Artifact, load, save

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "ranker"
CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True, slots=True)
class Registered:
    """One version: its number in the registry, the model's own version, and its folder."""

    number: int
    version: str
    folder: Path


class Registry:
    """The models of one home folder."""

    def __init__(self, home: Path) -> None:
        """Open the registry of a home folder; it is made when there is none."""
        self._folder = home / "models"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._client = _client(f"sqlite:///{(self._folder / 'registry.db').resolve()}")
        if not self._client.search_registered_models(f"name = '{NAME}'"):
            self._client.create_registered_model(NAME)

    def register(self, artifact: Artifact, figures: Mapping[str, str] | None = None) -> Registered:
        """Keep a model under its version; the same content again is the same entry. `figures` become its tags."""
        folder = self._folder / artifact.version
        known = [entry for entry in self.entries() if entry.version == artifact.version]
        if known:
            return known[0]
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        save(artifact, partial)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
        entry = self._client.create_model_version(NAME, source=str(folder.resolve()), tags={"version": artifact.version, **(figures or {})})
        return Registered(int(entry.version), artifact.version, folder)

    def promote(self, version: str, alias: str = CHAMPION) -> Registered:
        """Give an alias to a version; whoever had it loses it. NotFoundError: no such version."""
        for entry in self.entries():
            if entry.version == version:
                self._client.set_registered_model_alias(NAME, alias, str(entry.number))
                return entry
        message = f"no model {version} is registered; there are {', '.join(entry.version for entry in self.entries()) or 'none'}"
        raise NotFoundError(message)

    def entries(self) -> list[Registered]:
        """Every version, newest first."""
        found = self._client.search_model_versions(f"name = '{NAME}'")
        return sorted((self._entry(item) for item in found), key=lambda entry: -entry.number)

    def holder(self, alias: str = CHAMPION) -> Registered | None:
        """Who has the alias; None when nobody has."""
        number = self._client.get_registered_model(NAME).aliases.get(alias)
        return None if number is None else next(entry for entry in self.entries() if entry.number == int(number))

    def champion(self) -> Artifact:
        """The model that decides, checked. NotFoundError: none was promoted. ModelMismatchError: it does not fit this code."""
        entry = self.holder()
        if entry is None:
            message = f"no model in {self._folder} is champion; train one and promote it"
            raise NotFoundError(message)
        return load(entry.folder)

    def _entry(self, item: Any) -> Registered:  # noqa: ANN401  # MLflow's entity has no types
        """MLflow's entity as ours; the folder is looked up beside the registry, so that a home may be moved."""
        version = str(item.tags["version"])
        return Registered(int(item.version), version, self._folder / version)


def _client(uri: str) -> "MlflowClient":
    """MLflow's client on a SQLite file, quiet and without telemetry."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
