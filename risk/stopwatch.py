"""How long each step took."""

from time import perf_counter


class Stopwatch:
    """Milliseconds by step, in the order in which they were taken."""

    def __init__(self) -> None:
        self.laps_ms: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        """The time since the last lap goes to that step."""
        moment = perf_counter()
        self.laps_ms[name] = round((moment - self._last) * 1000, 3)
        self._last = moment
