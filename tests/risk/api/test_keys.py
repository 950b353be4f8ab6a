"""Keys over a real service: scopes, rotation, revocation while it runs, and the limit of calls."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
from typer.testing import CliRunner

from risk.api.calls import REFRESH_S
from risk.cli import app
from risk.keys import Scope, all_keys, first_key, make_key, revoke_key, rotate_key
from risk.stores.database import Database, open_sqlite
from tests.risk.servers import Running

NOW = datetime(2026, 11, 1, tzinfo=UTC)

CALLS = {
    Scope.SCORE: ("POST", "/v1/refund-requests/score"),
    Scope.EVENTS: ("POST", "/v1/orders"),
    Scope.LABELS: ("POST", "/v1/labels"),
}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_sqlite(tmp_path / "keys.db", 1000)


def call(service: Running, key: str, method: str, path: str) -> httpx.Response:
    return service.stranger.request(method, path, headers={"Authorization": f"Bearer {key}"}, json={})


def keys(*arguments: str | Path) -> dict[str, object]:
    result = CliRunner().invoke(app, ["keys", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("scope", CALLS)
def test_a_key_opens_what_it_is_for_and_nothing_else(service: Running, scope: Scope) -> None:
    key = keys("make", f"only-{scope.value}", "--home", service.home, "--scope", scope.value)["keys"][0]["api_key"]  # type: ignore[index]
    wait_until(lambda: call(service, key, *CALLS[scope]).status_code == 422)
    for other, (method, path) in CALLS.items():
        answer = call(service, key, method, path)
        if other is scope:
            assert answer.status_code == 422  # past the key: now the body is looked at
        else:
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "SCOPE"


def test_a_revoked_key_opens_nothing_soon_after(service: Running) -> None:
    key = keys("make", "short", "--home", service.home, "--scope", "score")["keys"][0]["api_key"]  # type: ignore[index]
    path = "/v1/features"
    wait_until(lambda: call(service, key, "GET", path).status_code == 200)
    keys("revoke", "short", "--home", service.home)
    wait_until(lambda: call(service, key, "GET", path).status_code == 401)
    listed = {row["name"]: row for row in keys("list", "--home", service.home)["keys"]}  # type: ignore[attr-defined, index]
    assert listed["short"]["state"] == "revoked"
    assert all(row["api_key"] is None for row in listed.values())


def test_too_many_calls_with_one_key_wait(start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUND_RISK_CALLS_PER_SECOND", "3")
    service = start()
    answers = [service.client.get("/v1/features") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["error"]["code"] == "BUSY"
    sleep(1.1)
    assert service.client.get("/v1/features").status_code == 200


def test_the_first_key_is_made_once_with_every_scope(database: Database) -> None:
    assert first_key(database, NOW) is not None
    assert first_key(database, NOW) is None
    assert all_keys(database)[0].scopes == frozenset(Scope)


def test_a_rotated_key_opens_for_the_grace_beside_the_new_one(database: Database) -> None:
    make_key(database, "shop", [Scope.SCORE], NOW)
    rotate_key(database, "shop", NOW + timedelta(days=1), timedelta(hours=2))
    old, new = all_keys(database)
    assert old.scopes == new.scopes
    assert [old.lives(NOW + timedelta(days=1, hours=hours)) for hours in (1, 2)] == [True, False]
    assert new.lives(NOW + timedelta(days=400))


def test_a_secret_is_not_in_the_database(database: Database, tmp_path: Path) -> None:
    secret = make_key(database, "shop", [Scope.SCORE], NOW)
    database.close()
    assert all(secret.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def test_unknown_names_and_scopes_are_told(database: Database, tmp_path: Path) -> None:
    make_key(database, "shop", [Scope.SCORE], NOW)
    with pytest.raises(Exception, match="a living key is named shop"):
        make_key(database, "shop", [Scope.SCORE], NOW)
    with pytest.raises(Exception, match="no living key is named other"):
        revoke_key(database, "other", NOW)
    wrong = CliRunner().invoke(app, ["keys", "make", "x", "--home", str(tmp_path / "h"), "--scope", "everything"])
    assert wrong.exit_code == 2


def wait_until(holds: Callable[[], bool]) -> None:
    until = monotonic() + 5 * REFRESH_S
    while not holds():
        assert monotonic() < until, "it never came to hold"
        sleep(0.1)
