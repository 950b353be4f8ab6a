"""What only PostgreSQL needs: how it is to plan, and many rows given to it at once."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import LargeBinary, Table
from sqlalchemy.dialects import postgresql

WRITER = 7_236_151
"""The number of the advisory lock that a writer holds until its transaction ends."""

CONNECT_S = 5
"""How long a connection may take before it counts as no answer."""

MANY = 1_000
"""Rows from which it takes them faster as one COPY than one by one."""

SEEKS = ("jit=off", "plan_cache_mode=force_generic_plan", "enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off")
"""It plans each statement once, and by its indexes: what a decision asks for are single keys, and by the statistics of a store that was just
filled, or of none, whole tables would be read for them (40 ms a decision instead of 4)."""

READS: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own signature


def connect_args(busy_timeout_ms: int) -> Mapping[str, Any]:
    """Writers wait as long as SQLite's do; a query keeps the order of its parts, so it is not shared out among processes."""
    settings = (f"lock_timeout={busy_timeout_ms:d}", "max_parallel_workers_per_gather=0", "timezone=UTC", *SEEKS)
    return {"connect_timeout": CONNECT_S, "options": " ".join(f"-c {each}" for each in settings)}


def arrays(rows: Iterable[Sequence[object]]) -> list[str]:
    """The columns of rows, each written as an array: a tenth of what the driver's own way takes.

    >>> arrays([(1, "a b"), (2, None)])
    ['{1,2}', '{"a b",NULL}']
    """
    return [f"{{{','.join(map(_element, column))}}}" for column in zip(*rows, strict=True)]


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"') if '"' in value or "\\" in value else value
        return f'"{escaped}"'
    return str(value)


def insert(driver: Any, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], or_else: str) -> None:  # noqa: ANN401  # its connection
    """Add rows; `or_else` is what is to be done where a key is there already."""
    if len(rows) >= MANY and or_else and not driver.pgconn.pipeline_status:  # in a pipeline there is no COPY
        with driver.cursor() as cursor:
            _copy(cursor, table.name, ", ".join(columns), rows)
        return
    statement, has_bytes = _insert(table, tuple(columns), or_else)
    if has_bytes:
        driver.cursor().executemany(statement, rows)
    else:
        driver.execute(statement, arrays(rows))


@lru_cache(maxsize=256)
def _insert(table: Table, columns: tuple[str, ...], or_else: str) -> tuple[str, bool]:
    """The statement, and whether it takes one row and not the arrays of many: bytes go as they are, an array would hold them as text."""
    into = f"INSERT INTO {table.name} ({', '.join(columns)})"
    binary = [isinstance(table.c[name].type, LargeBinary) for name in columns]
    if any(binary):
        return f"{into} VALUES ({', '.join('%b' if each else '%s' for each in binary)}){or_else}", True
    kinds = (str(table.c[name].type.compile(dialect=_DIALECT)).partition(" COLLATE")[0] for name in columns)
    return f"{into} SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in kinds)}){or_else}", False  # noqa: S608  # names are our own tables'


def _copy(cursor: Any, table: str, names: str, rows: Sequence[tuple[Any, ...]]) -> None:  # noqa: ANN401  # the driver's cursor
    """Stream rows beside the table, then take over those whose keys are new."""
    cursor.execute(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")  # noqa: S608  # names are our own tables'
    with cursor.copy(f"COPY incoming ({names}) FROM STDIN") as stream:
        for row in rows:
            stream.write_row(row)
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming ON CONFLICT DO NOTHING")  # noqa: S608  # as above
    cursor.execute("DROP TABLE incoming")
