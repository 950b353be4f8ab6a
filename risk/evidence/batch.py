"""What the store measured in requests' evidence, as tables of the contract: for training on what was known when each request was asked."""

import polars as pl
from sqlalchemy import Connection

from data_contracts.request import Observer
from data_contracts.tables import TIME, schema
from features.image import reuse
from risk.evidence.seen import OBSERVER
from risk.stores.evidence_rows import EvidenceRows

LATEST = "u.revision = (SELECT MAX(revision) FROM evidence_uses o WHERE o.request_id = u.request_id)"


def evidence_tables(rows: EvidenceRows) -> dict[str, pl.DataFrame]:
    """`measurements` and `observations` of every file that a request showed, each known when it was measured.

    A decision saw what was known strictly before it, a table gives a request what was known at its moment too: what was measured in that very
    microsecond is known one later here, so that both see the same. A table in which nothing ever stood is left out: it is not connected.
    """
    with rows.database.reading() as connection:
        found = {"measurements": _measurements(rows, connection), "observations": _observations(rows, connection)}
    return {name: frame for name, frame in found.items() if not frame.is_empty()}


def _measurements(rows: EvidenceRows, connection: Connection) -> pl.DataFrame:
    query = (
        "SELECT u.evidence_id, u.request_id, u.sha256, m.signal, m.version, m.value, m.unavailable,"  # noqa: S608  # our own words
        " m.known_us + CASE WHEN m.known_us = u.known_us THEN 1 ELSE 0 END"
        f" FROM evidence_uses u JOIN evidence_measurements m ON m.sha256 = u.sha256 WHERE {LATEST}"
    )
    measured = [(*row[:4], int(row[4].partition(":")[0]), *row[5:]) for row in rows.database.fetch(connection, query, ()) if not _is_outcome(row[3])]
    query = (
        "SELECT u.evidence_id, u.request_id, u.sha256, u.reuse, u.reuse_unavailable, u.known_us FROM evidence_uses u"  # noqa: S608  # as above
        f" WHERE (u.reuse IS NOT NULL OR u.reuse_unavailable IS NOT NULL) AND {LATEST}"
    )
    again = [(*row[:3], reuse.NAME, reuse.VERSION, *row[3:]) for row in rows.database.fetch(connection, query, ())]
    return _table("measurements", [*measured, *again], ("evidence_id", "request_id", "sha256", "signal", "version", "value", "unavailable"))


def _observations(rows: EvidenceRows, connection: Connection) -> pl.DataFrame:
    query = (
        "SELECT u.evidence_id, u.request_id, o.attribute, o.count, u.occurred_us,"  # noqa: S608  # as above
        " o.known_us + CASE WHEN o.known_us = u.known_us THEN 1 ELSE 0 END"
        f" FROM evidence_uses u JOIN evidence_observations o ON o.sha256 = u.sha256 WHERE {LATEST}"
    )
    seen = [(*row[:2], Observer.VISION.value, *row[2:4], min(row[4], row[5]), row[5]) for row in rows.database.fetch(connection, query, ())]
    return _table("observations", seen, ("evidence_id", "request_id", "observer", "attribute", "count", "occurred_us"))


def _is_outcome(signal: str) -> bool:
    return signal.startswith(OBSERVER)


def _table(name: str, rows: list[tuple[object, ...]], columns: tuple[str, ...]) -> pl.DataFrame:
    """Rows whose last column is known_us as a table of the contract."""
    wanted = schema(name)
    given = pl.Schema({each: pl.Int64() if each.endswith("_us") else wanted[each] for each in (*columns, "known_us")})
    frame = pl.DataFrame(rows, schema=given, orient="row")
    times = {each: each.replace("_us", "_at") for each in given if each.endswith("_us")}
    return frame.with_columns(
        pl.col(each).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TIME).alias(at) for each, at in times.items()
    ).select(list(wanted))
