"""`refund-risk db`: what an operator sees before, while and after a store is brought up."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from risk import policy_file
from risk.cli import app
from risk.home import open_home
from risk.settings import Settings
from risk.stores.database import connect
from risk.stores.migrate import revisions
from risk.stores.migrations.versions import r0001_baseline as baseline


def db(word: str, home: Path, code: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["db", word, "--home", str(home), "--json"])
    assert done.exit_code == code, done.output
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(autouse=True)
def address(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The store of every home here, of each kind in turn."""
    monkeypatch.setenv("REFUND_RISK_DATABASE_URL", empty_url)
    return empty_url


def test_a_home_from_before_migrations_is_brought_up(tmp_path: Path, address: str) -> None:
    (tmp_path / "policy.toml").write_text(policy_file.default_text(), encoding="utf-8")
    database = connect(address, 1_000)
    with database.writing() as connection:
        baseline.then.create_all(connection)
    database.close()
    assert db("current", tmp_path, code=1)["state"] == "behind"
    done = db("upgrade", tmp_path)
    assert (done["before"], done["revision"], done["applied"]) == (None, revisions()[-1], revisions())
    assert db("current", tmp_path)["state"] == "current"
    assert db("upgrade", tmp_path)["applied"] == []
    open_home(tmp_path, Settings(database_url=address)).database.close()


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path, address: str) -> None:
    open_home(tmp_path, Settings(database_url=address)).database.close()
    database = connect(address, 1_000)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert db("current", tmp_path, code=1)["state"] == "ahead"
    assert "run the version that wrote it" in db("upgrade", tmp_path, code=2)["error"]["message"]


def test_a_folder_that_is_no_home_is_said_to_be_none(tmp_path: Path) -> None:
    assert db("upgrade", tmp_path / "none", code=2)["error"]["code"] == "NOT_FOUND"
    assert not (tmp_path / "none").exists()
