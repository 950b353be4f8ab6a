"""`/readyz`: 200 while decisions can be made, with what they lack; 503 with each reason while they cannot; `/healthz` stays 200 all the while."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.databases import address
from tests.redis_servers import RedisServer
from tests.risk.servers import Running, running


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch, empty_url: str, tmp_path: Path) -> Iterator[Running]:
    """A service over a database of each kind in turn."""
    monkeypatch.setenv("REFUND_RISK_DATABASE_URL", empty_url)
    with running(tmp_path / "home") as started:
        yield started


def ready(service: Running) -> dict[str, Any]:
    answer = service.stranger.get("/readyz")
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def reason(service: Running) -> str:
    answer = service.stranger.get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["error"]["code"] == "NOT_READY"
    assert service.stranger.get("/healthz").status_code == 200
    return str(answer.json()["error"]["message"])


def test_a_service_without_a_model_is_ready_and_says_what_it_lacks(over: Running) -> None:
    said = ready(over)
    assert said["status"] == "degraded"
    assert said["parts"]["model"] == "none is installed: every decision is a review"
    assert {name for name, words in said["parts"].items() if words == "ok"} == {"database", "schema", "disk", "graph", "slow_features", "evidence"}
    assert list((over.home / "evidence").glob(".probe*")) == []


def test_every_part_that_is_not_well_is_named(over: Running) -> None:
    shutil.rmtree(over.home / "evidence")
    (over.home / "evidence").write_text("in the way", encoding="utf-8")
    assert ready(over)["parts"]["evidence"] == "its files cannot be kept"
    with over.server.home.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    over.home.rename(over.home.with_name("elsewhere"))
    over.home.write_text("in the way", encoding="utf-8")
    try:
        assert reason(over) == "schema: it is not at this code's revision; disk: the home cannot be written"
    finally:
        over.home.unlink()
        over.home.with_name("elsewhere").rename(over.home)


def test_a_database_that_is_gone_is_named(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with address("postgresql", tmp_path, postgres) as url:
        monkeypatch.setenv("REFUND_RISK_DATABASE_URL", url)
        name = url.partition("@/")[2].partition("?")[0]
        with running(tmp_path / "home") as service, psycopg.connect(host=postgres, user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")  # type: ignore[arg-type]  # our own name
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            said = reason(service)
            assert said == "database: it does not answer; schema: it is not known while the database does not answer"
            assert postgres not in said
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")  # type: ignore[arg-type]  # as above
            assert ready(service)["parts"]["database"] == "ok"


def test_a_redis_that_is_gone_is_said_and_decisions_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = RedisServer()
    monkeypatch.setenv("REFUND_RISK_REDIS_URL", server.url)
    server.start()
    try:
        with running(tmp_path / "home") as service:
            assert ready(service)["parts"]["slow_features"] == "ok"
            server.stop()
            assert ready(service)["parts"]["slow_features"] == "they do not answer"
    finally:
        server.remove()
