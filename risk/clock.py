"""The only place that asks what time it is, and the clock of the service, which never goes back."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

log = structlog.get_logger()

NEXT = timedelta(microseconds=1)


def now() -> datetime:
    """The present moment, UTC, to the microsecond."""
    return datetime.now(UTC)  # noqa: TID251  # this file is the one exception


class Steady:
    """A clock that says each moment once, in their order, whatever the clock behind it does. It begins after `floor`; `tell` hears of steps back.

    Where the clock behind it was stepped back, it goes on from its latest moment by microseconds until that clock has caught up. So a question
    still sees all that was known when it was asked, in the order in which it came; only durations are too short meanwhile.
    """

    def __init__(self, behind: Callable[[], datetime], floor: datetime, tell: Callable[..., object] = log.warning) -> None:
        self._behind = behind
        self._tell = tell
        self._latest = floor
        self._holds = False
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The present moment."""
        with self._lock:
            said = self._behind()
            holds = said + timedelta(seconds=1) < self._latest
            if holds is not self._holds:
                self._holds = holds
                event = "clock_stepped_back" if holds else "clock_caught_up"
                self._tell(event, seconds=(self._latest - said).total_seconds(), goes_on_from=self._latest.isoformat())
            self._latest = max(said, self._latest + NEXT)
            return self._latest
