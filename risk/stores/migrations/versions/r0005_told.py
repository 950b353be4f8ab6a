"""Webhooks and their outbox; appeals, their verdicts and words, and who judged a request."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint

from risk.stores.tables import NUMBER, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Six tables of their own."""
    _webhooks()
    _appeals()


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        Column("endpoint_id", Text, primary_key=True),
        Column("url", Text, nullable=False),
        Column("kinds", Text, nullable=False),
        Column("made_us", BigInteger, nullable=False),
        Column("removed_us", BigInteger),
    )
    op.create_table(
        "webhook_messages",
        Column("message_id", Text, primary_key=True),
        Column("endpoint_id", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("made_us", BigInteger, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_us", BigInteger, nullable=False),
        Column("claimed_until_us", BigInteger, nullable=False),
        Column("delivered_us", BigInteger),
        Column("dead_us", BigInteger),
        Column("failure", Text),
    )
    op.create_index("webhook_messages_by_time", "webhook_messages", ["endpoint_id", "next_us"])


def _appeals() -> None:
    op.create_table(
        "appeals",
        Column("appeal_id", Text, primary_key=True),
        Column("request_id", Text, nullable=False),
        Column("decision_id", Text, nullable=False),
        Column("filed_by", Text, nullable=False),
        Column("filed_us", BigInteger, nullable=False),
    )
    op.create_index("appeals_by_request", "appeals", ["request_id"])
    op.create_table(
        "appeal_verdicts",
        Column("verdict_no", NUMBER, primary_key=True, autoincrement=True),
        Column("appeal_id", Text, nullable=False),
        Column("verdict", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("reason_code", Text, nullable=False),
        Column("decision_id", Text),
        Column("known_us", BigInteger, nullable=False),
    )
    op.create_index("appeal_verdicts_by_appeal", "appeal_verdicts", ["appeal_id"])
    op.create_table(
        "appeal_words",
        Column("appeal_id", Text, nullable=False),
        Column("verdict_no", BigInteger, nullable=False),
        Column("known_us", BigInteger, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("appeal_id", "verdict_no"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "request_judges",
        Column("request_id", Text, nullable=False),
        Column("judge", Text, nullable=False),
        Column("known_us", BigInteger, nullable=False),
        PrimaryKeyConstraint("request_id", "judge"),
        sqlite_with_rowid=False,
    )
