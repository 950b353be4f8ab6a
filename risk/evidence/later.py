"""Files whose look failed for no fault of theirs, because a store or a child was gone: looked at again by themselves when it is back.

One is tried after a pause that grows while it fails, each time another one, so that a file that is lost holds up nobody; when it goes well, the
next follows at once. Nothing runs while there are none.
"""

from collections.abc import Callable
from threading import Event, Lock, Thread

FIRST_S, LONGEST_S = 1.0, 30.0


class Later:
    """What waits to be looked at again. `look` tries one file: false when it failed for such a reason once more. RuntimeError: it is closed."""

    def __init__(self, look: Callable[[str], bool]) -> None:
        self._look = look
        self._waiting: dict[str, None] = {}
        self._lock = Lock()
        self._closed = Event()
        self._works = False

    def add(self, sha256: str) -> None:
        """Look at it again, later."""
        with self._lock:
            self._waiting[sha256] = None
            if self._works or self._closed.is_set():
                return
            self._works = True
        Thread(target=self._work, name="evidence-later", daemon=True).start()

    def close(self) -> None:
        """Try no more; what waits is taken up at the next start."""
        self._closed.set()

    def _work(self) -> None:
        pause_s = FIRST_S
        while not self._closed.wait(pause_s):
            sha256 = self._next()
            if sha256 is None:
                return
            try:
                well = self._look(sha256)
            except RuntimeError:
                return
            pause_s = 0.0 if well else min(max(2 * pause_s, FIRST_S), LONGEST_S)
            if not well:
                with self._lock:
                    self._waiting[sha256] = None

    def _next(self) -> str | None:
        """The one that waits longest, taken out."""
        with self._lock:
            found = next(iter(self._waiting), None)
            self._works = found is not None
            if found is not None:
                del self._waiting[found]
            return found
