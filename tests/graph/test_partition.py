import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.partition import partition


@given(st.integers(1, 40), st.data())
@settings(max_examples=80, deadline=None)
def test_a_partition_is_that_of_networkx_named_by_the_smallest_node(nodes: int, data: st.DataObject) -> None:
    edges = data.draw(st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)), max_size=60))
    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    expected = {node: min(group) for group in nx.connected_components(graph) for node in group}
    one, other = (np.array([edge[end] for edge in edges], dtype=np.int64) for end in (0, 1))
    assert partition(one, other, nodes).tolist() == [expected[node] for node in range(nodes)]


@pytest.mark.parametrize(("one", "other"), [([0], [3]), ([-1], [0]), ([0, 1], [1])])
def test_an_edge_to_nowhere_is_refused(one: list[int], other: list[int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        partition(np.array(one), np.array(other), 3)
