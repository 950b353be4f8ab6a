"""Earlier pictures in memory, found again by fingerprint: the evidence of all requests, the shop's catalogue, known web images."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from features.image.detail_index import DetailIndex
from features.image.fingerprint import Print, Role
from features.image.hamming import HammingIndex
from features.image.signal_kit import FAR, NEAR, Match, Origin

EVIDENCE = Origin("evidence")


class ReuseLibrary:
    """Pictures by fingerprint, kept in memory. One picture may be added under several ids.

    Finding whole pictures is exact; finding parts by their details is not exhaustive (`detail_index.py`).
    """

    def __init__(self) -> None:
        self._hashes, self._details = HammingIndex(), DetailIndex()
        self._hash_ids: list[str] = []
        self._detail_ids: list[str] = []
        self._origins: dict[str, Origin] = {}

    def __len__(self) -> int:
        """How many hashes of whole pictures are kept."""
        return len(self._hashes)

    def add(self, image_id: str, prints: Sequence[Print], origin: Origin = EVIDENCE) -> None:
        """Keep a picture under its `to_index` prints. `origin` says which library it belongs to, and whose request showed it."""
        wholes = [found.words for found in prints if found.role is Role.WHOLE]
        self._hashes.add(wholes)
        self._hash_ids.extend([image_id] * len(wholes))
        self._origins[image_id] = origin
        for found in prints:
            if found.role is Role.DETAILS:
                self._details.add(found.body)
                self._detail_ids.append(image_id)

    def find(self, prints: Sequence[Print]) -> tuple[Match, ...]:
        """Every picture near one of the `to_query` prints, each once with its nearest form, nearest first."""
        best: dict[str, Match] = {}
        for match in (*self._wholes(prints), *self._parts(prints)):
            known = best.get(match.image_id)
            if known is None or match.distance < known.distance:
                best[match.image_id] = replace(match, details=known.details) if known is not None and not match.details else match
            elif match.details > known.details:
                best[match.image_id] = replace(known, details=match.details)
        return tuple(sorted(best.values(), key=lambda match: (match.distance, match.image_id)))

    def _wholes(self, prints: Sequence[Print]) -> Iterator[Match]:
        asked = [found for found in prints if found.role is not Role.DETAILS]
        reach = [(found.words, NEAR if found.role is Role.TURNED else FAR) for found in asked]
        for found, hits in zip(asked, self._hashes.search(reach), strict=True):
            for hit in hits:
                image_id = self._hash_ids[hit.place]
                yield Match(image_id, hit.distance, found.form, whole=True, origin=self._origins[image_id])

    def _parts(self, prints: Sequence[Print]) -> Iterator[Match]:
        for found in prints:
            if found.role is Role.DETAILS:
                for item in self._details.find(found.body):
                    image_id = self._detail_ids[item.place]
                    yield Match(
                        image_id, max(item.bits, NEAR + 1), "by its details", whole=False, origin=self._origins[image_id], details=item.details
                    )
