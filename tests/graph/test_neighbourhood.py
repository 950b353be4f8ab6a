import polars as pl
import pytest

from data_contracts.errors import ContractError
from data_contracts.link import EntityType
from data_contracts.timeline import Entity
from graph.neighbourhood import MOST_NODES, Lens, neighbourhood
from tests.graph.histories import at, history, label, link, request
from tests.graph.ring_stories import ring_world
from tests.graph.table_links import TableLinks

NOW = at(1_000)
M0 = Entity(EntityType.ACCOUNT, "m0")


def test_a_view_holds_what_is_around_and_why_it_counts() -> None:
    view = neighbourhood(TableLinks(ring_world(), NOW), M0, NOW)
    assert {node.entity.id for node in view.nodes} == {"m0", "m1", "m2", "m3", "ring-device", "ring-card"}
    assert {(edge.account_id, edge.entity.id) for edge in view.edges} == {(f"m{n}", e) for n in range(4) for e in ("ring-device", "ring-card")}
    assert [node.standing.confirmed for node in view.nodes if node.entity.id in ("m0", "m1", "m2")].count(1) == 2
    assert all(-1 <= node.x <= 1 and -1 <= node.y <= 1 for node in view.nodes)
    assert (view.left_out, view.unread) == (0, 0)
    assert view == neighbourhood(TableLinks(ring_world(), NOW), M0, NOW)


def test_a_view_of_the_past_holds_nothing_later() -> None:
    links = TableLinks(ring_world(), NOW)
    view = neighbourhood(links, M0, at(52))
    assert {node.entity.id for node in view.nodes} == {"m0", "m1", "ring-device"}
    assert len(neighbourhood(links, M0, at(0)).nodes) == 1


def test_next_to_a_hub_the_view_stays_bounded_and_counts_the_rest() -> None:
    many = [link(f"a{number:04}", "locker", number / 100, "address") for number in range(2_000)]
    links = TableLinks(history([request("r", "a1999", 30)], many, [label("r", "abuse", 40)]), NOW)
    view = neighbourhood(links, Entity(EntityType.ACCOUNT, "a0000"), NOW)
    assert len(view.nodes) <= MOST_NODES
    assert view.nodes[2].entity.id == "a1999"
    assert view.unread == 1_700
    assert view.left_out > 0
    assert "strangers" in view.edges[0].why


def test_bad_questions_are_refused_and_an_unknown_node_is_alone() -> None:
    links = TableLinks({"refund_requests": pl.DataFrame(ring_world()["refund_requests"])}, NOW)
    for hops, limit in ((0, 10), (9, 10), (1, 0), (1, 301)):
        with pytest.raises(ContractError):
            neighbourhood(links, M0, NOW, Lens(hops, limit))
    with pytest.raises(ContractError):
        neighbourhood(links, Entity(EntityType.SKU, "x"), NOW)
    assert len(neighbourhood(links, M0, NOW).nodes) == 1
