"""Writers note which timelines they changed, so that a worker may keep timelines in memory."""

from alembic import op
from sqlalchemy import Column, LargeBinary, MetaData, Table

from risk.stores.tables import NUMBER

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """One more table, empty: nobody keeps timelines yet."""
    table = Table(
        "timeline_turns",
        MetaData(),
        Column("turn_no", NUMBER, primary_key=True, autoincrement=True),
        Column("body", LargeBinary, nullable=False),
    )
    table.create(op.get_bind())
