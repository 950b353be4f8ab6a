"""A model of accounts on a graph that stands still, and that no label of a test account comes back to it through its neighbours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data_contracts.errors import ContractError, ModelMismatchError
from graph.account_aggregates import HUB, attribute_aggregates, label_aggregates, society, units, without_ties_across
from models.ranker.artifact import load
from risk.jobs.account_table import EDGES, NODES, AccountTable, account_table
from risk.jobs.train_accounts import _held_out, _shown_labels, frame_of, score_accounts, train_accounts

ACCOUNTS, RINGS = 1_600, 320


def graph(folder: Path, seed: int = 3, *, telling: bool = True) -> Path:
    """Groups of five tied in a circle; what makes a group abusive shows weakly on each member, clearly on all of them together."""
    rng = np.random.default_rng(seed)
    group = np.arange(ACCOUNTS) // (ACCOUNTS // RINGS)
    bad = (rng.random(RINGS) < 0.3)[group]
    names = [f"n{number:04}" for number in range(ACCOUNTS)]
    hint = rng.normal(size=ACCOUNTS) + (1.0 * bad if telling else 0.0)
    label = np.where(rng.random(ACCOUNTS) < 0.8, bad.astype(float), np.nan)
    nodes = pl.DataFrame({"account_id": names, "label": pl.Series(label, nan_to_null=True), "hint": hint, "land": rng.choice(["DE", "CN"], ACCOUNTS)})
    ring = [(place, place + 1 if (place + 1) % 5 else place - 4) for place in range(ACCOUNTS)]
    none = pl.lit(None, pl.String)
    edges = pl.DataFrame({"account_id": [names[a] for a, _ in ring], "other_id": [names[b] for _, b in ring]})
    folder.mkdir(parents=True, exist_ok=True)
    nodes.write_parquet(folder / NODES)
    edges.with_columns(entity_type=none, entity_id=none).write_parquet(folder / EDGES)
    return folder


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = graph(tmp_path_factory.mktemp("graph"))
    return folder, folder / "model"


def test_neighbours_help_where_a_group_shows_what_one_account_does_not(learnt: tuple[Path, Path]) -> None:
    report = train_accounts(*learnt)
    assert report.gain.auc["value"] > 0.05
    assert report.gain.auc["ci"][0] > 0  # type: ignore[index]  # a pair of numbers
    assert report.with_neighbours.ap["value"] > report.without_neighbours.ap["value"]  # type: ignore[operator]  # numbers
    assert report.held_out["components"] > 20
    assert (report.accounts, report.edges) == (ACCOUNTS, ACCOUNTS)
    assert load(learnt[1]).version == report.version


def test_accounts_are_scored_with_reasons_by_feature(learnt: tuple[Path, Path], tmp_path: Path) -> None:
    folder, model = learnt
    if not model.exists():
        train_accounts(folder, model)
    told = score_accounts(folder, model, tmp_path / "scores.parquet")
    scored = pl.read_parquet(tmp_path / "scores.parquet")
    assert told["accounts"] == scored.height == ACCOUNTS
    assert scored["rank"].to_list() == list(range(1, ACCOUNTS + 1))
    assert scored["score"].is_between(0, 1).all()
    assert scored["score"].is_sorted(descending=True)
    first = scored["reasons"][0].to_list()
    assert 0 < len(first) <= 5
    assert {"feature", "reason", "value", "log_odds"} == set(first[0])
    nodes = pl.read_parquet(folder / NODES).drop("hint")
    nodes.write_parquet(tmp_path / NODES)
    with pytest.raises(ModelMismatchError, match="attribute_hint"):
        score_accounts(tmp_path, model, tmp_path / "scores.parquet")


def test_no_label_of_a_held_out_account_moves_anything_it_is_judged_by(tmp_path: Path) -> None:
    """Turn every held-out label round: what the model sees of any account stays as it is."""
    table = account_table(graph(tmp_path))
    unit = units(table.ties, 1)
    held = _held_out(unit, ~np.isnan(table.abuse), 0.25, 1)
    turned = AccountTable(
        table.nodes.with_columns(label=pl.when(pl.Series(held)).then(1.0 - pl.col("label")).otherwise("label")), table.ties, table.edges
    )
    ties = without_ties_across(table.ties, held)
    seen, other = (frame_of(each, ties, _shown_labels(each, ties, unit, ~held, 1)) for each in (table, turned))
    assert not table.nodes["label"].equals(turned.nodes["label"], null_equal=True)
    assert seen.equals(other, null_equal=True)


def test_an_accounts_own_label_never_comes_back_to_it(tmp_path: Path) -> None:
    table = account_table(graph(tmp_path))
    unit = units(table.ties, 1)
    everyone = np.ones(ACCOUNTS, dtype=bool)
    shown = _shown_labels(table, table.ties, unit, everyone, 1)
    for place in (0, 7, 500, 1_599):
        turned = np.where(np.isnan(table.abuse), 0.0, 1.0 - table.abuse)
        label = [turned[place] if each == place else value for each, value in enumerate(table.nodes["label"])]
        other = replace(table, nodes=table.nodes.with_columns(label=pl.Series(label, dtype=pl.Float64)))
        again = _shown_labels(other, table.ties, unit, everyone, 1)
        for name, column in shown.items():
            assert np.array_equal(column[place : place + 1], again[name][place : place + 1], equal_nan=True)


def test_a_graph_that_tells_nothing_gives_nothing(tmp_path: Path) -> None:
    """With labels of whole groups and hints of noise alone, held-out groups cannot be told apart: anything better would be a leak."""
    report = train_accounts(graph(tmp_path / "g", telling=False), tmp_path / "model")
    low, high = report.with_neighbours.auc["ci"]  # type: ignore[misc]  # a pair of numbers
    assert low < 0.5 < high


def test_a_graph_of_one_component_is_cut_into_communities_and_no_tie_crosses() -> None:
    chain = np.arange(399)
    found = society(400, (chain, chain + 1), (np.zeros(0, np.int64), np.zeros(0, np.int64)))
    unit = units(found, 1)
    assert 4 < len(np.unique(unit)) < 100
    side = np.isin(unit, np.unique(unit)[::2])
    cut = without_ties_across(found, side).near.tocoo()
    assert (side[cut.row] == side[cut.col]).all()
    assert np.array_equal(unit, units(found, 1))


def test_a_hub_ties_nobody_and_is_counted_and_ties_to_oneself_say_nothing() -> None:
    crowd = np.arange(HUB + 5)
    found = society(HUB + 5, (np.array([0, 1, 1]), np.array([0, 2, 2])), (np.append(crowd, [3, 4, 3]), np.append(crowd * 0, [1, 1, 1])))
    assert found.near.toarray()[:6, :6].astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert set(found.hubs.tolist()) == {1}


def test_aggregates_by_hand() -> None:
    found = society(4, (np.array([0, 1, 2]), np.array([1, 2, 3])), (np.zeros(0, np.int64), np.zeros(0, np.int64)))
    made = attribute_aggregates(found, pl.DataFrame({"x": [1.0, None, 5.0, 9.0]}))
    assert made["near_accounts"].tolist() == [1, 2, 2, 1]
    assert made["near_x_mean"].tolist()[1:] == [3.0, 9.0, 5.0]
    assert np.isnan(made["near_x_mean"][0])
    assert made["far_x_sum"].tolist() == [5.0, 9.0, 1.0, pytest.approx(np.nan, nan_ok=True)]
    said = label_aggregates(found, np.array([1.0, np.nan, 0.0, 1.0]))
    assert said["near_abuse_share"].tolist() == pytest.approx([np.nan, 0.5, 1.0, 0.0], nan_ok=True)


def test_what_cannot_be_learnt_is_refused(tmp_path: Path) -> None:
    folder = graph(tmp_path)
    with pytest.raises(ContractError, match="test share"):
        train_accounts(folder, tmp_path / "m", test_share=1.0)
    nodes = pl.read_parquet(folder / NODES)
    nodes.with_columns(label=pl.lit(1.0)).write_parquet(folder / NODES)
    with pytest.raises(ContractError, match="some of each"):
        train_accounts(folder, tmp_path / "m")
