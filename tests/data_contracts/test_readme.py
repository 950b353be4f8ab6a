"""What the README lists is what is there."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from data_contracts import mapping
from data_contracts.sift import PARENTS
from data_contracts.tables import KEYS, OPEN_TABLE, TABLES

FOLDER = Path(mapping.__file__).parent
TEXT = (FOLDER / "README.md").read_text(encoding="utf-8")
SETTINGS = (
    mapping.ImportMap,
    mapping.SourceFormat,
    mapping.RequestColumns,
    mapping.TimeFormat,
    mapping.AttributeColumns,
    mapping.LabelColumn,
    mapping.AccountColumns,
)


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.py") if path.name != "__init__.py"))
def test_every_file_stands_in_the_file_map(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("setting", sorted({field.name for part in SETTINGS for field in fields(part)}))
def test_every_setting_of_the_import_map_is_described(setting: str) -> None:
    assert re.search(rf"[`\[.]{setting}[`\].]", TEXT)


@pytest.mark.parametrize("table", [*TABLES, OPEN_TABLE])
def test_every_table_stands_there_with_its_key_and_its_parents(table: str) -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{table}` |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2] == ", ".join(KEYS.get(table, ()))
    assert cells[3] == ", ".join(parent for _, parent in PARENTS.get(table, ()))
