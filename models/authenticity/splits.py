"""Who may stand on the other side of a split: whole sources, and whole topics of the source that is split by topic."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from models.authenticity.manifest import SPLIT_BY_TOPIC

Bools = npt.NDArray[np.bool_]


def parts(groups: Sequence[str], count: int, seed: int) -> npt.NDArray[np.int64]:
    """The part (0 to count - 1) of each row: a group is never torn; topics of the split source are dealt out evenly."""
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    part = {names[index]: place % count for place, index in enumerate(order)}
    topics = [name for name in names if name.startswith(f"{SPLIT_BY_TOPIC}/")]
    part |= {name: place % count for place, name in enumerate(topics)}
    return np.array([part[group] for group in groups], np.int64)


def held_out(groups: Sequence[str], count: int, seed: int) -> Iterator[tuple[Bools, Bools]]:
    """(rows to fit on, rows to judge) for each part in turn."""
    part = parts(groups, count, seed)
    for turn in range(count):
        yield part != turn, part == turn
