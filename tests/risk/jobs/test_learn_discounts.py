"""The service learns each month's discount by itself, as training learns it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import polars as pl
import pytest

from data_contracts.discount import HOLDS_AFTER, newest
from features.projection import currency_of
from risk.home import database_url
from risk.jobs.build_features import discounts_for
from risk.jobs.learn_discounts import LearnDiscounts, due, learn
from risk.jobs.load_history import load_tables
from risk.settings import Settings
from risk.simulator.simulate import simulate
from risk.stores.database import Database, open_database
from risk.stores.discounts import SETTLED, StoredDiscounts

Tables = dict[str, pl.DataFrame]
END = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = datetime(2026, 10, 1, tzinfo=UTC)
WAIT_S = 60


@pytest.fixture(scope="module")
def tables() -> Tables:
    return {name: frame for name, frame in simulate(20_000, 150, 3, END).items() if name != "truth"}


@pytest.fixture(scope="module")
def store(database_url: str, tables: Tables) -> Iterator[Database]:
    opened = open_database(database_url, 5_000)
    load_tables(tables, opened, currency_of(tables), replayable=True)
    yield opened
    opened.close()


def test_a_service_learns_from_its_store_what_training_learns_from_the_tables(store: Database, tables: Tables, tmp_path: Path) -> None:
    expected = discounts_for(tables)
    assert len(expected) > 4
    assert any(each.weights != expected[0].weights for each in expected)
    kept = StoredDiscounts(tmp_path)
    for each in expected:
        moment = each.at + SETTLED
        assert due(store, kept, moment) or each is expected[0]
        learn(store, kept, moment)
        assert not due(store, kept, moment + timedelta(days=27))
        assert newest(kept.all(), each.at + HOLDS_AFTER) == each
    assert kept.all() == expected


def test_a_month_is_learned_only_when_all_that_came_before_it_is_in_the_store(store: Database, tmp_path: Path) -> None:
    kept = StoredDiscounts(tmp_path)
    learn(store, kept, MONTH - timedelta(days=3))
    assert not due(store, kept, MONTH + SETTLED - timedelta(microseconds=1))
    assert due(store, kept, MONTH + SETTLED)


def test_nothing_is_due_where_nobody_asked(database: Database, tmp_path: Path) -> None:
    assert not due(database, StoredDiscounts(tmp_path), END)
    assert learn(database, StoredDiscounts(tmp_path), END) == 0


def test_a_running_service_learns_the_month_that_begins(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFUND_RISK_DATABASE_URL", raising=False)
    opened = open_database(database_url(tmp_path, Settings()), 5_000)
    load_tables(tables, opened, currency_of(tables), replayable=True)
    kept = StoredDiscounts(tmp_path)
    learn(opened, kept, MONTH - timedelta(days=3))
    before, now = len(kept.all()), [MONTH - timedelta(days=3)]
    beside = LearnDiscounts(tmp_path, Settings(), lambda: now[0], every_s=0.05)
    beside.start()
    try:
        sleep(0.3)
        assert len(kept.all()) == before
        now[0] = MONTH + SETTLED
        until = monotonic() + WAIT_S
        while len(kept.all()) == before and monotonic() < until:
            sleep(0.05)
    finally:
        beside.stop()
        opened.close()
    assert kept.all() == tuple(each for each in discounts_for(tables) if each.at <= MONTH)
