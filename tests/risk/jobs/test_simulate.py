"""The job that writes a simulated market."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_contracts.errors import ContractError
from data_contracts.tables import TABLES
from risk.jobs.read_tables import read_tables
from risk.jobs.simulate import simulate_folder

END = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_folder_holds_every_table_and_the_report_its_rows(tmp_path: Path) -> None:
    report = simulate_folder(orders=2_000, days=90, seed=1, end=END, out=tmp_path)
    written = read_tables(tmp_path)
    assert set(TABLES) <= set(written)
    assert report.tables == {name: len(frame) for name, frame in written.items()}
    assert report.seconds > 0


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ContractError, match="cannot be written"):
        simulate_folder(orders=10, days=10, seed=1, end=END, out=tmp_path / "file")
