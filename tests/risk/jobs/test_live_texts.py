"""A wording has the id in the service that it had in the past that was loaded."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from graph.templates import Templates
from risk.api.edge import Edge
from risk.identity import Identifiers
from risk.jobs.import_tables import KEY_VARIABLE
from risk.jobs.live_texts import live_templates
from risk.jobs.load_history import load_tables
from risk.stores.database import Database
from tests.risk.api.test_identifiers import body
from tests.risk.jobs.import_shop import KEY, REQUEST, Shop

SAID = "the parcel {} never arrived at my door and the carrier could not help, kindly refund to the original payment method"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_script_goes_on_under_the_id_that_import_gave_it(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    shop = Shop(tmp_path)
    rows = [
        ("r2", "2026-02-01T08:00:00Z", SAID.format("7").replace("kindly", "please")),
        ("r1", "2026-01-01T08:00:00Z", SAID.format("12345")),
        ("r3", "2026-03-01T08:00:00Z", "the lamp came without its shade"),
    ]
    source = pl.DataFrame(rows, schema=["id", "when", "text"], orient="row")
    shop.take(REQUEST + 'text = "text"\n', source, "source.parquet")
    for _ in range(2):  # loading twice changes nothing
        load_tables(shop.tables(), database, None)
    links = dict(shop.tables()["links"].select("request_id", "entity_id").rows())
    assert links["r1"] == links["r2"] != links["r3"]
    edge = Edge(Identifiers(lambda _, raw: raw), timedelta(0), live_templates(database))
    again = edge.question(
        body(text=f"Dear shop, {SAID.format('99-1').replace('could not help', 'cannot help')}!", occurred_at="2026-05-01T00:00:00Z"), NOW
    )
    assert [link.entity_id for link in again.links] == [links["r1"]]


def test_an_empty_store_knows_no_template(database: Database) -> None:
    assert live_templates(database).id_of(SAID) == Templates().id_of(SAID)
