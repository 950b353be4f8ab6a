"""The database tables, for SQLite and PostgreSQL alike. Times are whole microseconds since 1970 UTC, money is whole minor units."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from data_contracts.timeline import NAMES, WHOLE

metadata = MetaData()

timeline_events = Table(
    "timeline_events",
    metadata,
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    *(Column(name, Text) for name in NAMES),
    *(Column(name, BigInteger) for name in WHOLE),
    PrimaryKeyConstraint("entity_type", "entity_id", "stream", "known_us", "event_id"),
    sqlite_with_rowid=False,
)
"""What happened to each entity (`data_contracts/timeline.py`); null is not known. The key is the order of reading: one seek a timeline."""

request_places = Table(
    "request_places",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", "known_us", "entity_type", "entity_id"),
    sqlite_with_rowid=False,
)
"""On which timelines a request's event stands, so that a label finds them."""

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)

categories = Table(
    "categories",
    metadata,
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("category", Text, nullable=False),
    PrimaryKeyConstraint("entity_type", "entity_id"),
    sqlite_with_rowid=False,
)
"""The category of each article and seller, where it is known."""

sources = Table("sources", metadata, Column("name", Text, primary_key=True), Column("since_us", BigInteger, nullable=False))
"""The kinds of data that ever came; a kind that never did makes its features null, not zero."""

orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("known_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Orders with their lines, as JSON of the contracts."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("order_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    PrimaryKeyConstraint("order_id", "occurred_us", "status"),
    sqlite_with_rowid=False,
)

links = Table(
    "links",
    metadata,
    Column("link_no", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("account_id", Text),
    Column("request_id", Text),
    Column("order_id", Text),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)
Index("links_by_order", links.c.order_id, sqlite_where=links.c.order_id.is_not(None), postgresql_where=links.c.order_id.is_not(None))
Index("links_by_request", links.c.request_id, sqlite_where=links.c.request_id.is_not(None), postgresql_where=links.c.request_id.is_not(None))
"""Links as they were told: what an order brings to its requests, and what the live graph starts from. A second row of the same says nothing new."""

labels = Table(
    "labels",
    metadata,
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
    metadata,
    Column("request_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("request_id", "known_us"),
)
"""What the buyer wrote: a person's words, kept out of the ledger so that they can be purged."""

decisions = Table(
    "decisions",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("decision_id", Text, nullable=False, unique=True),
    Column("request_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("payload_sha256", Text, nullable=False),
    Column("as_of_us", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("answers", LargeBinary, nullable=False),
    UniqueConstraint("request_id", "revision"),
)
"""The ledger: rows are added, never changed. `record` replays the decision; `answers` are the bytes that were and will be answered, by language."""

policies = Table("policies", metadata, Column("version", Text, primary_key=True), Column("body", Text, nullable=False))
"""Every policy that ever decided, so that its decisions replay."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)
"""Keys are random 256-bit tokens; only their hash is here."""
