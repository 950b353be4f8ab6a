"""A node table and an edge list become an account graph; every row that cannot be used is listed with its reason."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from data_contracts.errors import ContractError
from risk.jobs.account_table import EDGES, NODES, account_table
from risk.jobs.import_report import ImportReport
from risk.jobs.import_tables import import_source

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
NODE_MAP = '[nodes]\nfile = "n.csv"\naccount_id = "id"\n[nodes.label]\ncolumn = "class"\npositive = [1]\nnegative = [2]\n'
NODE_MAP += '[nodes.attributes]\nnumeric = ["age"]\ncategorical = ["land"]\n'
PAIRS = '[edges]\nfile = "e.csv"\naccount_id = "from"\nother_id = "to"\n'
USES = '[edges]\nfile = "e.csv"\naccount_id = "from"\nentity_id = "to"\ntype = "kind"\nknown_at = "when"\n[edges.types]\nhandset = "device"\n'
GOOD_NODES = "id,class,age,land\na,1,3.5,DE\nb,2,,\nc,unknown,7,CN\n"


def take(folder: Path, mapping: str, nodes: str, edges: str) -> ImportReport:
    (folder / "n.csv").write_text(nodes)
    (folder / "e.csv").write_text(edges)
    (folder / "map.toml").write_text(mapping)
    report = import_source(folder / "map.toml", folder, folder / "out", now=NOW)
    assert report.accepted + report.rejected == report.rows
    return report


def rejects(folder: Path, name: str) -> list[tuple[object, ...]]:
    path = folder / "out" / "rejects" / f"{name}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["row"], line["field"], line["got"]) for line in lines]


def test_nodes_and_edges_come_as_they_are_told(tmp_path: Path) -> None:
    report = take(tmp_path, NODE_MAP + PAIRS, GOOD_NODES, "from,to\na,b\nb,c\na,b\n")
    assert (report.rejected, report.tables) == (0, {"account_nodes": 3, "account_edges": 2})
    assert report.identifiers == {"edges": {"kept": 2, "repeated": 1}}
    nodes = pl.read_parquet(tmp_path / "out" / NODES)
    assert nodes.rows() == [("a", 1.0, 3.5, "DE"), ("b", 0.0, None, None), ("c", None, 7.0, "CN")]
    table = account_table(tmp_path / "out")
    assert table.nodes.columns == ["account_id", "label", "attribute_age", "attribute_land"]
    assert table.ties.near.toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_bad_nodes_are_rejected_each_with_its_reason(tmp_path: Path) -> None:
    nodes = "id,class,age,land\n0000,1,1,\nunknown,1,1,\n,1,1,\na,1,old,\nb,1,1,\nb,2,1,\n7,1,1,\n1234,2,2,\n"
    take(tmp_path, NODE_MAP + PAIRS, nodes, "from,to\n")
    assert rejects(tmp_path, "account_nodes") == [
        (1, "account_id", "0000"),
        (2, "account_id", "unknown"),
        (3, "account_id", None),
        (4, "age", "old"),
        (6, "account_id", "b"),
    ]
    assert pl.read_parquet(tmp_path / "out" / NODES)["account_id"].to_list() == ["b", "7", "1234"]


def test_bad_edges_are_rejected_each_with_its_reason(tmp_path: Path) -> None:
    edges = (
        "from,to,kind,when\n"
        "a,h-1,handset,2026-01-01T00:00:00Z\n"
        "a,a,device,\n"
        "a,0000,device,\n"
        "b,h-1,spaceship,\n"
        "b,h-1,device,2027-01-01T00:00:00Z\n"
        "b,h-1,device,2026-01-31T08:04:00Z\n"
        "b,h-1,device,soon\n"
        ",h-1,device,\n"
    )
    take(tmp_path, NODE_MAP + USES, GOOD_NODES, edges)
    assert rejects(tmp_path, "account_edges") == [
        (2, "entity_id", "a"),
        (3, "entity_id", "0000"),
        (4, "entity_type", "spaceship"),
        (5, "known_at", "2027-01-01T00:00:00Z"),
        (7, "known_at", "soon"),
        (8, "account_id", None),
    ]
    assert pl.read_parquet(tmp_path / "out" / EDGES).rows() == [("a", None, "device", "h-1"), ("b", None, "device", "h-1")]
    assert account_table(tmp_path / "out").ties.near.sum() == 2


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (NODE_MAP, "edges is missing"),
        (NODE_MAP + PAIRS + 'entity_id = "to"\n', "a second end"),
        (NODE_MAP + PAIRS.replace("other_id", "entity_id"), "its type"),
        (NODE_MAP.replace("negative = [2]", "negative = [1]") + PAIRS, "positive and negative"),
        (NODE_MAP.replace('numeric = ["age"]', 'numeric = ["label"]') + PAIRS, "name of a column of ours"),
        (NODE_MAP + PAIRS + 'colour = "red"\n', "colour"),
    ],
)
def test_a_map_that_cannot_be_is_refused_before_a_row_is_read(tmp_path: Path, mapping: str, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        take(tmp_path, mapping, GOOD_NODES, "from,to\n")
    assert not (tmp_path / "out").exists()


def test_the_map_that_ships_fits_what_it_describes(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "data_contracts" / "import_maps" / "account_graph.toml"
    (tmp_path / "nodes.csv").write_text("id,class,age_days,orders,claims,country\n1,1,3,1,1,DE\n2,0,400,20,1,\n3,,,,,\n")
    (tmp_path / "edges.csv").write_text("source,target\n1,2\n2,3\n3,3\n")
    report = import_source(shipped, tmp_path, tmp_path / "out", now=NOW)
    assert (report.accepted, report.rejected) == (5, 1)
