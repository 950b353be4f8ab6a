"""One database, SQLite or PostgreSQL, through SQLAlchemy Core: opening it, reading at one moment, writing all or nothing."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, Select, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from data_contracts.errors import SourceUnavailableError
from risk.stores.tables import metadata

PART = 50_000
"""Rows of a long result that are held as Python values at once."""

WAL_PAGES = 20_000
"""Pages (80 MiB) after which SQLite copies its log back. A decision writes about 40; at the usual 1,000 every 25th would wait for the copying."""


class Database:
    """The open database. Reads see one consistent moment; writes are durable when `writing` ends, or did not happen."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._failures = (DBAPIError, engine.dialect.loaded_dbapi.Error)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that may say `ON CONFLICT`: spelled alike in both dialects, but each has its own."""
        return sqlite.insert(table) if self.engine.dialect.name == "sqlite" else postgresql.insert(table)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view. SourceUnavailableError: the database does not answer."""
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except self._failures as error:
            raise _unavailable(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed to disk at the end. IntegrityError passes (somebody was first); else SourceUnavailableError."""
        try:
            with self.engine.connect().execution_options(refund_risk_writes=True) as connection, connection.begin():
                yield connection
        except self._failures as error:
            if _is_conflict(error):
                raise
            raise _unavailable(error) from error

    def fetch(self, connection: Connection, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """The rows of a statement with `?` for values, as plain tuples: the fast way to read, the same for both dialects.

        A decision reads some ten times; asking the driver itself saves half of the time that each would take.
        """
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(self._spelled(statement), tuple(values))
            return list(cursor.fetchall())

    def frame(self, connection: Connection, query: Select[Any], schema: pl.Schema) -> pl.DataFrame:
        """The rows of a query as a frame, fetched in parts so that millions of them fit."""
        result = connection.execute(query.execution_options(yield_per=PART))
        parts = [pl.DataFrame(rows, schema=schema, orient="row") for rows in result.partitions()]
        return pl.concat(parts) if parts else pl.DataFrame(schema=schema)

    def _spelled(self, statement: str) -> str:
        return statement if self.engine.dialect.paramstyle == "qmark" else statement.replace("?", "%s")

    def add(self, connection: Connection, table: Table, columns: Sequence[str], row: tuple[Any, ...]) -> None:
        """Add one row. IntegrityError: its key is there already."""
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join(['?'] * len(columns))})"  # noqa: S608  # names are our own tables'
        connection.exec_driver_sql(self._spelled(statement), row)

    def add_many(self, connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows at driver speed; a row whose key is there already is left as it is."""
        if not rows:
            return
        places = ", ".join(["?"] * len(columns))
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608  # names are our own tables'
        with closing(connection.connection.cursor()) as cursor:
            cursor.executemany(self._spelled(statement), rows)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def open_sqlite(path: Path, busy_timeout_ms: int) -> Database:
    """The SQLite file at that path, made when it is not there."""
    return open_database(f"sqlite:///{path}", busy_timeout_ms)


def open_database(url: str, busy_timeout_ms: int) -> Database:
    """The database at that SQLAlchemy address, with our tables in it. SourceUnavailableError: it does not answer."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine, busy_timeout_ms)
    try:
        metadata.create_all(engine)
    except DBAPIError as error:
        raise _unavailable(error) from error
    return Database(engine)


def _tune_sqlite(engine: Engine, busy_timeout_ms: int) -> None:
    """WAL lets readers and one writer work side by side; FULL makes a commit survive a power cut; writers queue at BEGIN, not at COMMIT."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401  # the driver's connection
        connection.isolation_level = None  # the driver's own BEGIN comes too late for IMMEDIATE
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"busy_timeout = {busy_timeout_ms:d}",
            f"wal_autocheckpoint = {WAL_PAGES}",
            "cache_size = -65536",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("refund_risk_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_conflict(error: Exception) -> bool:
    return type(error).__name__ == "IntegrityError"


def _unavailable(error: Exception) -> SourceUnavailableError:
    """The driver's words carry no values, the statement's parameters would."""
    words = error.orig if isinstance(error, DBAPIError) else error
    return SourceUnavailableError(f"the database did not answer: {words}; check REFUND_RISK_DATABASE_URL and the disk")
