"""A node table and an edge list become an account graph: each file read by the map, bad rows set aside with their reason."""

import tomllib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from data_contracts.account_mapping import AccountMap, Edges, Nodes
from data_contracts.cells import plain_number
from data_contracts.mapping import Words, as_text, named, parsed
from data_contracts.sift import PROBLEMS, ROW, quoted
from graph.normalise import unsaid
from risk.jobs.account_table import EDGES, NODES
from risk.jobs.import_columns import as_words, expected_time, moment_of
from risk.jobs.import_report import ImportReport
from risk.jobs.read_source import Source, read_source
from risk.jobs.read_tables import write_table
from risk.jobs.rejects import FOLDER, reject_lines, write_rejects
from risk.settings import Settings

LONGEST = 128
_LINK_TYPES = ("device", "address", "card", "phone", "ip", "image", "text", "agent")


def is_account_map(text: str) -> bool:
    """Whether a map is one of an account graph; a text that is no TOML is not."""
    try:
        return bool({"nodes", "edges"} & set(tomllib.loads(text)))
    except tomllib.TOMLDecodeError:
        return False


def import_accounts(text: str, mapping: Path, source: Path, out: Path, now: datetime) -> ImportReport:
    """Turn the two files in the folder `source` into an account graph in `out`; accepted + rejected are the rows of both.

    ContractError: the map or a file as a whole cannot be used; then nothing was written.
    """
    wanted = parsed(TypeAdapter(AccountMap), text, str(mapping))
    read = {
        "account_nodes": read_source(source / wanted.nodes.file, wanted.nodes),
        "account_edges": read_source(source / wanted.edges.file, wanted.edges),
    }
    nodes, bad_nodes = _nodes(wanted.nodes, read["account_nodes"])
    edges, bad_edges = _edges(wanted.edges, read["account_edges"], now)
    different = edges.unique(maintain_order=True)
    write_table(nodes, out / NODES)
    write_table(different, out / EDGES)
    rejected, paths = 0, []
    for name, problems in (("account_nodes", bad_nodes), ("account_edges", bad_edges)):
        path = out / FOLDER / f"{name}.jsonl"
        path.unlink(missing_ok=True)
        if problems.height:
            write_rejects(reject_lines(name, problems.sort("row", maintain_order=True)), path, append=False)
            rejected += problems["row"].n_unique()
            paths.append(str(path))
    rows = sum(each.rows for each in read.values())
    heights = {"account_nodes": nodes.height, "account_edges": different.height}
    repeated = {"edges": {"kept": different.height, "repeated": edges.height - different.height}}
    return ImportReport(rows, rows - rejected, rejected, heights, ", ".join(paths) or None, "no key: ids of a graph are taken as they are", repeated)


def _nodes(wanted: Nodes, read: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The accounts, and what was wrong with rows; the second row of an account is wrong."""
    frame, words = read.frame, _words(read.frame, wanted)
    account = words(wanted.account_id)
    columns = {"account_id": account}
    label = pl.lit(None, pl.Float64)
    if wanted.label is not None:
        said = words(wanted.label.column).str.to_lowercase()
        label = pl.when(said.is_in(_texts(wanted.label.positive))).then(1.0).when(said.is_in(_texts(wanted.label.negative))).then(0.0)
    columns["label"] = label.cast(pl.Float64)
    bad = [_nameless(frame, account, "account_id", wanted.account_id), _twice(frame, account, wanted.account_id)]
    for name, column in named(wanted.attributes.numeric).items():
        text = words(column)
        number = plain_number(text, wanted.source.decimal, wanted.source.thousands).cast(pl.Float64, strict=False)
        columns[name] = pl.when(number.is_finite()).then(number)
        bad.append(
            _where(
                frame, text.is_not_null() & ~number.is_finite().fill_null(value=False), text, name, f"a finite number, or blank (column {column!r})"
            )
        )
    columns |= {name: words(column) for name, column in named(wanted.attributes.categorical).items()}
    return _kept(read, columns, bad)


def _edges(wanted: Edges, read: Source, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The edges, and what was wrong with rows: an end that names nobody, an account tied to itself, an unknown type, a time to come."""
    frame, words = read.frame, _words(read.frame, wanted)
    account, none = words(wanted.account_id), pl.lit(None, pl.String)
    end = wanted.other_id or wanted.entity_id or ""
    other, kind = words(end), none
    bad = [_nameless(frame, account, "account_id", wanted.account_id), _nameless(frame, other, "other_id" if wanted.other_id else "entity_id", end)]
    bad.append(
        _where(
            frame,
            account == other,
            other,
            "other_id" if wanted.other_id else "entity_id",
            f"somebody or something else than the account itself (column {end!r})",
        )
    )
    if wanted.entity_id is not None:
        kind = pl.lit(wanted.entity_type)
        if wanted.type is not None:
            said = words(wanted.type).str.to_lowercase()
            types = {name: name for name in _LINK_TYPES} | {as_text(word): name for word, name in wanted.types.items()}
            kind = said.replace_strict(types, default=None, return_dtype=pl.String)
            bad.append(
                _where(frame, kind.is_null(), words(wanted.type), "entity_type", f"one of {', '.join(sorted(types))} (column {wanted.type!r})")
            )
    if wanted.known_at is not None:
        text, expected = words(wanted.known_at), expected_time(wanted.time)
        when = moment_of(wanted.known_at, frame.schema[wanted.known_at], text, wanted.time, ("edges.known_at", wanted.source))
        bad.append(_where(frame, text.is_not_null() & when.is_null(), text, "known_at", f"{expected} (column {wanted.known_at!r})"))
        latest = now + timedelta(seconds=Settings().clock_skew_s)
        bad.append(_where(frame, when > latest, text, "known_at", f"a moment that has come, at most {now.isoformat()} (column {wanted.known_at!r})"))
    direct = wanted.other_id is not None
    columns = {"account_id": account, "other_id": other if direct else none, "entity_type": kind, "entity_id": none if direct else other}
    return _kept(read, columns, bad)


def _kept(read: Source, columns: dict[str, pl.Expr], bad: Iterable[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without a problem, as these columns, and all problems."""
    problems = pl.concat([read.problems, *bad])
    converted = read.frame.select(pl.col(ROW), *(value.alias(name) for name, value in columns.items()))
    return converted.join(problems.select(pl.col("row").alias(ROW)).unique(), on=ROW, how="anti", maintain_order="left").drop(ROW), problems


def _nameless(frame: pl.DataFrame, value: pl.Expr, field: str, column: str) -> pl.DataFrame:
    """Rows whose id names nobody or is too long."""
    ids = frame.select(value.alias("id"))["id"]
    wrong = {each: _is_nobody(each, is_account=field != "entity_id") for each in ids.drop_nulls().unique()}
    nobody = (
        ids.is_null()
        | ids.replace_strict(list(wrong), list(wrong.values()), default=False, return_dtype=pl.Boolean)
        | (ids.str.len_chars() > LONGEST)
    )
    return _where(
        frame, pl.lit(nobody.fill_null(value=True)), value, field, f"an id of at most {LONGEST} characters that names somebody (column {column!r})"
    )


def _is_nobody(name: str, *, is_account: bool) -> bool:
    """Whether an id is what a field is filled with; accounts may be numbered, so of their numbers only a run of zeros is."""
    if is_account and name.isdigit():
        return len(name) > 1 and set(name) == {"0"}
    return unsaid(name) is not None


def _words(frame: pl.DataFrame, wanted: Nodes | Edges) -> Callable[[str], pl.Expr]:
    """The cells of a column as stripped text."""
    return lambda column: as_words(column, frame.schema[column], wanted.source)


def _texts(words: Words) -> list[str]:
    return [as_text(word) for word in words]


def _twice(frame: pl.DataFrame, account: pl.Expr, column: str) -> pl.DataFrame:
    again = account.is_not_null() & ~account.is_first_distinct()
    return _where(frame, again, account, "account_id", f"each account once (column {column!r})")


def _where(frame: pl.DataFrame, wrong: pl.Expr, text: pl.Expr, field: str, expected: str) -> pl.DataFrame:
    """The problems of the rows that are wrong."""
    flagged = frame.select(pl.col(ROW).alias("row"), wrong.fill_null(value=False).alias("wrong"), text.cast(pl.String).alias("got")).filter("wrong")
    if flagged.is_empty():
        return PROBLEMS.to_frame()
    return flagged.select("row", pl.lit(field).alias("field"), quoted(flagged["got"]).alias("got"), pl.lit(expected).alias("expected"))
