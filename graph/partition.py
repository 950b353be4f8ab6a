"""Components of a plain edge list, when nobody asks when: a union-find of one array, without times, totals and hubs."""

import numpy as np

from data_contracts.machine_code import compiled
from graph.union_find import Codes, Ints

Parents = Codes | Ints


def partition(one: Ints, other: Ints, nodes: int) -> Ints:
    """The component of each node, named by its smallest node, from edges between `one` and `other` (0 to nodes - 1).

    A self-link joins nothing, an edge given twice joins once. ValueError: a node out of range, or lists of different lengths.
    """
    if len(one) != len(other):
        message = f"{len(one)} beginnings and {len(other)} ends of edges; expected as many of each"
        raise ValueError(message)
    ends = np.ascontiguousarray(one, dtype=np.int64), np.ascontiguousarray(other, dtype=np.int64)
    parent: Parents = np.arange(nodes, dtype=np.int32) if nodes < np.iinfo(np.int32).max else np.arange(nodes, dtype=np.int64)
    if not _join_all(*ends, parent):
        message = f"an edge names a node that there is not; expected 0 to {nodes - 1}"
        raise ValueError(message)
    _name_all(parent)
    return parent.astype(np.int64)


@compiled
def _join_all(ones: Ints, others: Ints, parent: Parents) -> bool:
    """Hang the root of the larger name under the smaller one, edge by edge; every step halves the path it takes. False: a node is out of range."""
    nodes = len(parent)
    for place in range(len(ones)):
        one, other = ones[place], others[place]
        if one < 0 or other < 0 or one >= nodes or other >= nodes:
            return False
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one < other:
            parent[other] = one
        else:
            parent[one] = other
    return True


@compiled
def _name_all(parent: Parents) -> None:
    """A parent has a smaller name than its child, so one pass upwards finds every root."""
    for node in range(len(parent)):
        parent[node] = parent[parent[node]]
