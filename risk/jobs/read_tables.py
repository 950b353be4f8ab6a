"""A data set on disk: a folder of `<table>.parquet` files, read into checked tables and written back whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import ContractError
from data_contracts.sift import conformed
from data_contracts.tables import OPEN_TABLE, TABLES

ALL_TABLES = (*TABLES, OPEN_TABLE)
"""Every table that a data set may hold; parents come before their children."""

NEEDED = "refund_requests"
"""The one table that must be there."""

_MAGIC = b"PAR1"


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables of a data set in the contract's types, only those that are there.

    Single rows are not judged here: that is `refund-risk validate`. ContractError: no folder, no refund requests, a bad file or column.
    """
    return {table: conformed(table, frame) for table, frame in read_raw(folder).items()}


def read_raw(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables of a data set as the files hold them, in the order of ALL_TABLES. ContractError: no folder, no refund requests, a bad file."""
    if not folder.is_dir():
        got = "is a file" if folder.is_file() else "does not exist"
        message = f"{folder} {got}; expected a folder of tables. `refund-risk import` or `refund-risk simulate` makes one"
        raise ContractError(message)
    found = {table: folder / f"{table}.parquet" for table in ALL_TABLES}
    found = {table: path for table, path in found.items() if path.exists()}
    if NEEDED not in found:
        has = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        message = f"{folder} has no {NEEDED}.parquet; it has {has}. Write that table, or `refund-risk import` your data"
        raise ContractError(message, field=NEEDED)
    return {table: read_parquet(path) for table, path in found.items()}


def read_parquet(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """One Parquet file, or some of its columns. ContractError: it is none, it is cut off or damaged."""
    with _parquet(path), pq.ParquetFile(path) as file:
        table = file.read(columns=columns)
        table.validate(full=True)  # no text that is none, no offset that leads outside
        return _frame(table)


def parquet_schema(path: Path) -> pl.Schema:
    """The columns of a Parquet file and their types. ContractError: it is none, it is cut off or damaged."""
    with _parquet(path):
        return _frame(pq.read_schema(path).empty_table()).schema


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # a table, not a column, went in
    return frame


@contextmanager
def _parquet(path: Path) -> Iterator[None]:
    """Whatever the reader says about a bad file becomes one clear error. It is Arrow's: Polars' own can end the process on a damaged file."""
    try:
        _refuse_other(path)
        yield
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError, OSError, MemoryError) as error:
        first_line = str(error).strip().split("\n", 1)[0]
        message = f"{path} cannot be read as Parquet ({first_line}); expected a whole, undamaged file. Write it again"
        raise ContractError(message, field=path.stem) from error


def _refuse_other(path: Path) -> None:
    """Look at the first and last bytes before a reader trusts the rest."""
    if path.is_dir():
        message = f"{path} is a folder; expected one Parquet file"
        raise ContractError(message, field=path.stem)
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_MAGIC)))
        tail = file.read()
    if not size:
        message = f"{path} is empty; expected a Parquet file. Write it again"
        raise ContractError(message, field=path.stem)
    if head != _MAGIC:
        message = f"{path} starts with {head!r}; expected a Parquet file, which starts with {_MAGIC!r}. Convert it"
        raise ContractError(message, field=path.stem)
    if tail != _MAGIC:
        message = f"{path} ends after {size} bytes without {_MAGIC!r}: it is cut off. Copy or write it again"
        raise ContractError(message, field=path.stem)


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
    """Make the folder hold exactly these tables: tables of an earlier data set that are not among them are removed, other files are left alone.

    ContractError: the folder cannot be written.
    """
    unknown = [table for table in tables if table not in ALL_TABLES]
    if unknown:
        message = f"there is no table {', '.join(unknown)}; expected some of {', '.join(ALL_TABLES)}"
        raise ContractError(message, field=unknown[0])
    for table in ALL_TABLES:
        path = folder / f"{table}.parquet"
        if table in tables:
            write_table(tables[table], path)
        elif path.exists():
            path.unlink()


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write one table beside its place, then put it there in one step, so that no reader meets half a file. ContractError: not writable."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            frame.write_parquet(aside, compression_level=1)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror or error}); expected a folder with room that you may write to"
        raise ContractError(message, field=path.stem) from error
