import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ModelMismatchError, NotFoundError
from models.ranker import artifact as artifact_module
from models.ranker.artifact import BOOSTER, CARD, SUMS, Artifact, load, save


def test_what_is_saved_is_what_is_loaded(artifact: Artifact, tmp_path: Path) -> None:
    save(artifact, tmp_path / "m")
    assert load(tmp_path / "m") == artifact
    assert load(tmp_path / "m").version == artifact.version
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == sorted((BOOSTER, CARD, SUMS))


def test_the_sums_are_those_of_sha256sum(artifact: Artifact, tmp_path: Path) -> None:
    save(artifact, tmp_path)
    for line in (tmp_path / SUMS).read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_an_empty_folder_is_not_found_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="refund-risk train"):
        load(tmp_path)


def resealed(folder: Path) -> None:
    """Sums that fit the changed files, so that only the check behind them can object."""
    names = (BOOSTER, CARD)
    sums = "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (folder / SUMS).write_text(sums, encoding="utf-8")


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """A change of the card."""

    def edit(folder: Path) -> None:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        change(card)
        (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
        resealed(folder)

    return edit


def cut_booster(folder: Path) -> None:
    (folder / BOOSTER).write_bytes((folder / BOOSTER).read_bytes()[:-5])


def changed_card(folder: Path) -> None:
    (folder / CARD).write_text((folder / CARD).read_text(encoding="utf-8").replace('"format": 1', '"format":  1'), encoding="utf-8")


def no_booster(folder: Path) -> None:
    (folder / BOOSTER).unlink()


def short_sums(folder: Path) -> None:
    (folder / SUMS).write_text((folder / SUMS).read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


MISMATCHES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "booster cut off": (cut_booster, BOOSTER, "was changed"),
    "card changed by hand": (changed_card, CARD, "was changed"),
    "booster missing": (no_booster, BOOSTER, "is missing"),
    "sums incomplete": (short_sums, SUMS, "expected booster.txt and card.json"),
    "another format": (edited(lambda card: card.update(format=2)), "format", "has format 2, this code reads format 1"),
    "another catalogue": (edited(lambda card: card.update(catalogue_hash="0" * 64)), "catalogue_hash", "catalogue 000000000000, this code has"),
    "a feature renamed": (edited(lambda card: card["features"][0].update(name="renamed")), "features", "renamed"),
    "a feature gone": (edited(lambda card: card["features"].pop()), "features", "reads 7 features, card.json lists 6"),
    "a reason without texts": (edited(lambda card: card["features"][0].update(reason="NO_SUCH_CODE")), "reasons", "names the reasons NO_SUCH_CODE"),
    "another order": (edited(lambda card: card["features"].reverse()), "features", "another order"),
}


@pytest.mark.parametrize(("spoil", "field", "says"), MISMATCHES.values(), ids=MISMATCHES)
def test_an_artifact_that_does_not_fit_is_refused_naming_both_sides(
    artifact: Artifact,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    field: str,
    says: str,
) -> None:
    save(artifact, tmp_path)
    spoil(tmp_path)
    with pytest.raises(ModelMismatchError, match=says) as refused:
        load(tmp_path)
    assert refused.value.field == field


def test_a_half_written_artifact_does_not_load(artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(artifact, tmp_path)

    def torn(_: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr(artifact_module, "_card_text", torn)
    with pytest.raises(OSError, match="disk full"):
        save(artifact, tmp_path)
    monkeypatch.undo()
    with pytest.raises(ModelMismatchError, match="part of a model"):
        load(tmp_path)
