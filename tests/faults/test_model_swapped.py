"""The model on disk is cut short: a service that runs keeps the one it has, a new one refuses to start and says why in one line."""

import shutil
import subprocess
from pathlib import Path

import pytest

from data_contracts.errors import ModelMismatchError
from risk.jobs.serve import serve
from risk.jobs.train import train
from tests.faults.answers import SCORE
from tests.risk.jobs.labelled_shop import a_shop
from tests.risk.servers import running
from tests.risk.stories import plain_body
from tests.service.processes import command


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that this code can serve."""
    shop = a_shop(tmp_path_factory.mktemp("shop"))
    train(shop.folder, shop.folder.parent / "model", features=shop.features)
    return shop.folder.parent / "model"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_a_running_service_keeps_its_model_and_a_new_one_refuses(model: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(model, home / "model")
    with running(home) as service:
        before = service.client.post(SCORE, json=plain_body("before")).json()
        assert before["score"] is not None
        cut(home / "model" / "booster.txt")
        after = service.client.post(SCORE, json=plain_body("after")).json()
        assert after["versions"] == before["versions"]
        assert after["score"] is not None
    refused = subprocess.run(command(home), capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    assert "MODEL_MISMATCH" in line
    assert "booster.txt" in line


@pytest.mark.parametrize("file", ["booster.txt", "card.json", "SHA256SUMS"])
@pytest.mark.parametrize("how", ["cut", "empty", "gone"])
def test_no_part_of_a_model_may_be_damaged(model: Path, tmp_path: Path, file: str, how: str) -> None:
    shutil.copytree(model, tmp_path / "model")
    target = tmp_path / "model" / file
    {"cut": lambda: cut(target), "empty": lambda: target.write_bytes(b""), "gone": target.unlink}[how]()
    with pytest.raises(ModelMismatchError, match=file):
        serve(tmp_path, port=0)
