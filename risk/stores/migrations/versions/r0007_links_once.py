"""A link is kept once: as a link, no longer as an event on both timelines too. When it stopped to count stands with it."""

from alembic import op
from sqlalchemy import BigInteger, Column

from data_contracts.timeline import NEVER

revision = "0007"
down_revision = "0006"

ENDED = f"""
    UPDATE links SET until_us = ended.until_us FROM timeline_events AS ended
    WHERE ended.stream = 'link' AND ended.until_us <> {NEVER}
        AND links.entity_type = ended.entity_type AND links.entity_id = ended.entity_id AND links.known_us = ended.known_us
        AND ended.event_id = links.entity_type || '|' || links.entity_id || '|' || COALESCE(links.account_id, '') || '|'
            || COALESCE(links.request_id, '') || '|' || COALESCE(links.order_id, '') || '|' || links.occurred_us
"""  # noqa: S608  # a number


def upgrade() -> None:
    """The moment moves to the link; the events go."""
    op.add_column("links", Column("until_us", BigInteger, nullable=False, server_default=str(NEVER)))
    op.execute(ENDED)
    op.execute("DELETE FROM timeline_events WHERE stream = 'link'")
