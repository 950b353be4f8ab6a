"""The tables of what callers and people do with decisions: what waits, what was paid back, what was answered, who was told, who objected.

Whoever needs every table there is imports `metadata` from here: these are the last ones.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from risk.stores.tables import NUMBER, Text, metadata

__all__ = [
    "appeal_verdicts",
    "appeal_words",
    "appeals",
    "idempotent_answers",
    "metadata",
    "pending_decisions",
    "refunds",
    "request_judges",
    "webhook_endpoints",
    "webhook_messages",
]

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

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("removed_us", BigInteger),
)
"""Who wants to be told of what; kinds are words with a space between. Its secret is not here: it is derived from the installation's key."""

webhook_messages = Table(
    "webhook_messages",
    metadata,
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
Index("webhook_messages_by_time", webhook_messages.c.endpoint_id, webhook_messages.c.next_us)
"""What is to be told, one row a receiver, written with what it tells of. It is sent from `next_us` on, until it is delivered or dead; until
`claimed_until_us` a worker is sending it; `failure` says what went wrong last."""

appeals = Table(
    "appeals",
    metadata,
    Column("appeal_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("filed_by", Text, nullable=False),
    Column("filed_us", BigInteger, nullable=False),
)
Index("appeals_by_request", appeals.c.request_id)
"""Objections to decisions. Rows are added, never changed; what came of one stands in `appeal_verdicts`."""

appeal_verdicts = Table(
    "appeal_verdicts",
    metadata,
    Column("verdict_no", NUMBER, primary_key=True, autoincrement=True),
    Column("appeal_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("decision_id", Text),
    Column("known_us", BigInteger, nullable=False),
)
Index("appeal_verdicts_by_appeal", appeal_verdicts.c.appeal_id)
"""What people said of appeals, in the order of saying; `decision_id` is the decision that an overturned one made. Rows are added, never changed."""

appeal_words = Table(
    "appeal_words",
    metadata,
    Column("appeal_id", Text, nullable=False),
    Column("verdict_no", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("appeal_id", "verdict_no"),
    sqlite_with_rowid=False,
)
"""The buyer's words (`verdict_no` 0) and those of each verdict: persons' words, kept apart so that they can be purged."""

request_judges = Table(
    "request_judges",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", "judge"),
    sqlite_with_rowid=False,
)
"""Who judged a request: the second look at it is somebody else's."""
