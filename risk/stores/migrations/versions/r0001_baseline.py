"""The store as it was when migrations began. Tables that are there already (a store from before migrations) are left as they are."""

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from risk.stores.tables import NUMBER, Text

revision = "0001"
down_revision = None

then = MetaData()

timeline_events = Table(
    "timeline_events",
    then,
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("account_id", Text),
    Column("seller_id", Text),
    Column("sku_id", Text),
    Column("claim_type", Text),
    Column("target_type", Text),
    Column("target_id", Text),
    Column("amount_minor", BigInteger),
    Column("quantity", BigInteger),
    Column("delay_s", BigInteger),
    Column("generated_ppm", BigInteger),
    Column("abuse", BigInteger),
    PrimaryKeyConstraint("entity_type", "entity_id", "stream", "known_us", "event_id"),
    sqlite_with_rowid=False,
)
request_places = Table(
    "request_places",
    then,
    Column("request_id", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", "known_us", "entity_type", "entity_id"),
    sqlite_with_rowid=False,
)
accounts = Table(
    "accounts",
    then,
    Column("account_id", Text, primary_key=True),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)
categories = Table(
    "categories",
    then,
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("category", Text, nullable=False),
    PrimaryKeyConstraint("entity_type", "entity_id"),
    sqlite_with_rowid=False,
)
sources = Table(
    "sources",
    then,
    Column("name", Text, primary_key=True),
    Column("since_us", BigInteger, nullable=False),
)
orders = Table(
    "orders",
    then,
    Column("order_id", Text, primary_key=True),
    Column("known_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
deliveries = Table(
    "deliveries",
    then,
    Column("order_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    PrimaryKeyConstraint("order_id", "occurred_us", "status"),
    sqlite_with_rowid=False,
)
links = Table(
    "links",
    then,
    Column("link_no", NUMBER, primary_key=True, autoincrement=True),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("account_id", Text),
    Column("request_id", Text),
    Column("order_id", Text),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)
Index("links_by_account", links.c.account_id, links.c.known_us, links.c.entity_type, links.c.entity_id)
Index("links_by_entity", links.c.entity_type, links.c.entity_id, links.c.known_us, links.c.account_id)
Index("links_by_order", links.c.order_id, sqlite_where=links.c.order_id.is_not(None), postgresql_where=links.c.order_id.is_not(None))
Index("links_by_request", links.c.request_id, sqlite_where=links.c.request_id.is_not(None), postgresql_where=links.c.request_id.is_not(None))
link_marks = Table(
    "link_marks",
    then,
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("uses", BigInteger, nullable=False),
    PrimaryKeyConstraint("entity_type", "entity_id", "known_us"),
    sqlite_with_rowid=False,
)
label_turns = Table(
    "label_turns",
    then,
    Column("turn_no", NUMBER, primary_key=True, autoincrement=True),
    Column("request_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)
account_turns = Table(
    "account_turns",
    then,
    Column("turn_no", NUMBER, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("amount_minor", BigInteger),
)
ring_builds = Table(
    "ring_builds",
    then,
    Column("as_of_us", BigInteger, primary_key=True, autoincrement=False),
    Column("made_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
ring_judgements = Table(
    "ring_judgements",
    then,
    Column("judgement_no", NUMBER, primary_key=True, autoincrement=True),
    Column("body", LargeBinary, nullable=False),
)
labels = Table(
    "labels",
    then,
    Column("request_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("value", Text, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", "source", "occurred_us", "value"),
    sqlite_with_rowid=False,
)
claim_texts = Table(
    "claim_texts",
    then,
    Column("request_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("request_id", "known_us"),
)
decisions = Table(
    "decisions",
    then,
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
    UniqueConstraint("request_id", "revision"),
)
policies = Table(
    "policies",
    then,
    Column("version", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
api_keys = Table(
    "api_keys",
    then,
    Column("key_sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("revoked_us", BigInteger),
)
evidence_files = Table(
    "evidence_files",
    then,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("origin", Text),
    Column("claimed_until_us", BigInteger, nullable=False),
)
evidence_uploads = Table(
    "evidence_uploads",
    then,
    Column("evidence_id", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)
Index("evidence_uploads_by_file", evidence_uploads.c.sha256)
evidence_looks = Table(
    "evidence_looks",
    then,
    Column("seq", NUMBER, primary_key=True, autoincrement=True),
    Column("sha256", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("unreadable", Text),
    Column("cluster", Text, nullable=False),
    Column("prints", LargeBinary, nullable=False),
    UniqueConstraint("sha256", "version"),
)
evidence_measurements = Table(
    "evidence_measurements",
    then,
    Column("sha256", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("value", Double),
    Column("unavailable", Text),
    Column("findings", LargeBinary, nullable=False),
    PrimaryKeyConstraint("sha256", "signal", "version"),
    sqlite_with_rowid=False,
)
evidence_pairs = Table(
    "evidence_pairs",
    then,
    Column("sha256", Text, nullable=False),
    Column("other_sha256", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("distance", Integer, nullable=False),
    Column("form", Text, nullable=False),
    Column("whole", Integer, nullable=False),
    PrimaryKeyConstraint("sha256", "other_sha256"),
    sqlite_with_rowid=False,
)
Index("evidence_pairs_by_other", evidence_pairs.c.other_sha256)
evidence_uses = Table(
    "evidence_uses",
    then,
    Column("request_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("evidence_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("account_id", Text),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("reuse", Double),
    Column("reuse_unavailable", Text),
    PrimaryKeyConstraint("request_id", "revision", "evidence_id"),
    sqlite_with_rowid=False,
)
Index("evidence_uses_by_file", evidence_uses.c.sha256, evidence_uses.c.known_us)
evidence_observations = Table(
    "evidence_observations",
    then,
    Column("sha256", Text, nullable=False),
    Column("observer", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("sha256", "observer", "version", "attribute"),
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    """Make what is not there."""
    then.create_all(op.get_bind())
    for table in then.tables.values():
        for index in table.indexes:
            index.create(op.get_bind(), checkfirst=True)
