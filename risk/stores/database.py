"""One database, SQLite or PostgreSQL, through SQLAlchemy Core: opening it, reading at one moment, writing all or nothing.

There is one writer at a time on both: SQLite knows no other way, PostgreSQL takes a lock of ours. So running numbers become visible in their
order, and whoever has read up to one of them has missed none.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import Connection, Engine, Select, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from data_contracts.errors import ContractError, RiskError, SourceUnavailableError
from risk.stores import postgres
from risk.stores.migrate import State, standing, upgrade

PART = 50_000
"""Rows of a long result that are held as Python values at once."""

WAL_PAGES = 100_000
"""Pages (400 MiB) after which SQLite copies its log back within a commit: only where nobody does so beside the work, or not fast enough."""

KEPT_OPEN = 4
"""Connections of SQLite that are kept open while nobody uses them."""

CACHE_KIB = 4_096
"""What a connection of SQLite keeps of the file. Most commits look through all of it, so more is slower: the system has the file in memory anyway."""


class Database:
    """The open database. Reads see one consistent moment; writes are durable when `writing` ends, or did not happen."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._failures = (DBAPIError, engine.dialect.loaded_dbapi.Error)
        self._readers = engine if self.is_sqlite else engine.execution_options(**postgres.READS)
        self._idle: list[Connection] = []

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that may say `ON CONFLICT`: spelled alike in both dialects, but each has its own."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view. SourceUnavailableError: the database does not answer."""
        try:
            with self._connected(self._readers) as connection, connection.begin():
                if self.is_sqlite:
                    driver_of(connection).execute("BEGIN")
                yield connection
        except self._failures as error:
            raise _unavailable(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed to disk at the end. IntegrityError passes (somebody was first); else SourceUnavailableError."""
        try:
            with self._connected(self.engine) as connection, connection.begin():
                driver_of(connection).execute("BEGIN IMMEDIATE" if self.is_sqlite else f"SELECT pg_advisory_xact_lock({postgres.WRITER})")
                yield connection
        except self._failures as error:
            if isinstance(error, IntegrityError):
                raise
            if type(error).__name__ in ("IntegrityError", "UniqueViolation"):
                raise IntegrityError("a row that is there already", None, error) from error
            raise _unavailable(error) from error

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        """A connection. A few of SQLite's stay open: to ask the pool for one and to give it back costs a decision as much as ten statements."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if self.is_sqlite and len(self._idle) < KEPT_OPEN:
            self._idle.append(connection)
        else:
            connection.close()

    @contextmanager
    def together(self, connection: Connection) -> Iterator[None]:
        """PostgreSQL gets the statements inside without a wait between them, but for those whose rows are fetched: others wait for this writer.

        What is wrong with one of them is raised by a later one, or at the end. Only what the methods here send may be inside.
        """
        if self.is_sqlite:
            yield
            return
        with driver_of(connection).pipeline():
            yield

    def fetch(self, connection: Connection, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """The rows of a statement with `?` for values, as plain tuples: the fast way to read, the same for both dialects.

        A decision reads some ten times; asking the driver itself saves half of the time that each would take.
        """
        rows: list[tuple[Any, ...]] = driver_of(connection).execute(self._spelled(statement), tuple(values)).fetchall()
        return rows

    def fetch_each(self, connection: Connection, statement: str, sets: Sequence[Sequence[object]]) -> list[list[tuple[Any, ...]]]:
        """The rows of one statement for each set of values: prepared once, and for PostgreSQL sent in one go."""
        if not sets:
            return []
        with closing(driver_of(connection).cursor()) as cursor:
            if self.is_sqlite:
                return [cursor.execute(statement, values).fetchall() for values in sets]
            cursor.executemany(self._spelled(statement), sets, returning=True)
            return [result.fetchall() for result in cursor.results()]

    def given(self, connection: Connection, statement: str, kinds: tuple[str, ...], rows: Sequence[Sequence[object]]) -> list[tuple[Any, ...]]:
        """The rows of one statement that reads all of these at once: `{given}` in it stands for a table `given` with the columns c0, c1, ...

        `kinds` are their types in PostgreSQL (text, bigint).
        """
        found: list[tuple[Any, ...]] = self._over(connection, statement, kinds, rows).fetchall() if rows else []
        return found

    def change(self, connection: Connection, statement: str, kinds: tuple[str, ...], rows: Sequence[Sequence[object]]) -> None:
        """The same for what the statement changes; it returns no rows."""
        if rows:
            self._over(connection, statement, kinds, rows)

    def _over(self, connection: Connection, statement: str, kinds: tuple[str, ...], rows: Sequence[Sequence[object]]) -> Any:  # noqa: ANN401  # a cursor
        spelled = _with_given(statement, kinds, self.is_sqlite)
        values = [msgspec.json.encode(rows).decode()] if self.is_sqlite else postgres.arrays(rows)
        return driver_of(connection).execute(spelled, values * statement.count("{given}"))

    def frame(self, connection: Connection, query: Select[Any], schema: pl.Schema) -> pl.DataFrame:
        """The rows of a query as a frame, fetched in parts so that millions of them fit; the driver itself gives them in a third of the time."""
        compiled = query.compile(self.engine, compile_kwargs={"render_postcompile": True})
        values = compiled.params if compiled.positiontup is None else tuple(compiled.params[name] for name in compiled.positiontup)
        driver: Any = connection.connection
        if not self.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = on")  # it reads whole tables
        with closing(driver.cursor() if self.is_sqlite else driver.cursor("frame")) as cursor:  # by name: the server keeps what was not fetched yet
            cursor.execute(str(compiled), values)
            parts = [pl.DataFrame(rows, schema=schema, orient="row") for rows in iter(lambda: cursor.fetchmany(PART), [])]
        return pl.concat(parts) if parts else pl.DataFrame(schema=schema)

    def _spelled(self, statement: str) -> str:
        return statement if self.is_sqlite else statement.replace("%", "%%").replace("?", "%s")

    def add(self, connection: Connection, table: Table, columns: Sequence[str], row: tuple[Any, ...]) -> None:
        """Add one row. IntegrityError: its key is there already."""
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join(['?'] * len(columns))})"  # noqa: S608  # names are our own tables'
        driver_of(connection).execute(self._spelled(statement), row)

    def add_new(self, connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows. IntegrityError: the key of one is there already."""
        self._insert(connection, table, columns, rows, "")

    def add_many(self, connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows at driver speed; a row whose key is there already is left as it is."""
        self._insert(connection, table, columns, rows, " ON CONFLICT DO NOTHING")

    def _insert(self, connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], or_else: str) -> None:
        if not rows:
            return
        driver = driver_of(connection)
        if self.is_sqlite:
            places = ", ".join(["?"] * len(columns))
            driver.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places}){or_else}", rows)  # noqa: S608  # our own names
            return
        postgres.insert(driver, table, columns, rows, or_else)

    def scrub(self, tables: Iterable[str]) -> None:
        """Let nothing that was deleted from them linger: in SQLite's log, in PostgreSQL's dead rows. SourceUnavailableError: no answer."""
        try:
            with closing(self.engine.raw_connection()) as pooled:
                raw: Any = pooled.driver_connection
                if self.is_sqlite:
                    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                    return
                raw.autocommit = True
                raw.execute(f"VACUUM {', '.join(tables)}")
                raw.autocommit = False
        except self._failures as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """Give back every connection."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()


def driver_of(connection: Connection) -> Any:  # noqa: ANN401  # which can do more than every driver must
    """The driver's own connection: a statement costs half as much there."""
    return connection.connection.dbapi_connection


@lru_cache(maxsize=256)
def _with_given(statement: str, kinds: tuple[str, ...], is_sqlite: bool) -> str:  # noqa: FBT001  # which of the two dialects
    names = [f"c{number}" for number in range(len(kinds))]
    if is_sqlite:
        columns = ", ".join(f"value ->> {number} AS {name}" for number, name in enumerate(names))
        return statement.replace("{given}", f"(SELECT {columns} FROM json_each(?)) AS given")  # noqa: S608  # our own names
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    return statement.replace("%", "%%").replace("{given}", f"unnest({arrays}) AS given({', '.join(names)})")


def open_sqlite(path: Path, busy_timeout_ms: int) -> Database:
    """The SQLite file at that path, made when it is not there."""
    return open_database(f"sqlite:///{path}", busy_timeout_ms)


def open_database(url: str, busy_timeout_ms: int) -> Database:
    """The database at that SQLAlchemy address, with our tables in it; an empty one gets them.

    ContractError: it is behind or ahead of this code, or as `connect`. SourceUnavailableError: it does not answer.
    """
    database = connect(url, busy_timeout_ms)
    try:
        with database.reading() as connection:
            found = standing(connection)
        if found.state is State.EMPTY:
            with database.writing() as connection:
                upgrade(connection)
        else:
            found.check()
    except RiskError:
        database.close()
        raise
    return database


def connect(url: str, busy_timeout_ms: int) -> Database:
    """The database at that SQLAlchemy address, whatever is in it. ContractError: it names a database of another make, or is no address."""
    kind = url.partition(":")[0].partition("+")[0]
    if kind not in ("sqlite", "postgresql"):
        message = f"the database address begins with {kind or 'nothing'}; expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
        raise ContractError(message, field="database_url")
    try:
        options = {} if kind == "sqlite" else {"pool_pre_ping": True, "connect_args": postgres.connect_args(busy_timeout_ms)}
        engine = create_engine(url, hide_parameters=True, pool_use_lifo=True, **options)  # the connection used last has its pages in memory
    except (ValueError, ArgumentError):  # whose words repeat the address, which may hold a password
        message = "REFUND_RISK_DATABASE_URL cannot be read; expected sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME"
        raise ContractError(message, field="database_url") from None
    if kind == "sqlite":
        _tune_sqlite(engine, busy_timeout_ms)
    return Database(engine)


def _tune_sqlite(engine: Engine, busy_timeout_ms: int) -> None:
    """WAL lets readers and one writer work side by side; FULL makes a commit survive a power cut; writers queue at BEGIN, not at COMMIT."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401  # the driver's connection
        connection.isolation_level = None  # the driver's own BEGIN comes too late for IMMEDIATE
        for pragma in (
            f"busy_timeout = {busy_timeout_ms:d}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"wal_autocheckpoint = {WAL_PAGES}",
            f"cache_size = -{CACHE_KIB}",
            "temp_store = MEMORY",
            "secure_delete = ON",  # what is purged is overwritten, not only forgotten
        ):
            connection.execute(f"PRAGMA {pragma}")


def _unavailable(error: Exception) -> RiskError:
    """The driver's words carry no values, the statement's parameters would."""
    words = error.orig if isinstance(error, DBAPIError) else error
    if type(words).__name__ == "DataError":
        return ContractError(f"the database cannot keep a value: {words}; expected text without null characters and numbers of at most 64 bits")
    message = f"the database did not answer: {words}; check REFUND_RISK_DATABASE_URL and the disk"
    return SourceUnavailableError(message, outside="the database does not answer; send the same again")
