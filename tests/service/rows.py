"""What lies in a service's database, so that a test can say that nothing changed."""

from sqlalchemy import func, select, text

from risk.stores.database import Database
from risk.stores.tables import metadata


def counted(database: Database) -> dict[str, int]:
    """How many rows every table has."""
    with database.reading() as connection:
        return {name: connection.execute(select(func.count()).select_from(table)).scalar_one() for name, table in metadata.tables.items()}


def rows_of(database: Database, request_id: str) -> dict[str, int]:
    """How many rows a refund request has in every table that names requests, and on timelines."""
    found = {}
    with database.reading() as connection:
        for name, table in metadata.tables.items():
            if "request_id" in table.c:
                found[name] = connection.execute(select(func.count()).where(table.c.request_id == request_id)).scalar_one()
        events = text("SELECT COUNT(*) FROM timeline_events WHERE event_id = :id OR event_id LIKE :like")
        found["timeline_events"] = connection.execute(events, {"id": request_id, "like": f"{request_id}|%"}).scalar_one()
    return found
