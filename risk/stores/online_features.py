"""Reading Feast's online tables without Feast: what a table is asked, how Feast spells keys and values, and its table in a SQLite file."""

import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeAlias

from data_contracts.errors import SourceUnavailableError
from data_contracts.link import EntityType
from features.slow import key_of

PROJECT = "refund_risk"
STRING = 2  # Feast's ValueType.STRING
DOUBLE_TAG = 0x29  # protobuf: field 5 (double_val) of feast.types.Value, eight bytes follow

LOCKED_S = 0.05
"""How long a decision waits while a publication has the file to itself: as long as for Redis."""

Values: TypeAlias = Mapping[str, float | None]
"""The features of one entity by name; one that has no state has none."""


class OnlineFeatures(Protocol):
    """The newest state of every entity. Each method raises SourceUnavailableError where the table does not answer."""

    def read(self, asked: Mapping[EntityType, Sequence[str]]) -> dict[EntityType, list[Values]]:
        """The values of each entity that is asked for, in the order of asking."""

    def stamps(self, kind: EntityType, names: Sequence[str]) -> dict[str, int]:
        """From when the state of each of these is, in seconds since 1970; who has none is left out."""

    def feast(self) -> dict[str, Any]:
        """How Feast is told of the table, to write it."""

    def mark(self) -> None:
        """States were published: from now on, a table without any has lost them."""

    def answering(self) -> AbstractContextManager[None]:
        """Around what Feast does with the table: its driver's errors become ours."""

    def close(self) -> None:
        """Give back the connection."""


class SqliteFeatures:
    """The table in a file of this machine. Before the first publication there is no file, and nobody has a state."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()

    def read(self, asked: Mapping[EntityType, Sequence[str]]) -> dict[EntityType, list[Values]]:
        """As OnlineFeatures says."""
        with self._opened() as connection:
            return {kind: [_row(connection, kind, name) for name in names] for kind, names in asked.items()}

    def stamps(self, kind: EntityType, names: Sequence[str]) -> dict[str, int]:
        """As OnlineFeatures says; the whole table is read at once."""
        wanted, prefix = set(names), len(entity_key(key_of(kind), ""))
        with self._opened() as connection:
            newest = f"SELECT entity_key, MAX(event_ts) FROM {_table(kind)} GROUP BY 1"  # noqa: S608  # the table's name is ours
            rows = connection.execute(newest).fetchall() if connection else []
        return {name: seconds for key, seconds in rows if (name := bytes(key[prefix:]).decode()) in wanted}

    def feast(self) -> dict[str, Any]:
        """As OnlineFeatures says."""
        return {"type": "sqlite", "path": str(self.file)}

    def mark(self) -> None:
        """The file itself is the mark."""

    @contextmanager
    def answering(self) -> Iterator[None]:
        """As OnlineFeatures says."""
        try:
            yield
        except sqlite3.Error as error:
            message = f"the online features in {self.file} cannot be used: {error}; publish them again"
            raise SourceUnavailableError(message) from error

    def close(self) -> None:
        """As OnlineFeatures says."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        """The connection, for one caller at a time; null while there is no file."""
        with self.answering(), self._lock:
            if self._connection is None and self.file.exists():
                self._connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, check_same_thread=False, timeout=LOCKED_S)
            yield self._connection


def _row(connection: sqlite3.Connection | None, kind: EntityType, name: str) -> Values:
    if connection is None:
        return {}
    query = f"SELECT feature_name, value FROM {_table(kind)} WHERE entity_key = ?"  # noqa: S608  # the table's name is ours
    return {feature: number(value) for feature, value in connection.execute(query, (entity_key(key_of(kind), name),))}


def _table(kind: EntityType) -> str:
    """Feast's table in SQLite: project and view."""
    return f"{PROJECT}_{kind.value}"


def entity_key(key: str, value: str) -> bytes:
    """An entity as Feast writes it (its serialization version 3): one string key, one string value."""
    name, text = key.encode(), value.encode()
    return struct.pack("<III", 1, STRING, len(name)) + name + struct.pack("<II", STRING, len(text)) + text


def number(value: bytes) -> float | None:
    """A double in Feast's protobuf; empty is null."""
    if not value:
        return None
    if value[0] != DOUBLE_TAG:
        message = f"an online feature holds {value.hex()}, expected a double; publish the features again"
        raise SourceUnavailableError(message)
    found: float = struct.unpack("<d", value[1:9])[0]
    return found
