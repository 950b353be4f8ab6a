"""Refuted links among the events of a union-find: marked as skipped for the moments that ask under the refutation, and played again without them."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

import numpy as np

from graph.events import LABEL, LINK, SKIPPED, Events
from graph.refuted import Refuted
from graph.union_find import Ints

EVERYBODY = -1
"""In place of an account's code: the entity as a whole is refuted."""

Pairs = frozenset[tuple[int, int]]
"""Codes of entities and accounts (or EVERYBODY) whose links join nobody."""

NONE: Pairs = frozenset()


def in_force(refuted: Iterable[Refuted], as_of_us: int) -> list[Refuted]:
    """What counts as refuted for a question as of that moment: said strictly before it, not ended by it."""
    return [each for each in refuted if each.from_us < as_of_us <= each.until_us]


def turns(refuted: Iterable[Refuted], as_of_us: Ints) -> list[tuple[int, int]]:
    """Stretches of questions, sorted by as_of, under which the same is refuted: their first place, and the one after their last."""
    moments = sorted({moment for each in refuted for moment in (each.from_us, each.until_us)})
    places = [0, *(int(place) for place in np.searchsorted(as_of_us, moments, side="right")), len(as_of_us)]
    return [(first, last) for first, last in pairwise(places) if first < last]


def is_skipped(skipped: Pairs, entity: int, account: int) -> bool:
    """Whether that link joins nobody."""
    return bool(skipped) and ((entity, EVERYBODY) in skipped or (entity, account) in skipped)


def switch(events: Events, end: int, before: Pairs, now: Pairs) -> int | None:
    """Mark the links that are skipped from now on, before `end`, and unmark those no longer; the earliest place that changed, if any did."""
    if before == now or end == 0:
        return None
    entities = np.unique(np.array([entity for entity, _ in before ^ now], dtype=np.int64))
    touched = np.flatnonzero(np.isin(events.other[:end], entities) & (events.kind[:end] != LABEL))
    first = None
    for place in touched.tolist():
        kind = SKIPPED if is_skipped(now, int(events.other[place]), int(events.account[place])) else LINK
        if kind != events.kind[place]:
            events.kind[place] = kind
            first = place if first is None else first
    return first


def without(entities: Sequence[int], account: int, skipped: Pairs) -> list[int]:
    """The entities that a question of that account may be joined by."""
    return [entity for entity in entities if not is_skipped(skipped, entity, account)]


def masked(entity: np.ndarray, account: np.ndarray, skipped: Collection[tuple[int, int]]) -> np.ndarray:
    """The entities of questions, those that join nobody replaced by -1."""
    found = entity.copy()
    for refuted, by in skipped:
        found[(entity == refuted) & ((by == EVERYBODY) | (account == by))] = -1
    return found
