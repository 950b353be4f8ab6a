"""What analysts say reaches training as it reached serving: refuted links join nobody, judged labels count after they were said."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest

from data_contracts.link import EntityType
from features.batch import compute_batch
from features.catalog import FEATURES
from features.online import compute
from features.projection import currency_of
from graph.components import COMPONENT_FEATURES
from graph.judged_labels import labels_of
from graph.judgements import FILE, Judgement, Subject, Verdict, append
from graph.neighbours import AGGREGATES
from risk.api.decisions import REQUEST
from risk.api.edge import Edge
from risk.gather import Gatherer
from risk.identity import Identifiers
from risk.ingest import Ingest
from risk.jobs.bodies import bodies
from risk.jobs.build_features import build_features, features_of, graph_facts
from risk.jobs.live_graph import LiveGraph
from risk.jobs.load_history import load_history, load_tables
from risk.jobs.read_tables import write_tables
from risk.judged import ingest_judgements
from risk.simulator.simulate import simulate
from risk.stores.database import Database, open_database
from risk.stores.history import History
from risk.stores.ring_builds import RingBuilds

pytestmark = pytest.mark.filterwarnings(
    "default::DeprecationWarning:feast",  # Feast's own modules, on import
    "default::DeprecationWarning:ibis",  # ibis 12 calls duckdb 2 by an older name
)

Tables = dict[str, pl.DataFrame]
EDGE = Edge(Identifiers(lambda _, raw: raw), timedelta(0))
END = datetime(2026, 11, 1, tzinfo=UTC)
OF_THE_GRAPH = [*COMPONENT_FEATURES, *(each.name for each in AGGREGATES)]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return {name: frame for name, frame in simulate(4_000, 120, 3, END).items() if name != "truth"}


@pytest.fixture(scope="module")
def database(database_url: str, tables: Tables) -> Iterator[Database]:
    opened = open_database(database_url, 5_000)
    load_tables(tables, opened, currency_of(tables), replayable=True)
    yield opened
    opened.close()


def some_words(tables: Tables, random: Random, count: int = 40) -> list[Judgement]:
    """Words on links and entities that two accounts or more share, and on rings of two claimants, at any moment of the period."""
    shared = tables["links"].drop_nulls("account_id").filter(pl.col("entity_type").is_in(["device", "card", "phone", "address"]))
    shared = shared.filter(pl.col("account_id").n_unique().over("entity_type", "entity_id") > 1).sort("known_at", "entity_id")
    claimants = sorted(set(tables["refund_requests"]["account_id"].drop_nulls()))
    found = []
    for _ in range(count):
        row = shared.row(random.randrange(shared.height), named=True)
        subject = random.choice(list(Subject))
        at = END - timedelta(days=random.uniform(0, 100))
        about: dict[str, object] = {"entity_type": EntityType(row["entity_type"]), "entity_id": row["entity_id"]}
        if subject is Subject.RING:
            about = {"ring_id": f"ring_{random.random()}", "members": tuple(random.sample(claimants, 2))}
        elif subject is Subject.LINK:
            about["account_id"] = row["account_id"]
        verdict = random.choice([Verdict.REFUTED, Verdict.REFUTED, Verdict.CONFIRMED])
        until = random.choice([None, at + timedelta(days=20)])
        found.append(Judgement(subject=subject, verdict=verdict, by="mei", why="A dormitory.", at=at, until=until, **about))  # type: ignore[arg-type]  # named above
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_training_sees_of_judgements_what_serving_saw(tables: Tables, database: Database, seed: int) -> None:
    """Each seed says more on the same store: what was said before stays."""
    builds = RingBuilds(database)
    for word in some_words(tables, Random(seed)):  # noqa: S311  # no secret hangs on it
        builds.judge(word)
    with database.reading() as connection:
        said = builds.judgements(connection)
    ingest_judgements(Ingest(History(database), currency_of(tables)), said)
    labelled = tables
    for word in sorted(said, key=lambda each: each.at):
        labelled = labelled | {"labels": pl.concat([labelled["labels"], labels_of(labelled, [word])])}
    assert labelled["labels"].height > tables["labels"].height
    batch = {row["request_id"]: row for row in compute_batch(labelled, graph_facts(labelled, said), None).iter_rows(named=True)}
    plain = {row["request_id"]: row for row in graph_facts(tables).iter_rows(named=True)}
    graph = LiveGraph(History(database))
    source = Gatherer(History(database), None, graph, currency_of(tables))
    asked = _fully_known(tables)
    for body in bodies(tables, asked["request_id"].to_list()):
        as_of = asked.row(by_predicate=pl.col("request_id") == body["request_id"], named=True)["known_at"]
        found = compute(source.gather(EDGE.question(REQUEST.validate_json(json.dumps(body)), as_of))).values
        row = batch[str(body["request_id"])]
        wrong = {each.name: (found[each.name], row[each.name]) for each in FEATURES if _plain(found[each.name]) != _plain(row[each.name])}
        assert wrong == {}, body["request_id"]
    assert any(row[name] != plain[request_id][name] for request_id, row in batch.items() for name in OF_THE_GRAPH)


def _plain(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _fully_known(tables: Tables) -> pl.DataFrame:
    """Requests of which nothing became known after they were asked: a body says all that its caller knows."""
    asked = tables["refund_requests"].select("request_id", "known_at")
    for name in ("evidence", "observations", "measurements", "links"):
        late = tables[name].join(asked, on="request_id", suffix="_asked").filter(pl.col("known_at") > pl.col("known_at_asked"))
        asked = asked.join(late, on="request_id", how="anti")
    return asked.sort("known_at")


def test_a_data_sets_judgements_are_in_its_features_and_go_with_its_history(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFUND_RISK_DATABASE_URL", raising=False)
    folder, said = tmp_path / "market", some_words(tables, Random(7))  # noqa: S311  # no secret hangs on it
    write_tables(tables, folder)
    for word in said:
        append(folder / FILE, word)
    assert build_features(folder).equals(features_of(tables, said))
    assert not build_features(folder).equals(features_of(tables))
    middle = END - timedelta(days=50)
    early = sum(word.at < middle for word in said)
    assert [load_history(folder, tmp_path / "home", until)["judgements"] for until in (middle, None, None)] == [early, len(said) - early, 0]
