"""The only place that asks what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, UTC, to the microsecond."""
    return datetime.now(UTC)  # noqa: TID251  # this file is the one exception
