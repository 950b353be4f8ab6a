"""A merchant's file becomes contract tables: read, convert by the map, sift, pseudonymise, write. No row is lost: accepted + rejected = input."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from data_contracts.errors import ContractError
from data_contracts.link import EntityType
from data_contracts.mapping import ImportMap, parse_map
from data_contracts.sift import PROBLEMS, ROW, Sifted, quoted, sift
from data_contracts.tables import OPEN_TABLE, TIME, schema
from risk import clock
from risk.identity import Identifiers, pseudonym
from risk.jobs.import_accounts import import_accounts, is_account_map
from risk.jobs.import_columns import ATTRIBUTE, LINK, Columns, Reading, as_words
from risk.jobs.import_links import Linked, links_of, wordings
from risk.jobs.import_report import ImportReport, read_map
from risk.jobs.read_source import Source, read_source
from risk.jobs.read_tables import NEEDED, write_tables
from risk.jobs.rejects import FOLDER, reject_lines, write_rejects
from risk.settings import Settings

KEY_VARIABLE = "REFUND_RISK_IDENTITY_KEY"
"""Environment variable with the secret that personal identifiers are hashed with."""

_SHORTEST_KEY = 16
_BAD = "bad "


def import_source(mapping: Path, source: Path, out: Path, *, key_file: Path | None = None, now: datetime | None = None) -> ImportReport:
    """Turn a merchant's CSV or Parquet file into the tables that the map can fill, in `out`.

    The secret for link ids comes from `key_file`, else from the environment, else it is made and kept beside `out`, so that a second import
    gives the same ids. Nothing may have happened after `now` (null: by our clock), but for what clocks drift apart.
    ContractError: the map, the file as a whole or the secret cannot be used; then nothing was written.
    """
    if is_account_map(text := read_map(mapping)):
        return import_accounts(text, mapping, source, out, now or clock.now())
    wanted = parse_map(text, str(mapping))
    if out.exists() and not out.is_dir():
        message = f"{out} is a file; expected a folder for the tables, new or old"
        raise ContractError(message)
    read = read_source(source, wanted)
    readings = Columns(wanted, read.frame.schema).readings()
    converted, sifted, problems = _requests(wanted, read, readings, now or clock.now())
    key, origin = identity_key(out, key_file)
    linked = _linked(wanted, converted, sifted, Identifiers(partial(pseudonym, key), wanted.phone_region))
    tables = {NEEDED: sifted.accepted, **_around(wanted, converted, sifted)}
    if wanted.links or wanted.request.text is not None:
        tables["links"] = linked.links
    write_tables(tables, out)
    path = _write_problems(NEEDED, problems, out)
    _write_problems("links", linked.problems, out)
    heights = {table: frame.height for table, frame in tables.items()}
    rejected = problems.get_column("row").n_unique()
    return ImportReport(read.rows, sifted.accepted.height, rejected, heights, path, origin, linked.outcomes)


def identity_key(out: Path, key_file: Path | None = None) -> tuple[bytes, str]:
    """The secret and, in words, where it is from. ContractError: it is too short or cannot be read."""
    if key_file is None and (text := os.environ.get(KEY_VARIABLE)) is not None:
        return _checked(text, f"the variable {KEY_VARIABLE}"), f"from the variable {KEY_VARIABLE}"
    path = key_file or out.with_name(f"{out.name}.identity-key")
    if key_file is None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        made = "made just now; keep it: the same identifiers get the same ids only with the same key"
    else:
        made = "kept there"
    try:
        return _checked(path.read_text(encoding="utf-8"), str(path)), f"{path} ({made})"
    except (OSError, UnicodeDecodeError) as error:
        message = f"the identity key {path} cannot be read ({error}); expected a text file with a secret of at least {_SHORTEST_KEY} characters"
        raise ContractError(message, field="key_file") from error


def _checked(text: str, place: str) -> bytes:
    secret = text.strip()
    if len(secret) < _SHORTEST_KEY:
        message = f"{place} holds a secret of {len(secret)} characters; expected at least {_SHORTEST_KEY}, e.g. 64 random hex digits"
        raise ContractError(message, field=KEY_VARIABLE)
    return secret.encode()


def _requests(wanted: ImportMap, read: Source, readings: list[Reading], now: datetime) -> tuple[pl.DataFrame, Sifted, pl.DataFrame]:
    """All rows converted, the requests sifted, and every problem of every row under its row number in the source."""
    values = [reading.value.alias(reading.name) for reading in readings]
    flags = [reading.bad.alias(_BAD + reading.name) for reading in readings]
    both = read.frame.lazy().select(ROW, *values, *flags).collect()  # lazy: what a value and its flag share is computed once
    converted = both.select(pl.exclude(f"^{_BAD}.*$"))
    problems = pl.concat(
        [
            read.problems,
            *_bad_cells(read.frame, both, readings, wanted),
            *_with_nul(read.frame, readings),
            *_to_come(read.frame, both, readings, wanted, now),
        ]
    )
    good = converted.join(problems.select(pl.col("row").alias(ROW)).unique(), on=ROW, how="anti", maintain_order="left")
    fields = [name for name in schema(NEEDED) if name in good.columns]
    sifted = sift(NEEDED, good.select(fields), rows=good.get_column(ROW))
    problems = pl.concat([problems, _as_in_source(sifted.problems, read.frame, readings, wanted)])
    return converted, sifted, problems.sort("row", maintain_order=True)


def _bad_cells(frame: pl.DataFrame, flags: pl.DataFrame, readings: list[Reading], wanted: ImportMap) -> Iterator[pl.DataFrame]:
    for reading in readings:
        bad = flags.get_column(_BAD + reading.name)
        if bad.any():
            yield _quoted(frame.filter(bad), reading, wanted)


def _to_come(frame: pl.DataFrame, converted: pl.DataFrame, readings: list[Reading], wanted: ImportMap, now: datetime) -> Iterator[pl.DataFrame]:
    """Moments further in the future than clocks drift."""
    latest = now + timedelta(seconds=Settings().clock_skew_s)
    for reading in readings:
        if converted.schema[reading.name] != TIME:
            continue
        late = (converted.get_column(reading.name) > latest).fill_null(value=False)
        if late.any():
            yield _quoted(frame.filter(late), replace(reading, expected=f"a moment that has come, at most {now.isoformat()}"), wanted)


def _with_nul(frame: pl.DataFrame, readings: list[Reading]) -> Iterator[pl.DataFrame]:
    """Cells with a NUL character: text to no one, and databases refuse it."""
    names = dict.fromkeys(reading.column for reading in readings if frame.schema[reading.column] == pl.String())
    for column in names:
        nul = frame.get_column(column).str.contains("\0", literal=True).fill_null(value=False)
        if nul.any():
            place = next(reading.place for reading in readings if reading.column == column)
            rows = frame.filter(nul).get_column(ROW)
            got = frame.get_column(column).filter(nul).str.replace_all("\0", "\\0", literal=True)
            yield _problems(rows, place, quoted(got), "text without NUL characters")


def _quoted(bad: pl.DataFrame, reading: Reading, wanted: ImportMap) -> pl.DataFrame:
    got = bad.select(as_words(reading.column, bad.schema[reading.column], wanted.source)).to_series()
    return _problems(bad.get_column(ROW), reading.name.removeprefix(ATTRIBUTE), quoted(got), f"{reading.expected} (column {reading.column!r})")


def _problems(rows: pl.Series, field: str, got: pl.Series, expected: str) -> pl.DataFrame:
    return pl.DataFrame({"row": rows, "got": got}).select(
        "row",
        pl.lit(field).alias("field"),
        "got",
        pl.lit(expected).alias("expected"),
    )


def _as_in_source(problems: pl.DataFrame, frame: pl.DataFrame, readings: list[Reading], wanted: ImportMap) -> pl.DataFrame:
    """Quote the cell of the source, not what it was converted to."""
    columns = {reading.name: reading.column for reading in readings}
    parts = [PROBLEMS.to_frame()]
    for (field,), part in problems.group_by("field", maintain_order=True):
        column = columns.get(str(field))
        if column is None:
            parts.append(part)
            continue
        cells = frame.select(pl.col(ROW).alias("row"), as_words(column, frame.schema[column], wanted.source).alias("cell"))
        told = part.join(cells, on="row", how="left", maintain_order="left")
        parts.append(told.select("row", "field", quoted(told.get_column("cell")), pl.col("expected") + f" (column {column!r})"))
    return pl.concat(parts)


def _accepted(converted: pl.DataFrame, sifted: Sifted) -> pl.DataFrame:
    """The accepted requests with everything else that was read off their rows, and their row numbers."""
    rest = [name for name in converted.columns if name not in sifted.accepted.columns and name != ROW]
    kept = sifted.rows.to_frame().join(converted.select(ROW, *rest), on=ROW, how="left", maintain_order="left")
    return sifted.accepted.hstack(kept.get_columns())


def _linked(wanted: ImportMap, converted: pl.DataFrame, sifted: Sifted, identifiers: Identifiers) -> Linked:
    """The links of the identifiers that the map names, and of the claims' wording when the map names a text and no identifier for it."""
    rows = _accepted(converted, sifted)
    linked = links_of(rows, [name for name in rows.columns if name.startswith(LINK)], identifiers)
    if wanted.request.text is None or EntityType.TEXT in wanted.links:
        return linked
    return linked._replace(links=pl.concat([linked.links, wordings(rows)]))


def _write_problems(table: str, problems: pl.DataFrame, out: Path) -> str | None:
    """Write what was wrong with rows of a table, or take away what an earlier import wrote; where it lies, null for nowhere."""
    path = out / FOLDER / f"{table}.jsonl"
    if problems.is_empty():
        path.unlink(missing_ok=True)
        return None
    write_rejects(reject_lines(table, problems.sort("row", maintain_order=True)), path, append=False)
    return str(path)


def _around(wanted: ImportMap, converted: pl.DataFrame, sifted: Sifted) -> dict[str, pl.DataFrame]:
    """Everything else around the accepted requests that the map names: attributes, labels, accounts."""
    rows = _accepted(converted, sifted)
    rest = [name for name in rows.columns if name not in sifted.accepted.columns and name != ROW]
    tables: dict[str, pl.DataFrame] = {}
    attributes = [name for name in rest if name.startswith(ATTRIBUTE)]
    if attributes:
        tables[OPEN_TABLE] = rows.select("request_id", *(pl.col(name).alias(name.removeprefix(ATTRIBUTE)) for name in attributes))
    if wanted.label is not None:
        known = pl.col("label_known_at") if "label_known_at" in rest else pl.col("known_at") + wanted.label.delay
        said = rows.filter(pl.col("label").is_not_null()).with_columns(known.cast(TIME).alias("at"))
        labels = said.select("request_id", value="label", source=pl.lit(wanted.label.source.value), occurred_at="at", known_at="at")
        tables["labels"] = labels.select(list(schema("labels")))
    if wanted.account is not None:
        opened = rows.filter(pl.col("opened_at").is_not_null() & pl.col("account_id").is_not_null())
        first = opened.group_by("account_id", maintain_order=True).agg(pl.col("opened_at").min())
        tables["accounts"] = first.select("account_id", occurred_at="opened_at", known_at="opened_at")
    return tables
