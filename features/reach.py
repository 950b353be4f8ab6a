"""Which timelines features look at, and how far back: what the service reads and keeps of each entity."""

from collections.abc import Mapping
from functools import lru_cache

from data_contracts.link import EntityType
from data_contracts.marks import Shape
from data_contracts.timeline import Stream
from features.catalog import FEATURES
from features.plan import DAY_US, groups


def _look_back() -> Mapping[tuple[EntityType, Stream], int | None]:
    found: dict[tuple[EntityType, Stream], int | None] = {}
    for group in groups(FEATURES):
        days = group.windows[-1]
        found[group.entity, group.stream] = None if days is None else days * DAY_US
    return found


LOOK_BACK = _look_back()
"""How far back in microseconds features look at a timeline; null: without end.

An event older than the longest window is known before the window too, so it need not be read: a shop's 100,000 requests of years stay where
they are.
"""

STREAMS = {kind: tuple(stream for stream in Stream if (kind, stream) in LOOK_BACK) for kind in EntityType}
"""The timelines of an entity that features look at, by its type."""


@lru_cache(maxsize=4_096)
def shape_of(types: tuple[EntityType, ...]) -> Shape:
    """The timelines that features look at of entities of these types."""
    found = [((kind, stream), place) for place, kind in enumerate(types) for stream in STREAMS[kind]]
    return Shape([kind for kind, _ in found], [place for _, place in found])


def since(kind: EntityType, stream: Stream, as_of_us: int) -> int:
    """The moment from which on events of a timeline can matter as of another one."""
    back = LOOK_BACK[kind, stream]
    return 0 if back is None else as_of_us - back
