"""Score drift in the service: the last scores of a worker beside those that the model gave at training."""

from collections import deque

from models.ranker.drift import Spread

WINDOWS = (1_000, 10_000)
"""How many of the last scores are looked at: an hour or a day of a middling shop. By chance alone the index is about 0.01 and 0.001."""
EVERY = 20
"""Scores between two looks: an index takes some microseconds."""


class ScoreDrift:
    """The windows of one worker, empty at its start."""

    def __init__(self, expected: Spread) -> None:
        self._expected = expected
        self._windows = {size: deque[int](maxlen=size) for size in WINDOWS}
        self._counts = {size: [0] * len(expected.shares) for size in WINDOWS}
        self._seen = 0

    def add(self, score: float) -> dict[int, float]:
        """Take one more score; now and then the index of every window that is full, else nothing."""
        part = self._expected.part(score)
        for size, window in self._windows.items():
            if len(window) == size:
                self._counts[size][window[0]] -= 1
            window.append(part)
            self._counts[size][part] += 1
        self._seen += 1
        if self._seen % EVERY:
            return {}
        return {size: self._expected.stability(self._counts[size]) for size, window in self._windows.items() if len(window) == size}
