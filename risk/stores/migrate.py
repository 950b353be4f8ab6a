"""The tables of a store and their revisions: which one a store is at, and bringing it up to the newest, all or nothing.

A revision is a file in `migrations/versions`; its name begins with `r` and its number. Whoever changes `tables.py` adds one (a test says so).
A store is never taken back: its ledger is append-only, and what a revision dropped could not come again.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from data_contracts.errors import ContractError
from risk.stores.service_tables import metadata

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"


class State(StrEnum):
    """Where a store stands. A store from before migrations is behind, at no revision."""

    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Standing:
    """The store's revision, null while it has none, beside the newest that this code knows."""

    state: State
    revision: str | None
    newest: str

    def check(self) -> None:
        """ContractError: the store is behind or ahead of this code."""
        if self.state is State.BEHIND:
            at = self.revision or "none"
            message = f"the store is at revision {at}, this code needs {self.newest}; back it up, then run `refund-risk db upgrade --home HOME`"
            raise ContractError(message, field="database")
        if self.state is State.AHEAD:
            message = f"the store is at revision {self.revision}, this code knows up to {self.newest}; run the version that wrote it, or a later one"
            raise ContractError(message, field="database")


def revisions() -> list[str]:
    """The number of every revision, the oldest first; read off the file names, since Alembic takes a tenth of a second to import."""
    return sorted(path.stem[1:].partition("_")[0] for path in (FOLDER / "versions").glob("r*.py"))


def standing(connection: Connection) -> Standing:
    """Where the store of this connection stands."""
    names, known = set(inspect(connection).get_table_names()), revisions()
    if VERSION_TABLE not in names:
        return Standing(State.BEHIND if names & set(metadata.tables) else State.EMPTY, None, known[-1])
    revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one()  # noqa: S608  # our own name
    state = State.CURRENT if revision == known[-1] else State.BEHIND if revision in known else State.AHEAD
    return Standing(state, revision, known[-1])


def upgrade(connection: Connection) -> None:
    """Run every missing revision. Needs a writer's transaction: it is all or nothing, and nobody else migrates meanwhile.

    ContractError: a table has other columns than its revisions gave it.
    """
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    command.upgrade(config, "head")
    _check_columns(connection)


def _check_columns(connection: Connection) -> None:
    """A store of long ago may have a table of the same name and another shape, which no revision knows."""
    seen = inspect(connection)
    for table in metadata.sorted_tables:
        there, due = {column["name"] for column in seen.get_columns(table.name)}, {column.name for column in table.columns}
        if there != due:
            lacks, has = ", ".join(sorted(due - there)) or "nothing", ", ".join(sorted(there - due)) or "nothing"
            message = (
                f"the table {table.name} lacks {lacks} and has {has} besides; it was made by a version that cannot be upgraded: start a new home"
            )
            raise ContractError(message, field="database")
