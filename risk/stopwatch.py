"""How long each step took."""

from time import perf_counter


class Stopwatch:
    """Milliseconds by step, in the order in which they were taken."""

    def __init__(self) -> None:
        self.laps_ms: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        """The time since the last lap is added to that step."""
        moment = perf_counter()
        self.laps_ms[name] = round(self.laps_ms.get(name, 0.0) + (moment - self._last) * 1000, 3)
        self._last = moment

    def share(self, of: int) -> "Stopwatch":
        """A stopwatch of its own for one of several that were served together so far: each took its part of the time."""
        mine = Stopwatch()
        mine.laps_ms = {name: took_ms / of for name, took_ms in self.laps_ms.items()}
        return mine
