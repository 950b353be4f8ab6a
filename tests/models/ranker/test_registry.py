from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_contracts.errors import ModelMismatchError, NotFoundError, SourceUnavailableError
from models.ranker.artifact import Artifact, load, save
from models.ranker.registry import CHALLENGER, CHAMPION, FILE, FOUND, Registry, kept_in

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

# MLflow 3.17 asks SQLAlchemy 2.1 for a loader that it is about to drop; nothing of ours does.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


def another(artifact: Artifact, rows: int) -> Artifact:
    return Artifact(artifact.booster_text, replace(artifact.card, held_out={"rows": rows}))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def opened(home: Path) -> Registry:
    return Registry(home / "models", home / "model")


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def aliases(registry: Registry) -> dict[str, str | None]:
    return {entry.version: entry.alias for entry in registry.entries()}


def test_a_registered_model_waits_until_it_is_promoted(artifact: Artifact, home: Path) -> None:
    registry = opened(home)
    first = registry.register(artifact, {"auc": 0.8})
    assert registry.register(artifact, {"auc": 0.9}) == first
    assert (first.alias, first.figures, registry.served()) == (CHALLENGER, {"auc": "0.8000"}, None)
    assert load(first.folder) == artifact
    registry.promote(first.version, NOON, "mei", "the first")
    second = registry.register(another(artifact, 1))
    assert aliases(registry) == {second.version: CHALLENGER, first.version: CHAMPION}
    assert load(home / "model") == artifact
    registry.promote(second.version, minute(1), "mei", "better")
    assert aliases(registry) == {second.version: CHAMPION, first.version: None}
    assert (registry.served(), list(kept_in(home / "models"))) == (second.version, sorted((first.version, second.version)))


def test_promotions_are_taken_back_one_by_one(artifact: Artifact, home: Path) -> None:
    registry = opened(home)
    versions = [registry.register(another(artifact, number)).version for number in range(3)]
    for number, version in enumerate(versions):
        registry.promote(version, minute(number), "mei", "newer")
    registry.promote(versions[2], minute(3), "mei", "once more")  # decides already
    assert [registry.roll_back(minute(10 + number), "lin", "worse").version for number in range(2)] == [versions[1], versions[0]]
    assert registry.served() == versions[0]
    with pytest.raises(NotFoundError, match="no model decided before"):
        registry.roll_back(minute(20), "lin", "worse")
    told = [(each.version, each.at, each.by, each.back) for each in registry.promotions()]
    assert told[:3] == [(version, minute(number), "mei", False) for number, version in enumerate(versions)]
    assert told[3:] == [(versions[1], minute(10), "lin", True), (versions[0], minute(11), "lin", True)]
    registry.promote(versions[2], minute(30), "mei", "it was not the model")
    assert (registry.served(), registry.roll_back(minute(31), "lin", "it was").version) == (versions[2], versions[0])


def test_a_model_that_was_put_there_by_hand_can_be_gone_back_to(artifact: Artifact, home: Path) -> None:
    save(artifact, home / "model")
    registry = opened(home)
    other = registry.register(another(artifact, 1))
    assert registry.entries() == [other]
    registry.promote(other.version, NOON, "mei", "better")
    assert (registry.promotions()[0].version, registry.promotions()[0].by) == (artifact.version, FOUND)
    assert registry.roll_back(minute(1), "lin", "worse").version == artifact.version
    assert load(home / "model") == artifact
    by_hand = another(artifact, 2)
    save(by_hand, home / "model")
    assert registry.roll_back(minute(2), "lin", "not agreed").version == artifact.version


def test_a_damaged_model_is_put_right_by_promoting_it_again(artifact: Artifact, home: Path) -> None:
    registry = opened(home)
    version = registry.register(artifact).version
    registry.promote(version, NOON, "mei", "the first")
    (home / "model" / "booster.txt").write_text("half")
    assert registry.served() is None
    registry.promote(version, minute(1), "mei", "the disk lost it")
    assert (registry.served(), len(registry.promotions())) == (version, 1)


def test_what_cannot_be_served_is_not_promoted(artifact: Artifact, home: Path) -> None:
    registry = opened(home)
    with pytest.raises(NotFoundError, match="no model 2020 is registered; there are none"):
        registry.promote("2020", NOON, "mei", "x")
    entry = registry.register(artifact)
    (entry.folder / "card.json").write_text("{}")
    with pytest.raises(ModelMismatchError, match=r"card\.json"):
        registry.promote(entry.version, NOON, "mei", "x")
    assert (registry.served(), registry.promotions()) == (None, [])


def test_a_home_may_be_moved(artifact: Artifact, home: Path) -> None:
    version = opened(home).register(artifact).version
    home.rename(home.with_name("moved"))
    moved = opened(home.with_name("moved"))
    moved.promote(version, NOON, "mei", "x")
    assert moved.served() == version


def test_a_damaged_registry_says_what_to_do(home: Path) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / FILE).write_bytes(b"no database at all" * 1_000)
    with pytest.raises(SourceUnavailableError, match="restore it from a backup"):
        opened(home)
