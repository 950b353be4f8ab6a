"""A request may be decided provisionally and then finally: the ledger counts its turns, and what waits for its final decision is kept."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, inspect

from risk.stores.tables import NUMBER, Text

revision = "0002"
down_revision = "0001"

IDENTITY = "decisions_identity"

decisions = Table(
    "decisions",
    MetaData(),
    Column("seq", NUMBER, primary_key=True, autoincrement=True),
    Column("decision_id", Text, nullable=False, unique=True),
    Column("request_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("payload_sha256", Text, nullable=False),
    Column("as_of_us", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("answers", LargeBinary, nullable=False),
    Column("previous_sha256", Text, nullable=False),
    Column("chain_sha256", Text, nullable=False),
)
"""The ledger without the key that changes: SQLite copies it into a new table, since it cannot drop a key."""


def upgrade() -> None:
    """Every decision so far was the first of its identity. A ledger of another shape is left: it is named after the last revision."""
    there = {column["name"] for column in inspect(op.get_bind()).get_columns("decisions")}
    if there >= set(decisions.columns.keys()):
        _count_turns()
    op.create_table(
        "pending_decisions",
        Column("request_id", Text, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("decision_id", Text, nullable=False),
        Column("question", LargeBinary, nullable=False),
        Column("due_us", BigInteger, nullable=False),
        Column("claimed_until_us", BigInteger, nullable=False),
        PrimaryKeyConstraint("request_id", "revision"),
        sqlite_with_rowid=False,
    )


def _count_turns() -> None:
    turn = Column("turn", Integer, nullable=False, server_default="0")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("decisions_request_id_revision_key", "decisions", type_="unique")
        op.add_column("decisions", turn)
        op.create_unique_constraint(IDENTITY, "decisions", ["request_id", "revision", "turn"])
    else:
        with op.batch_alter_table("decisions", copy_from=decisions, recreate="always") as batch:
            batch.add_column(turn)
            batch.create_unique_constraint(IDENTITY, ["request_id", "revision", "turn"])
