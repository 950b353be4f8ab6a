"""Earlier pictures in memory, found again by fingerprint: the evidence of all requests, the shop's catalogue, known web images."""

from collections.abc import Iterator, Sequence

from features.image.fingerprint import Print, Role
from features.image.hamming import MAX_DISTANCE, HammingIndex
from features.image.signal_kit import NEAR, Match


class ReuseLibrary:
    """Pictures by fingerprint, kept in memory; adding and finding are exact. One picture may be added under several ids.

    Whole pictures and windows lie in two indexes: only a query's whole may be a crop of something, so only it is looked for among the windows.
    """

    def __init__(self) -> None:
        self._wholes, self._windows = HammingIndex(), HammingIndex()
        self._whole_ids: list[str] = []
        self._window_ids: list[str] = []

    def __len__(self) -> int:
        """How many hashes are kept."""
        return len(self._wholes) + len(self._windows)

    def add(self, image_id: str, prints: Sequence[Print]) -> None:
        """Keep a picture under its `to_index` prints."""
        wholes = [found.words for found in prints if found.role is Role.WHOLE]
        windows = [found.words for found in prints if found.role is Role.PART]
        self._wholes.add(wholes)
        self._windows.add(windows)
        self._whole_ids.extend([image_id] * len(wholes))
        self._window_ids.extend([image_id] * len(windows))

    def find(self, prints: Sequence[Print]) -> tuple[Match, ...]:
        """Every picture near one of the `to_query` prints, each once with its nearest form, nearest first."""
        best: dict[str, Match] = {}
        for match in self._matches(prints):
            known = best.get(match.image_id)
            if known is None or match.distance < known.distance:
                best[match.image_id] = match
        return tuple(sorted(best.values(), key=lambda match: (match.distance, match.image_id)))

    def _matches(self, prints: Sequence[Print]) -> Iterator[Match]:
        for found in prints:
            for hit in self._wholes.search(found.words, NEAR if found.role is Role.TURNED else MAX_DISTANCE):
                yield Match(self._whole_ids[hit.place], hit.distance, found.form, found.role is not Role.PART)
            if found.role is Role.WHOLE:
                for hit in self._windows.search(found.words, MAX_DISTANCE):
                    yield Match(self._window_ids[hit.place], hit.distance, f"{found.form} as a crop", whole=False)
