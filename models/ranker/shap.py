"""How much each feature moved a score: exact path-dependent TreeSHAP (Lundberg et al. 2020), compiled.

The part of feature i in one leaf is `value * (o_i - z_i) * integral of the product over all other features j of its path of o_j t + z_j (1 - t)`,
for t from 0 to 1. z_j is the share of training rows that goes the leaf's way at the splits of j; o_j is 1 where the row explained does, else 0. The
integral is Shapley's weight of all subsets at once, and a Gauss rule of half as many points as the path has features is exact for it. So one product
goes down a tree at each point and one sum comes up, no subset is ever looked at (Yu et al. 2022, Linear TreeSHAP). What does not depend on the row is
worked out beforehand (Yang 2021, Fast TreeSHAP). Numbers are those of LightGBM's `pred_contrib`, which takes ten times as long for trees of 8 leaves
and five times for 31.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data_contracts.machine_code import njit
from models.ranker.dataset import Floats
from models.ranker.forest import NO_SPLITS, Arrays, by_number, by_word, splits_of
from models.ranker.trees import CATEGORY, Tree

POINTS = 4
"""Points of the Gauss rule that are worked on together."""

SMALL = 8
"""Splits up to which a tree's answers are all worked out beforehand: 16 KB a tree, and a row reads one line of it."""

ELSEWHERE, LEAVES, ALONG = 0, 1, 2
"""How a row stands to a node: it left the way there at an earlier split of the same feature, leaves it at this one, or goes along."""


class Shap:
    """The contributions of a model's features. Immutable, safe from several threads."""

    def __init__(self, trees: Sequence[Tree], features: int) -> None:
        self.base_log_odds = sum(tree.expected for tree in trees)
        self._features = features
        small = [tree for tree in trees if 0 < tree.thresholds.size <= SMALL]
        large = [tree for tree in trees if tree.thresholds.size > SMALL]
        self._splits = splits_of([*small, *large])
        self._known = _known(small)
        self._walked = _walked(large, sum(tree.thresholds.size for tree in small))

    def __call__(self, rows: Floats) -> Floats:
        """One line a row, one column a feature: its part of the raw log-odds less `base_log_odds`."""
        found = np.zeros((rows.shape[0], self._features))
        _explain(rows, found, self._splits, self._known, self._walked)
        return found


def _walked(trees: Sequence[Tree], first_split: int) -> Arrays:
    """Trees that the kernel walks: where each starts, nodes, values, table. Their splits are counted from `first_split` on."""
    starts = np.cumsum([0, *(len(tree.nodes) for tree in trees)])
    lengths = np.diff(starts)
    parent, earlier, split, left, share, value, features = np.array([node for tree in trees for node in tree.nodes]).reshape(-1, 7).T
    split += np.repeat(np.cumsum([0, *(tree.thresholds.size for tree in trees)])[:-1], lengths)
    feature = np.concatenate([NO_SPLITS, *(tree.splits for tree in trees)])[split.astype(np.int64), 0]
    nodes = np.stack([parent, earlier, split + first_split, left, feature], axis=1).astype(np.uint32)
    above = np.where(earlier > 0, np.repeat(starts[:-1], lengths) + earlier, -1).astype(np.int64)
    return starts, nodes, value.copy(), _table(share, above, int(features.max(initial=1)))


def _known(trees: Sequence[Tree]) -> Arrays:
    """Trees whose every answer is known before a row comes: where splits end, features and how many of them, where answers begin, answers.

    An answer is a line for each way of going left or right at all splits, the first split in the lowest bit; each of its numbers is for one feature.
    """
    ends = np.cumsum([0, *(tree.thresholds.size for tree in trees)])
    features, counts = np.zeros((len(trees), SMALL), np.uint32), np.zeros(len(trees), np.uint32)
    for number, tree in enumerate(trees):
        own = np.unique(tree.splits[:, 0])
        features[number, : own.size], counts[number] = own, own.size
    first = np.cumsum([0, *(1 << tree.thresholds.size for tree in trees)])
    answers = np.zeros((int(first[-1]), SMALL))
    _answer(_walked(trees, 0), ends, features, counts, first, answers)
    return ends, features, counts, first, answers


def _table(share: Floats, earlier: npt.NDArray[np.int64], most: int) -> Floats:
    """By block of points, node, and how the row stands to it: its factor on the way down, then what a sum on the way up gives to its feature.

    Where a feature splits once more on a path (`earlier` is not -1), what its earlier node did is taken back. `most`: features on the longest path.
    """
    blocks = math.ceil(most / (2 * POINTS))
    at, weight = np.polynomial.legendre.leggauss(blocks * POINTS)
    along, other = (1 + at) / 2, share[:, None] * (1 - at) / 2
    factor = (other, along + other)
    inverse = [np.divide(1, each, out=np.zeros_like(each), where=each > 0) for each in factor]
    part = [(went - share[:, None]) * weight / 2 * inverse[went] for went in (0, 1)]
    again = (earlier >= 0)[:, None]
    table = np.empty((blocks, share.size, 3, 2, POINTS))
    for state, (before, now) in enumerate(((0, 0), (1, 0), (1, 1))):
        down = factor[now] * np.where(again, inverse[before][earlier], 1)
        up = part[now] - np.where(again, part[before][earlier], 0)
        table[:, :, state] = np.stack([down, up], axis=1).reshape(-1, 2, blocks, POINTS).transpose(2, 0, 1, 3)
    return table.reshape(blocks, -1, 3, 2 * POINTS)


@njit(cache=True, nogil=True)
def _explain(rows, found, splits, known, walked):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # compiled
    """Fill `found`, row by row: small trees are looked up, the others walked."""
    ends, features, counts, first, answers = known
    asked, thresholds, spans, words = splits
    went = np.empty(thresholds.size, np.uint32)
    room = _room(walked[0])
    for r in range(rows.shape[0]):
        for k in range(went.size):
            value, kind = rows[r, asked[k, 0]], asked[k, 1]
            went[k] = by_word(value, spans[k, 0], spans[k, 1], words) if kind & CATEGORY else by_number(value, kind, thresholds[k])
        for t in range(counts.size):
            place = first[t]
            for k in range(ends[t], ends[t + 1]):
                place += went[k] << np.uint32(k - ends[t])
            for m in range(counts[t]):
                found[r, features[t, m]] += answers[place, m]
        for t in range(walked[0].size - 1):
            _walk(went, walked, t, room, found[r])


@njit(cache=True, nogil=True)
def _answer(walked, ends, features, counts, first, answers):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill `answers`, tree by tree, one way after another."""
    went = np.empty(ends[-1], np.uint32)
    room = _room(walked[0])
    part = np.zeros(1 + walked[1][:, 4].max() if walked[1].size else 1)
    for t in range(counts.size):
        for way in range(first[t + 1] - first[t]):
            for k in range(ends[t], ends[t + 1]):
                went[k] = (way >> (k - ends[t])) & 1
            part[:] = 0
            _walk(went, walked, t, room, part)
            for m in range(counts[t]):
                answers[first[t] + way, m] = part[features[t, m]]


@njit(cache=True, nogil=True)
def _room(starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """What walking the largest tree takes: by node its product, its sum, and how the row stands to it. A root is gone along."""
    longest = 1
    for t in range(starts.size - 1):
        longest = max(longest, starts[t + 1] - starts[t])
    return np.ones((longest, POINTS)), np.empty((longest, POINTS)), np.full(longest, ALONG, np.uint32)


@njit(cache=True, nogil=True)
def _walk(went, walked, t, room, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Add the parts of one tree."""
    starts, nodes, values, table = walked
    product, total, stands = room
    first, after = starts[t], starts[t + 1]
    for block in range(table.shape[0]):
        _down(went, nodes[first:after], values[first:after], table[block, first:after], product, total, stands)
        _up(nodes[first:after], table[block, first:after], total, stands, found)


@njit(cache=True, nogil=True)
def _down(went, nodes, values, table, product, total, stands):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913
    """From the root to the leaves: how the row stands to each node, the product of its path, and what each leaf begins its sum with (others: 0)."""
    i = np.uint32(1)  # unsigned numbers need no look at whether they count from the end
    while i < nodes.shape[0]:
        parent = nodes[i, 0]
        state = np.uint32(LEAVES) + np.uint32(went[nodes[i, 2]] == nodes[i, 3])
        if stands[nodes[i, 1]] != ALONG:
            state = np.uint32(ELSEWHERE)
        stands[i] = state
        value, line = values[i], table[i, state]
        a, b, c, d = product[parent, 0] * line[0], product[parent, 1] * line[1], product[parent, 2] * line[2], product[parent, 3] * line[3]
        product[i, 0], product[i, 1], product[i, 2], product[i, 3] = a, b, c, d
        total[i, 0], total[i, 1], total[i, 2], total[i, 3] = a * value, b * value, c * value, d * value
        i += np.uint32(1)


@njit(cache=True, nogil=True)
def _up(nodes, table, total, stands, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """From the leaves to the root: every node's sum goes to the feature that split there, and on to its parent."""
    i = np.uint32(nodes.shape[0] - 1)
    while i > 0:
        parent, state = nodes[i, 0], stands[i]
        line = table[i, state]
        a, b, c, d = total[i, 0], total[i, 1], total[i, 2], total[i, 3]
        found[nodes[i, 4]] += (a * line[4] + b * line[5]) + (c * line[6] + d * line[7])
        total[parent, 0] += a
        total[parent, 1] += b
        total[parent, 2] += c
        total[parent, 3] += d
        i -= np.uint32(1)
