"""Migrations on both databases: the revisions give what the code declares, all or nothing, once, and never backwards."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from setuptools import find_packages
from sqlalchemy import Column, Connection, Table, inspect, text

from data_contracts.errors import ContractError
from data_contracts.link import EntityType, Link
from data_contracts.timeline import NEVER, Entity
from features.streams import link_events
from risk.ledger import DECISION_COLUMNS, Ledger
from risk.ledger_chain import GENESIS, row_hash, verify
from risk.stores import tables
from risk.stores.database import Database, connect, open_database
from risk.stores.history import EPOCH, EVENT_COLUMNS, History
from risk.stores.links import LINK_COLUMNS, StoredLinks, row_of
from risk.stores.migrate import FOLDER, State, revisions, standing, upgrade
from risk.stores.migrations.versions import r0001_baseline as baseline
from risk.stores.newest import newest
from risk.stores.turns import Feed, newest_turn
from tests.graph.histories import START, at
from tests.risk.stores.shapes import Shape, shape_of

STARTS = """
import sys
from risk.stores.database import open_database
open_database(sys.argv[1], 30_000).close()
"""
KILLED = """
import os, sys
from risk.stores.database import connect
from risk.stores import migrate
database = connect(sys.argv[1], 5_000)
with database.writing() as connection:
    migrate.upgrade(connection)
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def bare(empty_url: str) -> Iterator[Database]:
    """A database with nothing in it, of each kind in turn."""
    opened = connect(empty_url, 5_000)
    yield opened
    opened.close()


def shape(database: Database) -> Shape:
    with database.reading() as connection:
        return shape_of(connection)


def state(database: Database) -> State:
    with database.reading() as connection:
        return standing(connection).state


def alembic(connection: Connection) -> Config:
    """The revisions, to be run one by one."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    return config


def before_migrations(database: Database) -> None:
    """A store as the version before migrations left it, with a policy in it."""
    with database.writing() as connection:
        baseline.then.create_all(connection)
        database.add(connection, tables.policies, ("version", "body"), ("v1", "kept"))


OLD_CONTENT = ("decision_id", "request_id", "revision", "payload_sha256", "as_of_us", "record", "answers")
"""What the chain protected before migrations."""


def an_old_ledger(database: Database, rows: int) -> str:
    """Decisions as they were kept before migrations; the head of their chain."""
    head = GENESIS
    with database.writing() as connection:
        for number in range(rows):
            row = (f"dec_{number}", f"r{number // 2}", 1 + number % 2, "0" * 64, number, b"{}", b"{}")
            own = row_hash(head, row)
            database.add(connection, baseline.decisions, (*OLD_CONTENT, "previous_sha256", "chain_sha256"), (*row, head, own))
            head = own
    return head


def policies(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        return database.fetch(connection, "SELECT version, body FROM policies ORDER BY version", ())


def test_all_revisions_together_give_what_the_tables_declare(bare: Database) -> None:
    """Fails when somebody changes `tables.py` without a revision: columns, types, nulls, keys, collations, indexes."""
    with bare.writing() as connection:
        upgrade(connection)
    migrated = shape(bare)
    with bare.writing() as connection:
        for name in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"DROP TABLE {name}")
        tables.metadata.create_all(connection)
    assert migrated == shape(bare)
    assert sum(map(len, migrated.values())) > 100


def test_a_table_that_no_revision_makes_is_noticed(bare: Database) -> None:
    with bare.writing() as connection:
        upgrade(connection)
    before = shape(bare)
    with bare.writing() as connection:
        Table("forgotten", tables.MetaData(), Column("name", tables.Text, primary_key=True)).create(connection)
    assert shape(bare) != before


def test_an_index_and_a_collation_that_differ_are_noticed(database: Database) -> None:
    before = shape(database)
    with database.writing() as connection:
        connection.exec_driver_sql("DROP INDEX links_by_account")
    without = shape(database)
    assert without != before
    if database.is_sqlite:
        return
    with database.writing() as connection:
        connection.exec_driver_sql('ALTER TABLE policies ALTER COLUMN body TYPE TEXT COLLATE "default"')
    assert shape(database) != without


def test_revisions_are_one_row_named_by_their_numbers() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert found[::-1] == revisions()
    assert len(set(found)) == len(list((FOLDER / "versions").glob("r*.py")))


def test_an_empty_store_is_made_and_one_that_is_made_is_left(empty_url: str, bare: Database) -> None:
    assert state(bare) is State.EMPTY
    open_database(empty_url, 5_000).close()
    assert state(bare) is State.CURRENT
    with bare.writing():
        open_database(empty_url, 100).close()  # waits for no writer


def test_a_store_from_before_migrations_is_refused_then_upgraded_with_what_is_in_it(empty_url: str, bare: Database) -> None:
    before_migrations(bare)
    with pytest.raises(ContractError, match=r"at revision none.*`refund-risk db upgrade --home"):
        open_database(empty_url, 5_000)
    with bare.writing() as connection:
        upgrade(connection)
    assert policies(bare) == [("v1", "kept")]
    assert state(bare) is State.CURRENT
    open_database(empty_url, 5_000).close()


def test_the_ledger_of_an_older_store_still_holds_after_the_upgrade(bare: Database) -> None:
    """Its rows are the first turn of their identities, and hash as they always did."""
    content = ("dec_1", "r", 1, "0" * 64, 5, b"{}", b"{}")
    with bare.writing() as connection:
        baseline.then.create_all(connection)
        columns = [name for name in DECISION_COLUMNS if name != "turn"]
        bare.add(connection, tables.decisions, columns, (*content, GENESIS, row_hash(GENESIS, content)))
        upgrade(connection)
    found = verify(Ledger(History(bare)).links())
    assert (found.ok, found.checked) == (True, 1)


def test_an_old_ledger_is_whole_after_the_upgrade_and_goes_on(bare: Database) -> None:
    before_migrations(bare)
    head = an_old_ledger(bare, 7)
    with bare.writing() as connection:
        upgrade(connection)
    found = verify(Ledger(History(bare)).links(), head)
    assert (found.ok, found.checked, found.head) == (True, 7, head)
    with bare.writing() as connection:
        row = ("dec_next", "r9", 1, "0" * 64, 9, b"{}", b"{}", 0, head, "1" * 64)
        bare.add(connection, tables.decisions, (*OLD_CONTENT, "turn", "previous_sha256", "chain_sha256"), row)
        assert bare.fetch(connection, "SELECT seq FROM decisions WHERE decision_id = ?", ("dec_next",)) == [(8,)]


def test_links_that_were_kept_as_events_too_are_kept_once_and_stop_to_count_when_they_did(bare: Database) -> None:
    links = [
        Link(entity_type=EntityType.DEVICE, entity_id=name, account_id=account, request_id=asked, occurred_at=START, known_at=at(1))
        for name, account, asked in (("d1", "a", "r1"), ("d1", "a", "r2"), ("d2", None, None))
    ]
    rows = [(entity.type.value, entity.id, stream.value, *row) for each in links for entity, stream, row in link_events(each)]
    with bare.writing() as connection:
        command.upgrade(alembic(connection), "0006")
        bare.add_many(connection, tables.links, LINK_COLUMNS, list(map(row_of, links)))
        bare.add_many(connection, tables.timeline_events, EVENT_COLUMNS, rows)
        connection.execute(text("UPDATE timeline_events SET until_us = 77 WHERE event_id LIKE '%r1%'"))
        upgrade(connection)
        assert bare.fetch(connection, "SELECT request_id, until_us FROM links ORDER BY link_no", ()) == [("r1", 77), ("r2", NEVER), (None, NEVER)]
        assert bare.fetch(connection, "SELECT * FROM timeline_events", ()) == []
        assert len(StoredLinks(bare, connection).events([(0, Entity(EntityType.ACCOUNT, "a"), 0)], 10)) == 2


def test_what_the_old_turns_said_last_is_known_after_the_upgrade(bare: Database) -> None:
    """So that a clock that was stepped back is noticed; workers that read on from the start are told nothing twice."""
    with bare.writing() as connection:
        command.upgrade(alembic(connection), "0007")
        connection.execute(text("INSERT INTO label_turns (request_id, source, value, occurred_us, known_us) VALUES ('r', 's', 'v', 0, 77)"))
        upgrade(connection)
    assert newest(bare, at(1)) == EPOCH + timedelta(microseconds=77)
    with bare.reading() as connection:
        assert Feed(bare, newest_turn(bare, connection)).news(connection) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    before = shape(database)
    with database.writing() as connection:
        upgrade(connection)
    assert shape(database) == before


def test_a_store_of_a_later_version_is_refused(empty_url: str, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ContractError, match="this code knows up to"):
        open_database(empty_url, 5_000)


def test_a_table_of_another_shape_is_named_and_nothing_is_changed(bare: Database) -> None:
    with bare.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE decisions (seq INTEGER PRIMARY KEY, record TEXT)")
    before = shape(bare)
    with pytest.raises(ContractError, match=r"decisions lacks .*chain_sha256.*start a new home"), bare.writing() as connection:
        upgrade(connection)
    assert shape(bare) == before


def test_an_upgrade_that_is_killed_leaves_nothing_half_applied(empty_url: str, bare: Database) -> None:
    before_migrations(bare)
    before = shape(bare)
    done = subprocess.run([sys.executable, "-c", KILLED, empty_url], check=False, timeout=60)
    assert done.returncode == -9
    assert (shape(bare), state(bare), policies(bare)) == (before, State.BEHIND, [("v1", "kept")])
    with bare.writing() as connection:
        upgrade(connection)
    assert (state(bare), policies(bare)) == (State.CURRENT, [("v1", "kept")])


def test_processes_that_start_at_once_over_an_empty_store_make_it_once(empty_url: str, bare: Database) -> None:
    started = [subprocess.Popen([sys.executable, "-c", STARTS, empty_url], stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    with bare.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [revisions()[-1]]


def test_the_revisions_travel_with_the_package() -> None:
    """They are modules of packages that setuptools finds, so an installed wheel has them."""
    found = find_packages(str(FOLDER.parents[2]), include=["risk*"])
    assert {"risk.stores.migrations", "risk.stores.migrations.versions"} <= set(found)
    assert FOLDER.joinpath("env.py").exists()
