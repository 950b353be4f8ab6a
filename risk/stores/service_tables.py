"""The tables of what callers and people do with decisions: what waits, what was paid back, what was answered, who was told, who objected.

Whoever needs every table there is imports `metadata` from here: these are the last ones.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from risk.stores.tables import Text, metadata

__all__ = ["idempotent_answers", "metadata", "pending_decisions", "refunds"]

pending_decisions = Table(
    "pending_decisions",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("question", LargeBinary, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("claimed_until_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", "revision"),
    sqlite_with_rowid=False,
)
"""Provisional decisions that wait for their final one, with the question as JSON; the row goes with the final decision. Until `claimed_until_us`
a worker is making it; at `due_us` it is made whatever was measured."""

refunds = Table(
    "refunds",
    metadata,
    Column("refund_id", Text, primary_key=True),
    Column("request_id", Text),
    Column("order_id", Text),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)
"""Money that was paid back."""

idempotent_answers = Table(
    "idempotent_answers",
    metadata,
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload_sha256", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    PrimaryKeyConstraint("caller", "key"),
    sqlite_with_rowid=False,
)
Index("idempotent_answers_by_time", idempotent_answers.c.known_us)
"""What was answered to calls with an `Idempotency-Key`, by the name of the API key and that key; null while the call is going on."""
