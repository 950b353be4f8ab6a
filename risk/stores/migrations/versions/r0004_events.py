"""Money paid back is kept, and what was answered to calls with an `Idempotency-Key`."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint

from risk.stores.tables import Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two tables of their own."""
    op.create_table(
        "refunds",
        Column("refund_id", Text, primary_key=True),
        Column("request_id", Text),
        Column("order_id", Text),
        Column("amount_minor", BigInteger),
        Column("currency", Text),
        Column("occurred_us", BigInteger, nullable=False),
        Column("known_us", BigInteger, nullable=False),
    )
    op.create_table(
        "idempotent_answers",
        Column("caller", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("payload_sha256", Text, nullable=False),
        Column("known_us", BigInteger, nullable=False),
        Column("status", Integer),
        Column("body", LargeBinary),
        PrimaryKeyConstraint("caller", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotent_answers_by_time", "idempotent_answers", ["known_us"])
