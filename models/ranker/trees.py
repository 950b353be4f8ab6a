"""The trees in LightGBM's text, as arrays: splits in its own numbering, nodes each after its parent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_contracts.errors import ModelMismatchError
from models.ranker.dataset import Floats

CATEGORY, LEFT, MISSING, ZERO, NAN = 1, 2, 12, 4, 8
"""Bits of a split's kind: it is one of words; missing goes left; and in two bits what is missing: nothing, zero, or NaN."""


class Node(NamedTuple):
    """What a split leads to. The root is the first node of a tree, and its own parent.

    earlier: the nearest node above that a split by the same feature led to; 0: none. split: the one that leads here, and whether to its left (1).
    share: of the training rows, those that go this node's way at all splits by that feature from the root on. value: a leaf's, else 0.
    features: how many different ones split on the way here.
    """

    parent: int
    earlier: int
    split: int
    left: int
    share: float
    value: float
    features: int


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree. splits: a line each: feature, kind, where the words that go left begin among `words`, and how many numbers of 32 words they take.

    children: of each split, left and right; below 0 it is a leaf, -1 the first. values: of the leaves. expected: the mean of the training rows'.
    """

    nodes: Sequence[Node]
    splits: npt.NDArray[np.int64]
    thresholds: Floats
    words: npt.NDArray[np.uint32]
    children: npt.NDArray[np.int64]
    values: Floats
    expected: float


def names_of(text: str) -> tuple[str, ...]:
    """The features that a model's text reads, in their order; none where it does not say."""
    _, _, names = text.partition("\nTree=")[0].partition("\nfeature_names=")
    return tuple(names.partition("\n")[0].split())


def trees_of(text: str) -> list[Tree]:
    """The trees of a model's text, in their order. ModelMismatchError: leaves that hold lines instead of a value."""
    blocks = text.partition("\nend of trees")[0].split("\nTree=")[1:]
    rows = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in blocks]
    if any(row.get("is_linear", "0") != "0" for row in rows):
        raise ModelMismatchError("the model has linear trees, this code explains plain ones; train it again", field="booster.txt")
    return [_tree(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Children:
    """Where the splits of a tree lead, and what is there: a child below 0 is a leaf, and counts from the end."""

    feature: Sequence[int]
    left: Sequence[int]
    right: Sequence[int]
    counts: Sequence[float]
    values: Sequence[float]

    def visit(self, split: int, place: int, above: Mapping[int, int], nodes: list[Node]) -> None:
        """Note what a split leads to, and all below. `place`: its own node; `above`: the nearest node of each feature."""
        feature = self.feature[split]
        earlier = above.get(feature, 0)
        for left, child in ((1, self.left[split]), (0, self.right[split])):
            share = self.counts[child] / self.counts[split] * nodes[earlier].share
            below = {**above, feature: len(nodes)}
            nodes.append(Node(place, earlier, split, left, share, self.values[child], len(below)))
            if child >= 0:
                self.visit(child, below[feature], below, nodes)


def _tree(row: Mapping[str, str]) -> Tree:
    def numbers(name: str) -> list[float]:
        return [float(each) for each in row.get(name, "").split()]

    def whole(name: str) -> list[int]:
        return [int(each) for each in row.get(name, "").split()]

    feature, kind, inner, leaves = whole("split_feature"), whole("decision_type"), numbers("internal_count"), numbers("leaf_count")
    left, right, values = whole("left_child"), whole("right_child"), numbers("leaf_value")
    nodes = [Node(0, 0, 0, 0, 1.0, 0.0, 0)]
    if inner:
        counts, ends = [*inner, *reversed(leaves)], [*[0.0] * len(inner), *reversed(values)]
        _Children(feature, left, right, counts, ends).visit(0, 0, {}, nodes)
    thresholds, bounds = numbers("threshold"), whole("cat_boundaries")
    spans = [(bounds[int(at)], bounds[int(at) + 1]) if each & CATEGORY else (0, 0) for each, at in zip(kind, thresholds, strict=True)]
    splits = [(*each, start, end - start) for *each, (start, end) in zip(feature, kind, spans, strict=True)]
    return Tree(
        nodes,
        np.array(splits, np.int64).reshape(-1, 4),
        np.array(thresholds, np.float64),
        np.array(whole("cat_threshold"), np.uint32),
        np.array([left[: len(inner)], right[: len(inner)]], np.int64).T,
        np.array(values, np.float64),
        sum(count / inner[0] * value for count, value in zip(leaves, values, strict=True)) if inner else values[0],
    )
