"""What every import begins and ends with: the map's text, and the report."""

from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import ContractError


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Rows of the source, how many became requests, how many went to `rejects` (null when none), rows of each table written, where the key is.

    `identifiers`: how many of each type had which outcome; those that name nobody are left out, and `rejects/links.jsonl` says which and why.
    """

    rows: int
    accepted: int
    rejected: int
    tables: dict[str, int]
    rejects: str | None
    key: str
    identifiers: dict[str, dict[str, int]]


def read_map(mapping: Path) -> str:
    """The text of an import map. ContractError: it cannot be read."""
    try:
        return mapping.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the import map {mapping} cannot be read ({error}); expected a TOML file in UTF-8. data_contracts/import_maps/ has examples"
        raise ContractError(message, field="mapping") from error
