"""The database tables, for SQLite and PostgreSQL alike. Times are whole microseconds since 1970 UTC, money is whole minor units."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy import Text as AnyText
from sqlalchemy.dialects import postgresql

from data_contracts.timeline import NAMES, NEVER, WHOLE

metadata = MetaData()

Text = AnyText().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text in the order of its bytes, as SQLite has it: events of one moment have one order everywhere, whatever language a server was set up for."""

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A running number: SQLite counts only in its own INTEGER."""

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
"""What happened to each entity (`data_contracts/timeline.py`); null is not known. The key is the order of reading: one seek a timeline.

Its links are not here but in `links`.
"""

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
    Column("link_no", NUMBER, primary_key=True, autoincrement=True),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("account_id", Text),
    Column("request_id", Text),
    Column("order_id", Text),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False, server_default=str(NEVER)),
)
Index("links_by_order", links.c.order_id, sqlite_where=links.c.order_id.is_not(None), postgresql_where=links.c.order_id.is_not(None))
Index("links_by_request", links.c.request_id, sqlite_where=links.c.request_id.is_not(None), postgresql_where=links.c.request_id.is_not(None))
Index("links_by_entity", links.c.entity_type, links.c.entity_id, links.c.known_us, links.c.account_id)
Index("links_by_account", links.c.account_id, links.c.known_us, links.c.entity_type, links.c.entity_id)
"""Links as they were told: what an order brings to its requests, what views read from either side without touching the table, and what the live
graph starts from. They are events on the timelines of both sides, up to `until_us`. The same link is there once.
"""

link_marks = Table(
    "link_marks",
    metadata,
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("uses", BigInteger, nullable=False),
    PrimaryKeyConstraint("entity_type", "entity_id", "known_us"),
    sqlite_with_rowid=False,
)
"""Every few hundred uses of an account or an entity, how many are known before that moment: so uses as of any moment are counted, never all read."""

ring_builds = Table(
    "ring_builds",
    metadata,
    Column("as_of_us", BigInteger, primary_key=True, autoincrement=False),
    Column("made_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Builds of rings as JSON; the one of the latest moment is what `/v1/rings` shows."""

ring_judgements = Table(
    "ring_judgements",
    metadata,
    Column("judgement_no", NUMBER, primary_key=True, autoincrement=True),
    Column("body", LargeBinary, nullable=False),
)
"""What analysts said of rings, entities and links, as JSON, in the order of saying. Rows are added, never changed."""

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
    Column("turn", Integer, nullable=False, server_default="0"),
    UniqueConstraint("request_id", "revision", "turn", name="decisions_identity"),
)
"""The ledger: rows are added, never changed. `turn` counts the decisions of one identity: the final one after a provisional one, a person's last.
 `record` replays the decision; `answers` are the bytes that were and will be answered, by language.

Each row holds the hash of the row before and its own (`risk/ledger_chain.py`).
"""

policies = Table("policies", metadata, Column("version", Text, primary_key=True), Column("body", Text, nullable=False))
"""Every policy that ever decided, so that its decisions replay."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("revoked_us", BigInteger),
)
"""Keys are random 256-bit tokens; only their hash is here. Scopes are words with a space between."""

evidence_files = Table(
    "evidence_files",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("origin", Text),
    Column("claimed_until_us", BigInteger, nullable=False),
)
"""Every file that was taken in, once. `origin` is null for evidence, else what the picture was known as (an article of the catalogue, a page).

Until `claimed_until_us` somebody is measuring it.
"""

evidence_uploads = Table(
    "evidence_uploads",
    metadata,
    Column("evidence_id", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
)
Index("evidence_uploads_by_file", evidence_uploads.c.sha256)
"""Every upload; the same bytes may come often."""

evidence_looks = Table(
    "evidence_looks",
    metadata,
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
"""What each file turned out to be, and the prints under which it is found again, in the order of looking; `version` is that of the prints.

`cluster` names the first picture of which this one is a copy: itself where it is the first.
"""

evidence_measurements = Table(
    "evidence_measurements",
    metadata,
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
"""What each signal said of each file, once a version; a version is a number, with the model's behind a colon where one spoke."""

evidence_pairs = Table(
    "evidence_pairs",
    metadata,
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
"""Two files that show the same picture; the first was looked at later and found the other."""

evidence_uses = Table(
    "evidence_uses",
    metadata,
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
"""Which request showed which file, and how far its picture had been used before then (null with the reason)."""

evidence_observations = Table(
    "evidence_observations",
    metadata,
    Column("sha256", Text, nullable=False),
    Column("observer", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("sha256", "observer", "version", "attribute"),
    sqlite_with_rowid=False,
)
"""What a vision plug-in counted in a file."""


legal_holds = Table(
    "legal_holds",
    metadata,
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
"""What must not be purged: a request, a file or an account (`subject`), by whom, why, until when (null: until it is released)."""

evidence_purges = Table(
    "evidence_purges",
    metadata,
    Column("purge_no", NUMBER, primary_key=True, autoincrement=True),
    Column("sha256", Text, nullable=False),
    Column("uploads", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("purged_us", BigInteger, nullable=False),
    Column("done_us", BigInteger),
)
Index("evidence_purges_by_file", evidence_purges.c.sha256)
"""Files whose bytes were deleted: noted first, deleted then, `done_us` last. A file that was uploaded more than `uploads` times came again since."""

evidence_reads = Table(
    "evidence_reads",
    metadata,
    Column("read_no", NUMBER, primary_key=True, autoincrement=True),
    Column("sha256", Text, nullable=False),
    Column("reader", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("why", Text),
    Column("known_us", BigInteger, nullable=False),
)
Index("evidence_reads_by_file", evidence_reads.c.sha256)
"""Who was given a file (`file`) or what was measured in it (`look`), written before it was given. Rows are added, never changed."""

turns = Table(
    "turns",
    metadata,
    Column("turn_no", NUMBER, primary_key=True, autoincrement=True),
    Column("known_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""What every writer tells all workers (`turns.py`), and when the newest of it became known. The latest ones are kept."""
