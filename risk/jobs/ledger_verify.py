"""Walk along the chain of a home's ledger: is every decision what it was, and in its place?"""

import os
from dataclasses import dataclass
from pathlib import Path

from risk.home import existing_home
from risk.ledger import Ledger
from risk.ledger_chain import Break, verify
from risk.settings import read_settings
from risk.stores.history import History


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What was found. head: the hash to note elsewhere, null for an empty ledger. head_found: null when none was asked for."""

    home: str
    ok: bool
    checked: int
    head: str | None
    head_found: bool | None
    broken: int
    breaks: tuple[Break, ...]


def verify_home(home: Path, noted_head: str | None = None) -> LedgerReport:
    """Check the whole ledger. NotFoundError: that folder is no home."""
    opened = existing_home(home, read_settings(os.environ))
    try:
        found = verify(Ledger(History(opened.database)).links(), noted_head)
    finally:
        opened.database.close()
    return LedgerReport(str(home), found.ok, found.checked, found.head, found.head_found, found.broken, found.breaks)
