"""Make, list, rotate and revoke the API keys of a home; a running service notices within seconds."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from data_contracts.errors import ContractError
from risk import clock
from risk.home import Home, existing_home, open_home
from risk.keys import ApiKey, Scope, all_keys, make_key, revoke_key, rotate_key
from risk.settings import Settings, read_settings
from risk.stores.database import Database


@dataclass(frozen=True, slots=True)
class KeyShown:
    """One key; `api_key` is its secret, shown when it is made, else null. state: living, ending (old, after a rotation), ended or revoked."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    state: str
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    api_key: str | None = None


@dataclass(frozen=True, slots=True)
class KeyList:
    """Keys of one installation, the oldest first."""

    home: str
    keys: tuple[KeyShown, ...]


def list_keys(home: Path) -> KeyList:
    """Every key that was ever made."""
    with _database(existing_home, home) as database:
        return _listed(home, all_keys(database))


def make(home: Path, name: str, scopes: Sequence[str]) -> KeyList:
    """A new key. ContractError: no or unknown scopes. ConflictError: a living key has that name."""
    known = {scope.value for scope in Scope}
    if not scopes or not set(scopes) <= known:
        message = f"scopes are {', '.join(scopes) or 'none'}; expected one or more of {', '.join(sorted(known))}"
        raise ContractError(message, field="scopes")
    with _database(open_home, home) as database:
        secret = make_key(database, name, [Scope(scope) for scope in scopes], clock.now())
        return _listed(home, all_keys(database)[-1:], secret)


def rotate(home: Path, name: str, grace: timedelta) -> KeyList:
    """A new key in place of an old one. NotFoundError: there is none of that name."""
    with _database(existing_home, home) as database:
        secret = rotate_key(database, name, clock.now(), grace)
        return _listed(home, all_keys(database)[-1:], secret)


def revoke(home: Path, name: str) -> KeyList:
    """End a key at once. NotFoundError: there is none of that name."""
    with _database(existing_home, home) as database:
        revoke_key(database, name, clock.now())
        return _listed(home, [key for key in all_keys(database) if key.name == name])


@contextmanager
def _database(opener: Callable[[Path, Settings], Home], home: Path) -> Iterator[Database]:
    opened = opener(home, read_settings(os.environ))
    try:
        yield opened.database
    finally:
        opened.database.close()


def _listed(home: Path, keys: Sequence[ApiKey], secret: str | None = None) -> KeyList:
    return KeyList(str(home), tuple(_shown(key, clock.now(), secret) for key in keys))


def _shown(key: ApiKey, now: datetime, secret: str | None) -> KeyShown:
    state = "revoked" if key.revoked_at else "ended" if not key.lives(now) else "ending" if key.expires_at else "living"
    return KeyShown(key.key_id, key.name, tuple(sorted(key.scopes)), state, key.made_at, key.expires_at, key.revoked_at, secret)
