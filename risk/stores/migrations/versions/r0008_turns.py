"""Writers tell everything that workers keep up with in one table; when the newest of what the old ones told became known goes on from there."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, text

from risk.stores.tables import NUMBER

revision = "0008"
down_revision = "0007"

OLD = (("links", "link_no"), ("label_turns", "turn_no"), ("account_turns", "turn_no"))


def upgrade() -> None:
    """One table for three. No worker runs meanwhile, so none has to be told what the old ones said."""
    store = op.get_bind()
    turns = Table(
        "turns",
        MetaData(),
        Column("turn_no", NUMBER, primary_key=True, autoincrement=True),
        Column("known_us", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
    turns.create(store)
    last = [store.execute(text(f"SELECT known_us FROM {table} ORDER BY {number} DESC LIMIT 1")).scalar() for table, number in OLD]  # noqa: S608  # our own names
    known_us = [each for each in last if each is not None]
    if known_us:
        store.execute(turns.insert().values(known_us=max(known_us), body=bytes(8)))
    for table in ("timeline_turns", "label_turns", "account_turns"):
        op.drop_table(table)
