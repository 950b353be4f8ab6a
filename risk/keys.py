"""API keys: random 256-bit tokens of which only the hash is stored; each has scopes, perhaps an end, and is made, rotated and revoked by name."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Row, insert, select, update

from data_contracts.errors import ConflictError, NotFoundError
from features.streams import micros
from risk.stores import tables
from risk.stores.database import Database

TOKEN_BYTES = 32
FIRST = "first"


class Scope(StrEnum):
    """What a key may do. `admin` may do everything, and alone may judge, purge and read who read what."""

    SCORE = "score"
    EVIDENCE = "evidence"
    EVENTS = "events"
    LABELS = "labels"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `expires_at` and `revoked_at` are null while it lives on; `key_id` names it in lists, it opens nothing."""

    key_sha256: str
    name: str
    scopes: frozenset[Scope]
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def key_id(self) -> str:
        """Eight characters of the hash."""
        return self.key_sha256[:8]

    def allows(self, scope: Scope) -> bool:
        """Whether that may be done with it."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def lives(self, now: datetime) -> bool:
        """Whether it opens anything at that moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def key_hash(key: str) -> str:
    """What is stored of an API key. A plain hash will do: the key is 256 random bits, nothing that could be guessed."""
    return hashlib.sha256(key.encode()).hexdigest()


def all_keys(database: Database) -> tuple[ApiKey, ...]:
    """Every key that was ever made, the oldest first."""
    table = tables.api_keys
    with database.reading() as connection:
        return tuple(_key(row) for row in connection.execute(select(table).order_by(table.c.made_us, table.c.key_sha256)))


def make_key(database: Database, name: str, scopes: Iterable[Scope], now: datetime) -> str:
    """A new key; this is the only time that it can be read. ConflictError: a living key has that name."""
    if any(key.name == name and key.lives(now) for key in all_keys(database)):
        message = f"a living key is named {name}; rotate or revoke it, or take another name"
        raise ConflictError(message, field="name")
    return _added(database, name, scopes, now)


def rotate_key(database: Database, name: str, now: datetime, grace: timedelta) -> str:
    """A new key of the same name and scopes; the old one still opens for the grace, so that callers can change over. NotFoundError: no such key."""
    old = _living(database, name, now)
    key = _added(database, name, old[-1].scopes, now)
    _end(database, old, "expires_us", now + grace)
    return key


def revoke_key(database: Database, name: str, now: datetime) -> int:
    """End every living key of that name at once; how many there were. NotFoundError: no such key."""
    living = _living(database, name, now)
    _end(database, living, "revoked_us", now)
    return len(living)


def first_key(database: Database, now: datetime) -> str | None:
    """The key of an installation that has none yet, with every scope, never shown again; null when there are keys."""
    return None if all_keys(database) else make_key(database, FIRST, Scope, now)


def _added(database: Database, name: str, scopes: Iterable[Scope], now: datetime) -> str:
    key = f"rr_{secrets.token_urlsafe(TOKEN_BYTES)}"
    row = {"key_sha256": key_hash(key), "name": name, "scopes": " ".join(sorted(scopes)), "made_us": micros(now)}
    with database.writing() as connection:
        connection.execute(insert(tables.api_keys), row)
    return key


def _living(database: Database, name: str, now: datetime) -> list[ApiKey]:
    living = [key for key in all_keys(database) if key.name == name and key.lives(now)]
    if not living:
        message = f"no living key is named {name}; `refund-risk keys list` shows them"
        raise NotFoundError(message, field="name")
    return living


def _end(database: Database, keys: Iterable[ApiKey], column: str, moment: datetime) -> None:
    table = tables.api_keys
    with database.writing() as connection:
        for key in keys:
            connection.execute(update(table).where(table.c.key_sha256 == key.key_sha256).values({column: micros(moment)}))


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    stored = row._mapping  # noqa: SLF001  # the documented way to columns by name
    return ApiKey(
        stored["key_sha256"],
        stored["name"],
        frozenset(Scope(word) for word in str(stored["scopes"]).split()),
        _moment(stored["made_us"]),
        None if stored["expires_us"] is None else _moment(stored["expires_us"]),
        None if stored["revoked_us"] is None else _moment(stored["revoked_us"]),
    )


def _moment(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
