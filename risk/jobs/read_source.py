"""A merchant's file as it comes: CSV in any encoding or Parquet, only the columns that the map names, bad lines set aside and counted."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa
import pyarrow.csv

from data_contracts.errors import ContractError
from data_contracts.mapping import SourceFormat
from data_contracts.sift import PROBLEMS, ROW
from risk.jobs.read_tables import parquet_schema, read_parquet

_PARQUET = b"PAR1"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_KINDS = {
    b"\x1f\x8b": "gzip-compressed; unpack it",
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"%PDF": "a PDF; export the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"SQLi": "an SQLite database; export the table as CSV",
}
_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 25
_MOST_BYTES = (1 << 31) - 1


class Wanted(Protocol):
    """What a map says of a file: how it is written, and which columns it names."""

    @property
    def source(self) -> SourceFormat:
        """How the file is written."""

    def columns(self) -> Iterator[tuple[str, str]]:
        """(place in the map, column of the file)."""


@dataclass(frozen=True, slots=True)
class Source:
    """The named columns with the row number (row 1 follows the header), how many rows the file has, and the rows that are no rows."""

    frame: pl.DataFrame
    rows: int
    problems: pl.DataFrame


def read_source(path: Path, wanted: Wanted) -> Source:
    """Read a merchant's file. ContractError: it is missing, empty, cut off, of another kind or encoding, or lacks a column that the map names."""
    head = _head(path)
    kind = wanted.source.format or ("parquet" if head.startswith(_PARQUET) or path.suffix.lower() in (".parquet", ".pq") else "csv")
    if kind == "parquet":
        return _read_parquet(path, wanted)
    for start, what in {**_OTHER_KINDS, _PARQUET: 'Parquet; set format = "parquet" under [source] in the map'}.items():
        if head.startswith(start):
            message = f"{path} is {what}; expected CSV"
            raise ContractError(message)
    return _read_csv(path, head, wanted)


def _head(path: Path) -> bytes:
    if not path.is_file():
        got = "is a folder" if path.is_dir() else "does not exist"
        message = f"{path} {got}; expected one CSV or Parquet file"
        raise ContractError(message)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); expected a CSV or Parquet file that you may read"
        raise ContractError(message) from error
    if not head.strip():
        message = f"{path} is empty; expected a header and rows"
        raise ContractError(message)
    return head


def _columns(path: Path, header: Sequence[str], wanted: Wanted) -> list[str]:
    """The columns to read, each once. ContractError: one is not there, or there twice."""
    for place, column in wanted.columns():
        if column not in header:
            alone = f"; the header is one column: is [source] separator {wanted.source.separator!r} right?" if len(header) == 1 else ""
            message = f"{path} has no column {column!r}, which the map names at {place}; it has {', '.join(map(repr, header))}{alone}"
            raise ContractError(message, field=place)
        if header.count(column) > 1:
            message = f"{path} has {header.count(column)} columns {column!r}, which the map names at {place}; expected one. Rename them"
            raise ContractError(message, field=place)
    return list(dict.fromkeys(column for _, column in wanted.columns()))


def _read_parquet(path: Path, wanted: Wanted) -> Source:
    found = parquet_schema(path)
    columns = _columns(path, list(found), wanted)
    for place, column in wanted.columns():
        if found[column].is_nested() or found[column] in (pl.Binary, pl.Object):
            message = f"{path}: column {column!r}, which the map names at {place}, is {found[column]}; expected text, a number, a time or true/false"
            raise ContractError(message, field=place)
    frame = read_parquet(path, columns).with_row_index(ROW, offset=1).cast({ROW: pl.Int64})
    return Source(frame, frame.height, PROBLEMS.to_frame())


def _read_csv(path: Path, head: bytes, wanted: Wanted) -> Source:
    source = wanted.source
    encoding, skip = _encoding(path, head, source)
    buffer = _as_utf8(path, encoding, skip)
    header = _header(path, buffer, source)
    columns = _columns(path, header, wanted)
    bad: list[tuple[int, str, str, str]] = []

    def set_aside(row: pa.csv.InvalidRow) -> str:
        lines = row.text.count("\n") + 1
        over = f" over {lines} lines (is a quote left open?)" if lines > 1 else ""
        bad.append((row.number - 1, "row", f"{row.actual_columns} columns{over}", f"{row.expected_columns} columns, as in the header"))
        return "skip"

    table = _parse(
        path,
        buffer,
        columns,
        pa.csv.ParseOptions(
            delimiter=source.separator,
            quote_char=source.quote or False,
            newlines_in_values=bool(source.quote),
            invalid_row_handler=set_aside,
        ),
    )
    problems = pl.DataFrame(bad, schema=PROBLEMS, orient="row")
    total = table.num_rows + problems.height
    numbers = pl.Series(ROW, range(1, total + 1), pl.Int64)
    frame = pl.DataFrame(pl.from_arrow(table)).with_columns(numbers.filter(~numbers.is_in(problems.get_column("row").implode())))
    return Source(frame, total, problems)


def _parse(path: Path, buffer: pa.Buffer, columns: list[str], parse: pa.csv.ParseOptions) -> pa.Table:
    convert = pa.csv.ConvertOptions(include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), check_utf8=False)
    try:
        for block in (_BLOCK_BYTES, min(buffer.size + 1, _MOST_BYTES)):  # a row must fit into one block: try again with the whole file as one
            try:
                read = pa.csv.ReadOptions(use_threads=False, block_size=block)  # threads would hide row numbers
                return pa.csv.read_csv(pa.BufferReader(buffer), read_options=read, parse_options=parse, convert_options=convert)
            except pa.ArrowInvalid as error:
                if "straddl" not in str(error) or block >= buffer.size:
                    raise
    except pa.ArrowInvalid as error:
        message = f"{path} cannot be read as CSV ({error}); expected rows under a header, split by {parse.delimiter!r}. Check [source] in the map"
        raise ContractError(message) from error
    message = f"{path} has a row of more than {_MOST_BYTES} bytes; expected smaller ones. Is a quote left open?"
    raise ContractError(message)


def _encoding(path: Path, head: bytes, source: SourceFormat) -> tuple[str, int]:
    """The encoding and the length of the byte-order mark. ContractError: there is no such encoding, or the file's mark says another one."""
    mark, marked = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", None))
    if source.encoding == "auto":
        if marked is None and head.count(0) * 5 > len(head):
            message = (
                f"{path} is full of NUL bytes and has no byte-order mark; expected text. If it is UTF-16, set [source] encoding, e.g. 'utf-16-le'"
            )
            raise ContractError(message, field="source.encoding")
        return marked or "utf-8", len(mark)
    try:
        "a".encode(source.encoding)  # refuses codecs that are for no text, such as hex
        name = codecs.lookup(source.encoding).name
    except LookupError as error:
        message = f"[source] encoding {source.encoding!r} is not known; expected auto or a name such as utf-8, latin-1, cp1252, gb18030, utf-16"
        raise ContractError(message, field="source.encoding") from error
    if marked is None:
        return name, 0
    if not marked.startswith(name.removesuffix("-sig")):
        message = f"{path} starts with the byte-order mark of {marked}, the map says {source.encoding}; expected encoding = 'auto'"
        raise ContractError(message, field="source.encoding")
    return marked, len(mark)


def _as_utf8(path: Path, encoding: str, skip: int) -> pa.Buffer:
    """The file's bytes in UTF-8, every one of them checked. ContractError: some bytes are no text in that encoding."""
    with pa.memory_map(str(path)) as file:
        buffer = file.read_buffer()
    buffer = buffer.slice(skip)
    if encoding == "utf-8":
        for _ in _decoded(path, buffer, encoding, skip):
            pass
        return buffer
    text = io.BytesIO()
    for chunk in _decoded(path, buffer, encoding, skip):
        text.write(chunk.encode())
    return pa.py_buffer(text.getbuffer())


def _decoded(path: Path, buffer: pa.Buffer, encoding: str, skip: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(buffer)
    for start in range(0, max(len(view), 1), _HEAD_BYTES):
        chunk = view[start : start + _HEAD_BYTES]
        pending = len(decoder.getstate()[0])
        try:
            yield decoder.decode(chunk, final=start + _HEAD_BYTES >= len(view))
        except UnicodeDecodeError as error:
            at = start - pending + error.start
            line = bytes(view[:at]).count(b"\n") + 1
            message = (
                f"{path} is not {encoding}: byte 0x{error.object[error.start]:02x} at offset {at + skip}, line {line}; "
                "expected text in one encoding. Set [source] encoding, e.g. 'latin-1', 'cp1252', 'gb18030', or repair or fetch the file again"
            )
            raise ContractError(message, field="source.encoding") from error


def _header(path: Path, buffer: pa.Buffer, source: SourceFormat) -> list[str]:
    """The first row that is not empty."""
    head = bytes(memoryview(buffer)[:_HEAD_BYTES]).decode(errors="ignore")
    text = io.StringIO(head, newline="")
    rows = (
        csv.reader(text, delimiter=source.separator, quotechar=source.quote)
        if source.quote
        else csv.reader(text, delimiter=source.separator, quoting=csv.QUOTE_NONE)
    )
    try:
        return next(row for row in rows if row)
    except (csv.Error, StopIteration) as error:
        message = f"{path} has no readable header ({error or 'no row'}); expected the names of the columns, split by {source.separator!r}"
        raise ContractError(message) from error
