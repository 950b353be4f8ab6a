"""Score drift in the service: the last scores of a worker beside those that the model gave at training.

A worker begins with the newest scores of the ledger, whoever gave them, so that a restart does not blind the alarm.
"""

from collections import deque
from collections.abc import Iterable

from models.ranker.drift import Spread
from models.ranker.scorer import Scorer
from risk.ledger import Ledger

WINDOWS = (1_000, 10_000)
"""How many of the last scores are looked at: an hour or a day of a middling shop. By chance alone the index is about 0.01 and 0.001."""
EVERY = 20
"""Scores between two looks: an index takes some microseconds."""


class ScoreDrift:
    """The windows of one worker. `past`: scores of the same model from before its start, the newest last."""

    def __init__(self, expected: Spread, past: Iterable[float] = ()) -> None:
        self._expected = expected
        self._windows = {size: deque[int](maxlen=size) for size in WINDOWS}
        self._counts = {size: [0] * len(expected.shares) for size in WINDOWS}
        self._seen = 0
        for score in past:
            self._take(score)

    def add(self, score: float) -> dict[int, float]:
        """Take one more score; now and then the index of every window that is full, else nothing."""
        self._take(score)
        self._seen += 1
        return {} if self._seen % EVERY else self.indices()

    def indices(self) -> dict[int, float]:
        """The index of every window that is full, by its size."""
        return {size: self._expected.stability(self._counts[size]) for size, window in self._windows.items() if len(window) == size}

    def _take(self, score: float) -> None:
        part = self._expected.part(score)
        for size, window in self._windows.items():
            if len(window) == size:
                self._counts[size][window[0]] -= 1
            window.append(part)
            self._counts[size][part] += 1


def drift_of(champion: Scorer, ledger: Ledger) -> ScoreDrift | None:
    """The windows as they stand after everything that was decided; null where the model does not say where scores lay at training."""
    expected = champion.card.scores
    return None if expected is None else ScoreDrift(expected, ledger.newest_scores(champion.version, max(WINDOWS)))
