from dataclasses import replace
from pathlib import Path

import pytest

from data_contracts.errors import NotFoundError
from models.ranker.artifact import Artifact
from models.ranker.registry import CHALLENGER, Registry


# MLflow 3.17 asks SQLAlchemy 2.1 for a loader that it is about to drop; nothing of ours does.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")
def test_the_story_of_two_models(artifact: Artifact, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "home")
    with pytest.raises(NotFoundError, match="champion"):
        registry.champion()
    first = registry.register(artifact, {"auc": "0.8"})
    assert registry.register(artifact) == first
    second = registry.register(Artifact(artifact.booster_text, replace(artifact.card, held_out={"rows": 1})))
    assert [entry.version for entry in registry.entries()] == [second.version, first.version]
    registry.promote(first.version)
    registry.promote(second.version, CHALLENGER)
    assert registry.champion() == artifact
    registry.promote(second.version)
    assert registry.holder() == second
    with pytest.raises(NotFoundError, match="no model 2020"):
        registry.promote("2020")
    (tmp_path / "home").rename(tmp_path / "moved")
    assert Registry(tmp_path / "moved").champion().version == second.version
