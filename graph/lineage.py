"""A ring keeps its name: each group of a new build takes the name of the earlier ring that it shares most members with.

The largest overlap is matched first. An earlier ring whose members went to several groups gives its name to the one that took most of them; the
others are new and know what they split from. An earlier ring that is nowhere the best match was merged, or has ended. Ended ones are remembered,
so that a ring that comes back after a quiet time takes up its name.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Turn(StrEnum):
    """What became of a ring between two builds."""

    BORN = "born"
    SAME = "same"
    CHANGED = "changed"
    SPLIT = "split"
    MERGED = "merged"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the history of a ring at one build.

    born; same members; changed (`joined` and `left` members); split off from `other_id` with `shared` members; merged into `other_id` with
    `shared` members; ended.
    """

    ring_id: str
    turn: Turn
    at: datetime
    other_id: str | None = None
    shared: int = 0
    joined: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """The names of the groups of a build, in their order, and every step taken."""

    ring_ids: tuple[str, ...]
    steps: tuple[Step, ...]


def new_id(members: Collection[str], at: datetime) -> str:
    """The id of a ring that is first found with these members at that moment."""
    told = "\x00".join([at.isoformat(), *sorted(members)])
    return f"ring_{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def name_groups(groups: Sequence[Collection[str]], earlier: Mapping[str, Collection[str]], at: datetime) -> Named:
    """Names for the groups, which share no member, given the members of earlier rings by id; earlier rings share none either."""
    of_member = {member: ring_id for ring_id, members in earlier.items() for member in members}
    overlaps = [Counter(of_member[member] for member in group if member in of_member) for group in groups]
    names = _matched(groups, earlier, overlaps)
    steps = []
    for place, group in enumerate(groups):
        if place not in names:
            names[place] = new_id(group, at)
            steps += [Step(names[place], Turn.SPLIT, at, other, shared) for other, shared in sorted(overlaps[place].items())]
            if not overlaps[place]:
                steps.append(Step(names[place], Turn.BORN, at))
            continue
        before = set(earlier[names[place]])
        joined, left = len(set(group) - before), len(before - set(group))
        steps.append(Step(names[place], Turn.CHANGED if joined or left else Turn.SAME, at, joined=joined, left=left))
    return Named(tuple(names[place] for place in range(len(groups))), (*steps, *_gone(earlier, overlaps, names, at)))


def _matched(groups: Sequence[Collection[str]], earlier: Mapping[str, Collection[str]], overlaps: Sequence[Counter[str]]) -> dict[int, str]:
    """The earlier name of each group that has one: largest overlap first, then the larger share of both, then the name."""
    found = [
        (-shared, -shared / (len(groups[place]) + len(earlier[ring_id]) - shared), ring_id, place)
        for place, overlap in enumerate(overlaps)
        for ring_id, shared in overlap.items()
    ]
    names: dict[int, str] = {}
    taken: set[str] = set()
    for _, _, ring_id, place in sorted(found):
        if ring_id not in taken and place not in names:
            names[place] = ring_id
            taken.add(ring_id)
    return names


def _gone(earlier: Mapping[str, Collection[str]], overlaps: Sequence[Counter[str]], names: Mapping[int, str], at: datetime) -> list[Step]:
    """What became of earlier rings whose name no group carries on: merged into the group with most of their members, or ended."""
    steps = []
    for ring_id in sorted(set(earlier) - set(names.values())):
        into = max(((overlap[ring_id], -place) for place, overlap in enumerate(overlaps) if ring_id in overlap), default=None)
        steps.append(Step(ring_id, Turn.ENDED, at) if into is None else Step(ring_id, Turn.MERGED, at, names[-into[1]], into[0]))
    return steps
