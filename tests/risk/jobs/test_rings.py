from pathlib import Path

import networkx as nx
import pytest

from data_contracts.errors import ContractError, NotFoundError
from graph.judgements import Verdict
from risk.jobs.read_tables import write_tables
from risk.jobs.rings import Said, history_of, judge_ring, ring, rings
from tests.graph.histories import at
from tests.graph.ring_stories import ring_world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tables(ring_world(), tmp_path)
    return tmp_path


def test_rings_keep_their_names_from_build_to_build(folder: Path) -> None:
    first, second = rings(folder, at(500)), rings(folder)
    assert (first.found, first.listed, first.members) == (1, 1, 4)
    assert second.as_of < first.as_of
    third = rings(folder, at(600))
    assert third.rings[0]["ring_id"] == first.rings[0]["ring_id"]
    assert third.turns == {"same": 1}
    assert [step.turn for step in history_of(folder, third.rings[0]["ring_id"])] == ["born", "same"]


def test_a_build_made_again_is_the_same_file(folder: Path) -> None:
    path = Path(rings(folder, at(500)).build)
    first = path.read_bytes()
    rings(folder, at(500))
    assert path.read_bytes() == first


def test_a_ring_is_drawn_and_exported(folder: Path, tmp_path: Path) -> None:
    ring_id = rings(folder, at(500)).rings[0]["ring_id"]
    found = ring(folder, ring_id, tmp_path / "ring.png", tmp_path / "ring.graphml")
    assert found["sentences"][0].startswith("4 accounts, 1 device, 1 card")
    assert (tmp_path / "ring.png").read_bytes().startswith(b"\x89PNG")
    graph = nx.read_graphml(tmp_path / "ring.graphml")
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (6, 8)
    ring(folder, ring_id, export=tmp_path / "ring.gexf")
    assert nx.read_gexf(tmp_path / "ring.gexf").number_of_edges() == 8
    ring(folder, ring_id, export=tmp_path / "ring.csv")
    assert len((tmp_path / "ring.csv").read_text().splitlines()) == 9
    with pytest.raises(ContractError, match="expected one of"):
        ring(folder, ring_id, export=tmp_path / "ring.doc")


def test_a_refuted_ring_is_not_listed_again_and_the_judgement_stays(folder: Path) -> None:
    ring_id = rings(folder, at(500)).rings[0]["ring_id"]
    judge_ring(folder, ring_id, Said(Verdict.REFUTED, "ana", "a family", at(510)))
    report = rings(folder, at(520))
    assert (report.found, report.listed) == (1, 0)
    assert [said["why"] for said in ring(folder, ring_id)["judgements"]] == ["a family"]


def test_a_ring_that_is_not_there_is_not_found(folder: Path) -> None:
    with pytest.raises(NotFoundError, match="no rings yet"):
        ring(folder, "ring_x")
    rings(folder, at(500))
    with pytest.raises(NotFoundError, match="no ring ring_x"):
        ring(folder, "ring_x")


def test_a_damaged_build_is_named(folder: Path) -> None:
    path = Path(rings(folder, at(500)).build)
    path.write_text('{"as_of": ')
    with pytest.raises(ContractError, match="no build of rings"):
        rings(folder, at(600))
