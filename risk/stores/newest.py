"""The newest moment that the store knows of: no question may be asked as of a moment before it."""

from datetime import datetime, timedelta

from features.streams import micros
from risk.stores.database import Database
from risk.stores.history import EPOCH, moment

AT_MOST = timedelta(days=1)
"""How far ahead of the clock a record may lie and still tell that the clock was stepped back; one further ahead is data from the future."""

IN_ORDER = (
    ("decisions", "as_of_us", "seq"),
    ("turns", "known_us", "turn_no"),
    ("evidence_looks", "known_us", "seq"),
)
"""Tables in the order of writing, with the column of their moment."""


def newest(database: Database, now: datetime) -> datetime:
    """When the newest record became known; 1970 in an empty store."""
    with database.reading() as connection:
        found = [
            known_us
            for table, known, number in IN_ORDER
            for (known_us,) in database.fetch(connection, f"SELECT {known} FROM {table} ORDER BY {number} DESC LIMIT 1", ())  # noqa: S608  # our own names
        ]
    return moment(max((known_us for known_us in found if known_us <= micros(now + AT_MOST)), default=micros(EPOCH)))
