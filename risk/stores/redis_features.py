"""Feast's online table in Redis: one round trip a decision, a short wait, and none at all while Redis is known to be down."""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from mmh3 import hash as murmur
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import SSLConnection, parse_url
from redis.exceptions import RedisError
from redis.retry import Retry

from data_contracts.errors import ContractError, SourceUnavailableError
from data_contracts.link import EntityType
from features.slow import key_of, slow_features
from risk.stores.online_features import PROJECT, Values, entity_key, number

MARK = f"{PROJECT}:published"
PAUSE_S = 1.0
"""How often a Redis that did not answer is tried again; meanwhile every question goes on without it."""

PATIENCE_S = 30
"""How long a publication waits for Redis: it is no decision."""

PART = 1_000
"""Entities whose stamps are asked for at once."""


class RedisFeatures:
    """The table at a Redis address: `redis://[USER:PASSWORD@]HOST:PORT/NUMBER`, `rediss://` for TLS. An installation has a database number to itself.

    A question waits at most `timeout_ms`. `states` is the folder in which publications are kept: where it is, an empty Redis has lost them.
    ContractError: no such address.
    """

    def __init__(self, url: str, timeout_ms: int, states: Path) -> None:
        self._told = _parsed(url)
        self._states = states
        self._client = self._connected(timeout_ms / 1000)
        self._names = {kind: [feature.name for feature in features] for kind, features in slow_features().items()}
        self._fields = {kind: [_field(kind, name) for name in names] for kind, names in self._names.items()}
        self._lock = Lock()
        self._down: str | None = None
        self._closed = Event()

    def read(self, asked: Mapping[EntityType, Sequence[str]]) -> dict[EntityType, list[Values]]:
        """As OnlineFeatures says."""
        wanted = [(kind, name) for kind, names in asked.items() for name in names]
        if self._down is not None:
            raise SourceUnavailableError(self._down)
        try:
            with self.answering(), self._lock:
                there, *rows = self._ask(wanted)
        except SourceUnavailableError as error:
            self._leave_alone(error.message)
            raise
        if not there and self._states.exists():
            message = f"{self} holds no online features, though they were published; publish them again: `refund-risk load`"
            raise SourceUnavailableError(message)
        found: dict[EntityType, list[Values]] = {kind: [] for kind in asked}
        for (kind, _), row in zip(wanted, rows, strict=True):
            found[kind].append({name: number(value) for name, value in zip(self._names[kind], row, strict=True) if value is not None})
        return found

    def stamps(self, kind: EntityType, names: Sequence[str]) -> dict[str, int]:
        """As OnlineFeatures says."""
        found: dict[str, int] = {}
        with self.answering(), self._connected(PATIENCE_S) as client:
            for start in range(0, len(names), PART):
                part = names[start : start + PART]
                with client.pipeline(transaction=False) as pipe:
                    for name in part:
                        pipe.hget(_key(kind, name), f"_ts:{kind.value}")
                    found |= {name: _seconds(stamp) for name, stamp in zip(part, pipe.execute(), strict=True) if stamp}
        return found

    def feast(self) -> dict[str, Any]:
        """As OnlineFeatures says. Feast takes one line with commas between; a name or password is quoted so that it stays text."""
        told = self._told
        parts = [f"{told['host']}:{told['port']}", f"db={told['db']}", f"socket_timeout={PATIENCE_S}", f"socket_connect_timeout={PATIENCE_S}"]
        parts += [f"{name}={json.dumps(told[name])}" for name in ("username", "password") if name in told]
        parts += ["ssl=true"] if told["ssl"] else []
        return {"type": "redis", "connection_string": ",".join(parts)}

    def mark(self) -> None:
        """As OnlineFeatures says."""
        with self.answering(), self._connected(PATIENCE_S) as client:
            client.set(MARK, "1")

    def close(self) -> None:
        """Give back the connection, and try no more."""
        self._closed.set()
        self._client.close()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """As OnlineFeatures says."""
        try:
            yield
        except RedisError as error:
            message = f"{self} did not answer: {error}; check REFUND_RISK_REDIS_URL"
            raise SourceUnavailableError(message) from error

    def __str__(self) -> str:
        return f"Redis at {self._told['host']}:{self._told['port']}"

    def _connected(self, patience_s: float) -> Redis:
        return Redis(**self._told, socket_timeout=patience_s, socket_connect_timeout=patience_s, retry=Retry(NoBackoff(), 0))

    def _ask(self, wanted: Sequence[tuple[EntityType, str]]) -> list[Any]:
        """Whether anything was published, and the row of each entity."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.exists(MARK)
            for kind, name in wanted:
                pipe.hmget(_key(kind, name), self._fields[kind])  # type: ignore[arg-type]  # keys are bytes, which it takes
            return list(pipe.execute())

    def _leave_alone(self, why: str) -> None:
        """Ask no more until Redis answers somebody whom no decision waits for."""
        with self._lock:
            if self._down is None:
                self._down = why
                Thread(target=self._try_again, name="redis", daemon=True).start()

    def _try_again(self) -> None:
        while not self._closed.wait(PAUSE_S):
            try:
                with self.answering():
                    self._client.ping()
            except SourceUnavailableError as error:
                self._down = error.message
            else:
                self._down = None
                return


def _parsed(url: str) -> dict[str, Any]:
    """What the address says."""
    try:
        said: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]  # the package's own reader of addresses
    except ValueError as error:
        message = f"REFUND_RISK_REDIS_URL is no address of a Redis: {error}; expected redis://HOST:PORT/NUMBER"
        raise ContractError(message, field="redis_url") from error
    known = {name: str(said[name]) for name in ("username", "password") if said.get(name)}
    if any("," in word for word in known.values()):
        message = "the name or password in REFUND_RISK_REDIS_URL has a comma, which Feast cannot take; choose another"
        raise ContractError(message, field="redis_url")
    ssl = said.get("connection_class") is SSLConnection
    return {"host": said.get("host", "localhost"), "port": said.get("port", 6379), "db": said.get("db", 0), "ssl": ssl, **known}


def _key(kind: EntityType, name: str) -> bytes:
    """The hash of an entity: Feast's key, then the project."""
    return entity_key(key_of(kind), name) + PROJECT.encode()


def _field(kind: EntityType, feature: str) -> bytes:
    """The field of a feature: the first four bytes of a hash of view and name."""
    return struct.pack("<I", murmur(f"{kind.value}:{feature}", signed=False))


def _seconds(stamp: bytes) -> int:
    """The seconds in a protobuf timestamp: its first field, a number in parts of seven bits behind one byte that names it."""
    found = 0
    for place, part in enumerate(stamp[1:]):
        found |= (part & 0x7F) << 7 * place
        if part < 0x80:  # noqa: PLR2004  # the bit that says: more follows
            break
    return found
