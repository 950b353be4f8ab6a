"""Bring the store of a home up to the newest revision, or say where it stands."""

import os
from dataclasses import dataclass
from pathlib import Path

from risk.home import check_home, database_url
from risk.settings import read_settings
from risk.stores.database import connect
from risk.stores.migrate import State, revisions, standing, upgrade


@dataclass(frozen=True, slots=True)
class StoreStanding:
    """Where the store was, null: at no revision, and where it is; `applied`: the revisions that were run between."""

    home: str
    state: State
    before: str | None
    revision: str | None
    newest: str
    applied: tuple[str, ...]


def standing_of_home(home: Path) -> StoreStanding:
    """Where the store stands. NotFoundError: that folder is no home. SourceUnavailableError: the database does not answer."""
    return _stand(home, upgrading=False)


def upgrade_home(home: Path) -> StoreStanding:
    """Run the missing revisions, all or none. ContractError: the store is ahead, or of a shape that no revision knows."""
    return _stand(home, upgrading=True)


def _stand(home: Path, *, upgrading: bool) -> StoreStanding:
    check_home(home)
    settings = read_settings(os.environ)
    database = connect(database_url(home, settings), settings.busy_timeout_ms)
    try:
        with database.writing() if upgrading else database.reading() as connection:
            found = before = standing(connection)
            if upgrading:
                if before.state is State.AHEAD:
                    before.check()
                upgrade(connection)
                found = standing(connection)
    finally:
        database.close()
    applied = tuple(number for number in revisions() if (before.revision or "") < number <= (found.revision or ""))
    return StoreStanding(str(home), found.state, before.revision, found.revision, found.newest, applied if upgrading else ())
