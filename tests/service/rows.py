"""What lies in a service's database, so that a test can say that nothing changed."""

from collections import defaultdict

from sqlalchemy import func, select, text

from risk.stores.database import Database
from risk.stores.service_tables import metadata


def counted(database: Database) -> dict[str, int]:
    """How many rows every table has."""
    with database.reading() as connection:
        return {name: connection.execute(select(func.count()).select_from(table)).scalar_one() for name, table in metadata.tables.items()}


def rows_of_all(database: Database) -> dict[str, dict[str, int]]:
    """How many rows each refund request has in every table that names requests, and on timelines (labels: `label_events`)."""
    tables = [name for name, table in metadata.tables.items() if "request_id" in table.c]
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys((*tables, "timeline_events", "label_events"), 0))
    with database.reading() as connection:
        for name in tables:
            asked = metadata.tables[name].c.request_id
            for request_id, count in connection.execute(select(asked, func.count()).where(asked.is_not(None)).group_by(asked)):
                found[request_id][name] = count
        for event_id, count in connection.execute(text("SELECT event_id, COUNT(*) FROM timeline_events GROUP BY event_id")):
            request_id, behind, _ = event_id.partition("|")
            if request_id in found:
                found[request_id]["label_events" if behind else "timeline_events"] += count
    return found


def rows_of(database: Database, request_id: str) -> dict[str, int]:
    """The same of one request."""
    return rows_of_all(database)[request_id]
