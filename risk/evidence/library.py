"""Every picture that was ever taken in, in memory, to find copies of it: the reuse library over the store.

Another process may take pictures in, too, so the library asks the store for what is newer than its last row before each search.
"""

import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from features.image import reuse
from features.image.fingerprint import Print
from features.image.reuse_library import ReuseLibrary
from features.image.signal_kit import NEAR
from risk.stores.evidence_rows import EvidenceRows, Pair


class ImageLibrary:
    """Pictures by fingerprint; finding is exact."""

    def __init__(self, rows: EvidenceRows) -> None:
        self._rows = rows
        self._library = ReuseLibrary()
        self._clusters: dict[str, str] = {}
        self._seq = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._clusters)

    def refresh(self, connection: Connection) -> int:
        """Take in what the store has that we have not; how many pictures."""
        with self._lock:
            fresh = self._rows.looks_after(connection, self._seq, reuse.VERSION)
            for seq, sha256, cluster, prints in fresh:
                self._library.add(sha256, prints.for_index)
                self._clusters[sha256] = cluster
                self._seq = seq
            return len(fresh)

    def find(self, prints: Sequence[Print], own: str) -> tuple[Pair, ...]:
        """Other files that show the same picture, nearest first."""
        with self._lock:
            matches = self._library.find(prints)
        return tuple(Pair(each.image_id, each.distance, each.form, each.whole) for each in matches if each.image_id != own)

    def cluster(self, sha256: str, pairs: Sequence[Pair]) -> str:
        """The picture that a file shows: that of the nearest sure copy, else itself is the first. Never changes once it is given."""
        with self._lock:
            known = self._clusters.get(sha256)
            sure = next((pair.other for pair in pairs if pair.distance <= NEAR), None)
            return known or (picture_of(sha256) if sure is None else self._clusters[sure])


def picture_of(sha256: str) -> str:
    """The image entity of a file that is no known copy."""
    return f"sha_{sha256}"
