"""Both databases: one writer at a time, one moment a reading, all or nothing, and errors that say what to do."""

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from data_contracts.errors import ContractError, SourceUnavailableError
from risk.stores import tables
from risk.stores.database import Database, open_database
from risk.stores.postgres import MANY

NAMES = ("version", "body")


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM policies")).scalar_one())


@pytest.mark.parametrize("rows", [3, MANY + 5])
def test_many_rows_are_added_and_those_that_are_there_stay(database: Database, rows: int) -> None:
    with database.writing() as connection:
        database.add_many(connection, tables.policies, NAMES, [("v0", "first")])
        for _ in range(2):
            database.add_many(connection, tables.policies, NAMES, [(f"v{number}", "100% ?") for number in range(rows)])
    with database.reading() as connection:
        found = database.fetch(connection, "SELECT version, body FROM policies WHERE version IN (?, ?) ORDER BY version", ("v0", "v1"))
        each = database.fetch_each(connection, "SELECT body FROM policies WHERE version = ? AND body LIKE '1%'", [("v1",), ("none",), ("v2",)])
    assert (count(database), found) == (rows, [("v0", "first"), ("v1", "100% ?")])
    assert each == [[("100% ?",)], [], [("100% ?",)]]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), unique=True, min_size=1, max_size=20))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_comes_back_as_it_was(database: Database, said: list[str]) -> None:
    """Quotes, braces, backslashes, the word NULL, nothing at all: as values of many rows at once and of one statement."""
    texts = [*said, *{'"', "\\", "{}", "NULL", "null", ",", "", "a\nb", "%s ?"}.difference(said)]
    with database.writing() as connection:
        database.fetch(connection, "DELETE FROM policies RETURNING 0", ())
        database.add_many(connection, tables.policies, NAMES, [(each, each) for each in texts])
        found = database.given(
            connection, "SELECT version, body FROM {given} CROSS JOIN policies WHERE version = c0", ("text",), [(t,) for t in texts]
        )
        assert sorted(found) == sorted((each, each) for each in texts)


def test_a_key_is_found_by_its_index_in_a_store_without_statistics(database: Database) -> None:
    """A store that was just filled, or is empty, tells its planner nothing of how large its tables are or will be."""
    with database.reading() as connection:
        query = "EXPLAIN QUERY PLAN SELECT link_no FROM {given} CROSS JOIN links WHERE order_id = c0"
        plan = database.given(connection, query if database.is_sqlite else query.replace("QUERY PLAN ", ""), ("text",), [("o1",), ("o2",)])
    assert "links_by_order" in str(plan)


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    def half() -> None:
        with database.writing() as connection:
            database.add_many(connection, tables.policies, NAMES, [("v", "b")])
            message = "in the middle"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        half()
    assert count(database) == 0


@pytest.mark.parametrize("rows", [3, MANY + 5])
def test_what_is_sent_together_is_kept_together_or_not_at_all(database: Database, rows: int) -> None:
    def write(last: str) -> None:
        with database.writing() as connection, database.together(connection):
            database.add_many(connection, tables.policies, NAMES, [(f"{last}{number}", "b") for number in range(rows)])
            assert len(database.fetch(connection, "SELECT version FROM policies", ())) >= rows
            database.add_new(connection, tables.orders, ("order_id", "known_us", "body"), [("o", 1, b"\0\xff%s")])
            database.add(connection, tables.policies, NAMES, (last, "b"))

    write("v")
    with pytest.raises(IntegrityError):
        write("w")
    assert count(database) == rows + 1
    with database.reading() as connection:
        assert database.fetch(connection, "SELECT body FROM orders", ()) == [(b"\0\xff%s",)]


def test_a_reading_sees_one_moment_while_others_write(database: Database) -> None:
    with database.reading() as connection:
        before = connection.execute(text("SELECT COUNT(*) FROM policies")).scalar_one()
        with database.writing() as other:
            database.add_many(other, tables.policies, NAMES, [("v", "b")])
        assert connection.execute(text("SELECT COUNT(*) FROM policies")).scalar_one() == before == 0
    assert count(database) == 1


def test_writers_take_turns_so_numbers_become_visible_in_their_order(database: Database) -> None:
    """What each writer sees when it has its turn is everything with a smaller number."""
    gaps: list[int] = []

    def write() -> None:
        for _ in range(15):
            with database.writing() as connection:
                rows = database.fetch(connection, "INSERT INTO turns (known_us, body) VALUES (?, ?) RETURNING turn_no", (0, b""))
                seen = database.fetch(connection, "SELECT COUNT(*) FROM turns WHERE turn_no <= ?", rows[0])
                gaps.append(rows[0][0] - seen[0][0])

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gaps == [0] * 45


def test_a_writer_that_waits_too_long_is_told_so(empty_url: str) -> None:
    patient, hasty = open_database(empty_url, 60_000), open_database(empty_url, 100)
    with patient.writing() as connection:
        patient.add_many(connection, tables.policies, NAMES, [("v", "b")])
        with pytest.raises(SourceUnavailableError, match="did not answer"), hasty.writing():
            pass
    assert count(hasty) == 1
    patient.close()
    hasty.close()


def test_opening_again_changes_nothing_and_waits_for_no_writer(empty_url: str) -> None:
    first = open_database(empty_url, 100)
    with first.writing() as connection:
        first.add_many(connection, tables.policies, NAMES, [("v", "b")])
        open_database(empty_url, 100).close()
    assert count(first) == 1
    first.close()


@pytest.mark.parametrize("url", ["", "mysql://nobody@nowhere/x", "risk.db"])
def test_another_make_of_database_is_refused(url: str) -> None:
    with pytest.raises(ContractError, match="expected sqlite"):
        open_database(url, 100)


def test_a_server_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match="REFUND_RISK_DATABASE_URL"):
        open_database(f"postgresql+psycopg://nobody@/none?host={tmp_path}", 100)


def test_a_null_character_is_an_error_of_the_caller(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite keeps them")
    with pytest.raises(ContractError, match="null characters"), database.writing() as connection:
        database.add_many(connection, tables.policies, NAMES, [("v\x00", "b")])
