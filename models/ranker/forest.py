"""The raw score of a row, compiled: LightGBM's own to the bit, from trees that lie together in memory and not all over it."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from data_contracts.machine_code import njit
from models.ranker.dataset import Floats
from models.ranker.trees import CATEGORY, LEFT, MISSING, NAN, ZERO, Tree

Arrays: TypeAlias = tuple[npt.NDArray[Any], ...]

NO_LESS = 1e-35
"""LightGBM's zero: what is no further away from 0 counts as 0."""

NO_SPLITS = np.empty((0, 4), np.int64)


class Forest:
    """The trees of a model. Immutable, safe from several threads."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        first = np.cumsum([0, *(tree.thresholds.size for tree in trees)])
        leaf = np.cumsum([0, *(tree.values.size for tree in trees)])
        children = [
            np.where(tree.children < 0, tree.children - at, tree.children + split) for tree, split, at in zip(trees, first, leaf, strict=False)
        ]
        self._splits = splits_of(trees)
        self._roots = np.where(np.diff(first) > 0, first[:-1], -1 - leaf[:-1])
        self._children = np.concatenate([np.empty((0, 2), np.int64), *children]).astype(np.int32)
        self._values = np.concatenate([np.empty(0), *(tree.values for tree in trees)])

    def __call__(self, rows: Floats) -> Floats:
        """The raw log-odds, one a row."""
        found = np.empty(rows.shape[0])
        _add_up(rows, found, self._splits, self._roots, self._children, self._values)
        return found


def splits_of(trees: Sequence[Tree]) -> Arrays:
    """All splits as compiled code reads them: feature and kind; threshold; where words that go left begin, and how many numbers they take; words."""
    splits = np.concatenate([NO_SPLITS, *(tree.splits for tree in trees)])
    splits[:, 2] += np.repeat(np.cumsum([0, *(tree.words.size for tree in trees)])[:-1], [tree.thresholds.size for tree in trees])
    thresholds = np.concatenate([np.empty(0), *(tree.thresholds for tree in trees)])
    words = np.concatenate([np.empty(0, np.uint32), *(tree.words for tree in trees)])
    return splits[:, :2].astype(np.uint32), thresholds, splits[:, 2:].astype(np.uint32), words


@njit(cache=True, nogil=True)
def by_number(value, kind, threshold):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # compiled
    """Whether a number goes left, as LightGBM decides it."""
    missing, unknown = kind & MISSING, np.isnan(value)
    if unknown and missing != NAN:
        value = 0.0
    if (unknown and missing == NAN) or (missing == ZERO and abs(value) <= NO_LESS):
        return kind & LEFT != 0
    return value <= threshold


@njit(cache=True, nogil=True)
def by_word(value, start, count, words):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Whether a word goes left: it is among those that do. Each number holds 32 of them; NaN is none."""
    if not -1 < value < 32 * count:
        return False
    place = np.uint32(value)
    return (words[start + (place >> np.uint32(5))] >> (place & np.uint32(31))) & np.uint32(1) != 0


@njit(cache=True, nogil=True)
def _add_up(rows, found, splits, roots, children, values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The value of the leaf that each row comes to, tree by tree."""
    asked, thresholds, spans, words = splits
    for r in range(rows.shape[0]):
        total = 0.0
        for t in range(roots.size):
            at = roots[t]
            while at >= 0:
                value, kind = rows[r, asked[at, 0]], asked[at, 1]
                left = by_word(value, spans[at, 0], spans[at, 1], words) if kind & CATEGORY else by_number(value, kind, thresholds[at])
                at = children[at, 0 if left else 1]
            total += values[-1 - at]
        found[r] = total
