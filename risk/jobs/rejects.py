"""Where bad rows go: one JSON line a row, with the field, what was got and what was expected, and the row itself where it leaves its table."""

import os
from pathlib import Path

import polars as pl

from data_contracts.errors import ContractError
from data_contracts.sift import quoted

FOLDER = "rejects"
"""Name of the folder for bad rows."""


def reject_lines(table: str, problems: pl.DataFrame, rows: pl.DataFrame | None = None) -> pl.DataFrame:
    """One line for each bad row: table, row, its first problem, `also` the others, and `values`, the row as it came, when `rows` are given."""
    others = pl.struct("field", "got", "expected")
    lines = problems.group_by("row", maintain_order=True).agg(
        pl.first("field", "got", "expected"),
        others.slice(1).alias("also"),
    )
    lines = lines.select(pl.lit(table).alias("table"), pl.all()).sort("row")
    if rows is None:
        return lines
    bad = rows[(lines.get_column("row") - 1).to_list()]
    shown = [_shown(bad.get_column(name)) for name in bad.columns]
    return lines.with_columns(pl.struct(shown).alias("values"))


def _shown(cells: pl.Series) -> pl.Series:
    """Moments as ISO 8601; everything else as JSON writes it."""
    return quoted(cells).rename(cells.name) if isinstance(cells.dtype, pl.Datetime) else cells


def write_rejects(lines: pl.DataFrame, path: Path, *, append: bool) -> None:
    """Write or append the lines and force them to disk. ContractError: not writable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if append else "wb") as file:
            lines.write_ndjson(file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror or error}); expected a folder with room that you may write to"
        raise ContractError(message) from error
