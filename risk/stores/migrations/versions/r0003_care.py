"""Legal holds, purges of evidence, and who was given which evidence."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer

from risk.stores.tables import NUMBER, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Three new tables."""
    op.create_table(
        "legal_holds",
        Column("hold_no", NUMBER, primary_key=True, autoincrement=True),
        Column("subject", Text, nullable=False),
        Column("subject_id", Text, nullable=False),
        Column("held_by", Text, nullable=False),
        Column("why", Text, nullable=False),
        Column("made_us", BigInteger, nullable=False),
        Column("until_us", BigInteger),
        Column("released_us", BigInteger),
        Column("released_by", Text),
        Column("released_why", Text),
    )
    op.create_table(
        "evidence_purges",
        Column("purge_no", NUMBER, primary_key=True, autoincrement=True),
        Column("sha256", Text, nullable=False),
        Column("uploads", Integer, nullable=False),
        Column("why", Text, nullable=False),
        Column("purged_us", BigInteger, nullable=False),
        Column("done_us", BigInteger),
    )
    op.create_index("evidence_purges_by_file", "evidence_purges", ["sha256"])
    op.create_table(
        "evidence_reads",
        Column("read_no", NUMBER, primary_key=True, autoincrement=True),
        Column("sha256", Text, nullable=False),
        Column("reader", Text, nullable=False),
        Column("what", Text, nullable=False),
        Column("why", Text),
        Column("known_us", BigInteger, nullable=False),
    )
    op.create_index("evidence_reads_by_file", "evidence_reads", ["sha256"])
