"""Measuring an installation's evidence again, and telling it of pictures that are known, by the command line."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.image import examples
from risk.cli import app
from risk.jobs.remeasure import know, remeasure
from risk.stores.database import open_sqlite


def test_known_pictures_are_taken_in_and_measured_once(tmp_path: Path) -> None:
    catalogue, home = tmp_path / "catalogue", tmp_path / "home"
    (catalogue / "crabs").mkdir(parents=True)
    (catalogue / "crabs" / "one.jpg").write_bytes(examples.jpeg())
    (catalogue / "two.png").write_bytes(examples.png(examples.scene(seed=5)))
    found = know(home, catalogue, "catalogue")
    assert (found["files"], found["known"], found["pictures"]) == (2, 2, 2)
    database = open_sqlite(home / "risk.db", 1_000)
    with database.reading() as connection:
        origins = {row[0] for row in database.fetch(connection, "SELECT origin FROM evidence_files", ())}
    database.close()
    assert origins == {"catalogue: crabs/one.jpg", "catalogue: two.png"}
    again = remeasure(home)
    assert (again["measured"], again["pictures"]) == (0, 2)
    versions = again["versions"]
    assert isinstance(versions, Mapping)
    assert {"generated", "edited"} <= versions.keys()


def test_the_commands_answer_in_json_and_name_what_is_wrong(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["remeasure", "--home", str(tmp_path / "home"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["measured"] == 0
    wrong = CliRunner().invoke(app, ["known", str(tmp_path / "nowhere"), "--home", str(tmp_path / "home"), "--json"])
    assert wrong.exit_code == 2
    assert json.loads(wrong.stdout.splitlines()[0])["error"]["field"] == "folder"


def test_a_file_that_the_disk_lost_is_named_and_holds_up_no_other(tmp_path: Path) -> None:
    catalogue, home = tmp_path / "catalogue", tmp_path / "home"
    catalogue.mkdir()
    for seed in (1, 2):
        (catalogue / f"{seed}.jpg").write_bytes(examples.jpeg(examples.scene(seed=seed)))
    know(home, catalogue, "catalogue")
    lost = hashlib.sha256((catalogue / "1.jpg").read_bytes()).hexdigest()
    (home / "evidence" / lost[:2] / lost[2:4] / lost).write_bytes(b"something else")
    database = open_sqlite(home / "risk.db", 1_000)
    with database.writing() as connection:
        database.fetch(connection, "UPDATE evidence_measurements SET version = 'older' WHERE signal = 'generated' RETURNING sha256", ())
    database.close()
    done = CliRunner().invoke(app, ["remeasure", "--home", str(home), "--json"])
    assert done.exit_code == 1, done.output
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["measured"], list(said["failed"])) == (1, [lost])
    assert "backup" in said["failed"][lost]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFUND_RISK_EVIDENCE_URL", raising=False)
