"""Every route and every kind of wrong key: refused in the one error shape, and nothing is changed by asking."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from risk import clock
from risk.keys import Scope, make_key, revoke_key, rotate_key
from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running
from tests.service.routes import operations
from tests.service.rows import counted

OPEN = {"/healthz", "/readyz", "/metrics"}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(service: Running) -> dict[str, str]:
    """A key of each scope, a revoked one and an expired one, once the service knows them."""
    database = service.server.home.database
    made = {scope.value: make_key(database, f"only {scope.value}", [scope], clock.now()) for scope in Scope}
    made["revoked"] = make_key(database, "revoked", Scope, clock.now())
    revoke_key(database, "revoked", clock.now())
    made["expired"] = make_key(database, "expired", Scope, LONG_AGO)
    rotate_key(database, "expired", LONG_AGO, timedelta(days=1))
    until = time.monotonic() + 20
    while service.stranger.get("/v1/features", headers={"Authorization": f"Bearer {made['score']}"}).status_code == 401:
        assert time.monotonic() < until, "the service never read the new keys"
        time.sleep(0.2)
    return made


def test_only_what_tells_nothing_is_open(service: Running) -> None:
    assert {each.path for each in operations(service) if not each.needs_key} <= OPEN
    assert all(each.needs_key for each in operations(service) if each.path.startswith("/v1"))


def test_without_a_living_key_nothing_opens_and_nothing_changes(service: Running, keys: dict[str, str]) -> None:
    before = counted(service.server.home.database)
    wrong = {
        "none": None,
        "unknown": "rr_" + "x" * 43,
        "no key": "Bearer",
        "cut": service.key[:-1],
        "revoked": keys["revoked"],
        "expired": keys["expired"],
    }
    for operation in operations(service):
        if not operation.needs_key:
            continue
        for kind, key in wrong.items():
            answer = operation.call(service.stranger, key)
            assert answer.status_code == 401, (operation, kind)
            assert_error(answer, 401, "NOT_ALLOWED")
            assert key is None or key not in answer.text
    assert counted(service.server.home.database) == before


def test_a_key_for_something_else_opens_nothing_and_changes_nothing(service: Running, keys: dict[str, str]) -> None:
    before = counted(service.server.home.database)
    for operation in operations(service):
        if not operation.needs_key:
            continue
        answers = {scope: operation.call(service.stranger, keys[scope.value]) for scope in Scope}
        opened = {scope for scope, answer in answers.items() if answer.status_code not in {401, 403}}
        assert Scope.ADMIN in opened, operation
        assert len(opened) <= 2, f"{operation} opens to {opened}; a route is for one scope, and for admin"
        for scope in set(Scope) - opened:
            assert_error(answers[scope], 403, "SCOPE")
            assert all(key not in answers[scope].text for key in keys.values())
    assert counted(service.server.home.database) == before


def test_a_key_in_another_place_is_no_key(service: Running) -> None:
    for operation in operations(service):
        if operation.needs_key:
            elsewhere = {"X-API-Key": service.key, "Cookie": f"key={service.key}"}
            answer = service.stranger.request(operation.method, operation.url, params={"api_key": service.key, "key": service.key}, headers=elsewhere)
            assert_error(answer, 401, "NOT_ALLOWED")
