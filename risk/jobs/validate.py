"""Check a data set: good rows stay in their tables, bad rows move to `rejects/` with the reason, and every table is held against its expectations."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_contracts.sift import Sifted, sift
from risk.jobs import data_docs, rejects
from risk.jobs.read_tables import ALL_TABLES, read_raw, write_table


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table: rows read, those that stay, those that moved to `rejects/`, and the expectations that the rows as read did not fulfil."""

    rows: int
    accepted: int
    rejected: int
    failed_expectations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """`ok`: no row was bad and every expectation holds. `rejects` is null when there was no bad row; `ignored` names files that are no table."""

    ok: bool
    tables: dict[str, TableReport]
    rejects: str | None
    data_docs: str
    ignored: tuple[str, ...]


def validate(folder: Path, out: Path | None = None) -> ValidationReport:
    """Check every row and every table of a data set; `rejects/` and `data_docs/` go to `out`, or into the folder itself.

    A bad row leaves its table and stands complete in `rejects/<table>.jsonl`, to which every run adds, so nothing is lost and a second run is clean.
    ContractError: a file or a column as a whole cannot be read; then nothing was changed.
    """
    out = folder if out is None else out
    raw = read_raw(folder)
    sifted: dict[str, Sifted] = {}
    for table, frame in raw.items():
        sifted[table] = sift(table, frame, {name: done.accepted for name, done in sifted.items()})
    pages = out / data_docs.FOLDER
    failed = data_docs.judge(
        {table: done.cells for table, done in sifted.items()},
        {table: done.accepted for table, done in sifted.items()},
        pages,
    )
    for table, done in sifted.items():
        _move_out(table, raw[table], done, folder, out)
    reports = {table: TableReport(raw[table].height, done.accepted.height, done.rejected, failed[table]) for table, done in sifted.items()}
    bad = any(report.rejected for report in reports.values())
    return ValidationReport(
        ok=not bad and not any(failed.values()),
        tables=reports,
        rejects=str(out / rejects.FOLDER) if bad else None,
        data_docs=str(pages / "index.html"),
        ignored=tuple(sorted(path.name for path in folder.glob("*.parquet") if path.stem not in ALL_TABLES)),
    )


def _move_out(table: str, raw: pl.DataFrame, done: Sifted, folder: Path, out: Path) -> None:
    """First the bad rows are safe in `rejects/`, then the table is replaced by its good ones."""
    if not done.problems.height:
        return
    rejects.write_rejects(rejects.reject_lines(table, done.problems, raw), out / rejects.FOLDER / f"{table}.jsonl", append=True)
    write_table(done.accepted, folder / f"{table}.parquet")
