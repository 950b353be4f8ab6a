"""What is wrong is said before the service starts: all of it at once, each in one line, and nothing is made anew that was lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_contracts.errors import ContractError, ModelMismatchError, RiskError, SourceUnavailableError
from risk.home import open_home
from risk.jobs import serve
from risk.jobs.listening import address_of, listen
from risk.jobs.startup import SeveralProblemsError
from risk.settings import Settings
from risk.stores.database import open_sqlite
from tests.risk.servers import Running
from tests.risk.stories import crab_body


def refused(home: Path, settings: Settings | None = None, port: int = 0) -> RiskError:
    """Why it does not start."""
    with pytest.raises(RiskError) as error:
        serve.start(home, settings or Settings(), lambda: listen("127.0.0.1", port))
    assert all(len(line) < 400 for line in error.value.message.splitlines())
    return error.value


def filled(home: Path, begin: Callable[..., Running]) -> None:
    """A home that decided once, with hashed identifiers in its store."""
    running = begin(home)
    assert running.client.post("/v1/refund-requests/score", json=crab_body("one")).status_code == 200
    running.server.stop()


def test_a_key_that_is_lost_beside_a_filled_store_is_never_made_anew(start: Callable[..., Running], tmp_path: Path) -> None:
    filled(tmp_path, start)
    (tmp_path / "identity.key").unlink()
    error = refused(tmp_path)
    assert "missing beside a store that is filled; restore it from a backup" in error.message
    assert not (tmp_path / "identity.key").exists()
    with pytest.raises(ContractError, match="restore it"):
        open_home(tmp_path, Settings())


def test_a_key_that_others_can_read_is_said_with_the_command_that_mends_it(tmp_path: Path) -> None:
    open_home(tmp_path, Settings()).database.close()
    (tmp_path / "identity.key").chmod(0o644)
    assert f"chmod 600 {tmp_path / 'identity.key'}" in refused(tmp_path).message


def test_a_truncated_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "SHA256SUMS").write_text(f"{'0' * 64}  booster.txt\n{'0' * 64}  card.json\n", encoding="utf-8")
    (tmp_path / "model" / "booster.txt").write_text("tree", encoding="utf-8")
    error = refused(tmp_path)
    assert isinstance(error, ModelMismatchError)
    assert "booster.txt" in error.message


def test_a_database_that_does_not_answer_is_said(tmp_path: Path) -> None:
    error = refused(tmp_path, Settings(database_url=f"postgresql+psycopg://nobody@/none?host={tmp_path}"))
    assert isinstance(error, SourceUnavailableError)
    assert "REFUND_RISK_DATABASE_URL" in error.message


def test_a_store_of_a_later_version_is_said(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "risk.db", 1_000)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert "run the version that wrote it" in refused(tmp_path).message


def test_a_folder_of_evidence_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("no folder", encoding="utf-8")
    assert str(tmp_path / "evidence") in refused(tmp_path).message


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = int(address_of(taken).rsplit(":", 1)[1])
        assert f"cannot listen on 127.0.0.1:{port}" in refused(tmp_path, port=port).message


def test_a_redis_address_that_is_none_is_said(tmp_path: Path) -> None:
    assert "REFUND_RISK_REDIS_URL" in refused(tmp_path, Settings(redis_url="localhost")).message


def test_all_that_is_wrong_is_said_at_once_and_nothing_was_opened(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("name = 'x'", encoding="utf-8")
    (tmp_path / "identity.key").write_text("short", encoding="ascii")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_text("{}", encoding="utf-8")
    with listen("127.0.0.1", 0) as taken:
        port = int(address_of(taken).rsplit(":", 1)[1])
        error = refused(tmp_path, Settings(redis_url="http://x"), port)
    assert isinstance(error, SeveralProblemsError)
    first, *lines = error.message.splitlines()
    assert first == "5 things are wrong"
    assert [line.partition(":")[0] for line in lines] == ["POLICY", "CONTRACT", "MODEL_MISMATCH", "CONTRACT", "CONTRACT"]
    with listen("127.0.0.1", port) as free:
        assert free is not None
