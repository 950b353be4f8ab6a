"""A shop with an import map and a file, for the tests of the import."""

import json
from pathlib import Path

import polars as pl

from risk.jobs.import_tables import ImportReport, import_source
from risk.jobs.read_tables import read_tables

KEY = "0123456789abcdef0123456789abcdef"
REQUEST = """
[request]
request_id = "id"
occurred_at = "when"
"""
MONEY = (
    REQUEST
    + """
amount = "amount"
default_currency = "CNY"
"""
)
UTC_TIMES = """
[request.time]
zone = "UTC"
"""
GOOD = "id,when,amount\nr1,2026-01-31T08:00:00Z,374.56\nr2,2026-02-01T08:00:00Z,1\n"


class Shop:
    """A map and a source in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"

    def take(self, mapping: str, source: str | bytes | pl.DataFrame, name: str = "source.csv") -> ImportReport:
        """Write both and import; the two sums that must always hold are held."""
        (self.folder / "map.toml").write_text(mapping, encoding="utf-8")
        path = self.folder / name
        if isinstance(source, pl.DataFrame):
            source.write_parquet(path)
        else:
            path.write_bytes(source.encode() if isinstance(source, str) else source)
        report = import_source(self.folder / "map.toml", path, self.out)
        assert report.accepted + report.rejected == report.rows
        assert len(self.rejects()) == report.rejected
        assert report.tables == {table: frame.height for table, frame in self.tables().items()}
        return report

    def tables(self) -> dict[str, pl.DataFrame]:
        return read_tables(self.out)

    def requests(self, column: str = "request_id") -> list[object]:
        return self.tables()["refund_requests"].get_column(column).to_list()

    def rejects(self) -> list[dict[str, object]]:
        path = self.out / "rejects" / "refund_requests.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
