"""The rings of an installation are those of the data set that it was told."""

from datetime import UTC, datetime

import polars as pl

from features.projection import currency_of
from graph.hubs import SENTENCE, kind_of
from graph.rings import build_rings
from risk.jobs.home_rings import build_from, stored_tables
from risk.jobs.load_history import load_tables
from risk.simulator.simulate import simulate
from risk.stores.database import Database
from risk.stores.ring_builds import RingBuilds

END = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_store_finds_the_rings_of_its_data_set_by_sentences_too(database: Database) -> None:
    tables = {name: frame for name, frame in simulate(20_000, 200, 3, END).items() if name != "truth"}
    load_tables(tables, database, currency_of(tables))
    named = {name: tables[name].drop_nulls("account_id") for name in ("refund_requests", "links")}
    expected = build_rings(tables | named, END).rings
    with database.reading() as connection:
        assert build_rings(stored_tables(database, connection), END).rings == expected
    assert any(kind_of(held.entity_type, held.entity_id) == SENTENCE for ring in expected for held in ring.entities)
    found = build_from(database, END)
    assert (found.found, found.listed) == (len(expected), sum(ring.listed for ring in expected))
    kept = RingBuilds(database).latest()
    assert kept is not None
    assert kept.rings == tuple(ring for ring in kept.rings if 0.0 <= ring.score <= 1.0)
    assert pl.Series([ring.score for ring in kept.rings]).is_sorted(descending=True)
