"""Every worker is told what the others wrote: once, in the order of writing, or that it has to read everything anew."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from data_contracts.link import EntityType, Link
from data_contracts.timeline import Entity
from risk.jobs.load_history import load_tables
from risk.stores import turns
from risk.stores.database import Database
from risk.stores.history import History
from risk.stores.newest import newest
from risk.stores.turns import Feed, Turn, a_turn, newest_turn, number_of, tell
from tests.graph.histories import at
from tests.graph.ring_stories import ring_world

BUYER, CARD = Entity(EntityType.ACCOUNT, "a"), Entity(EntityType.CARD, "c")


def told(database: Database, name: str, signature: bytes = turns.NOBODY) -> Turn:
    """A turn of an account, told by that writer."""
    turn = a_turn([Entity(EntityType.ACCOUNT, name)])
    with database.writing() as connection:
        tell(database, connection, [turn], 1, signature)
    return turn


def news(database: Database, feed: Feed) -> list[Turn] | None:
    with database.reading() as connection:
        return feed.news(connection)


def test_a_feed_tells_what_others_wrote_once_and_in_their_order(database: Database) -> None:
    one, other = Feed(database), Feed(database, 0)
    assert (news(database, one), news(database, other)) == (None, [])
    said = [told(database, "a", one.signature), told(database, "b"), told(database, "c", other.signature)]
    assert [news(database, feed) for feed in (one, other)] == [said[1:], said[:2]]
    assert [news(database, feed) for feed in (one, other)] == [[], []]


def test_a_link_tells_of_both_sides(database: Database) -> None:
    feed = Feed(database, 0)
    link = Link(entity_type=CARD.type, entity_id=CARD.id, account_id=BUYER.id, occurred_at=at(1), known_at=at(2))
    nobody = Link(entity_type=CARD.type, entity_id="of nobody", occurred_at=at(1), known_at=at(1))
    with database.writing() as connection:
        History(database).take(connection, (), [link, nobody])
    (turn,) = news(database, feed) or ()
    assert set(turn.touched) == {number_of(each) for each in (BUYER, CARD, Entity(CARD.type, "of nobody"))}
    assert turn.links == (("card", "c", "a", int(at(2).timestamp() * 1e6)),)
    assert newest(database, at(3)) == at(2)


def test_a_load_lets_everybody_read_everything_anew(database: Database) -> None:
    feed = Feed(database, 0)
    load_tables(ring_world(), database, None)
    assert (news(database, feed), news(database, feed)) == (None, [])


@pytest.mark.parametrize(("behind", "kept"), [(4, 50), (50, 4)])
def test_who_slept_longer_than_turns_are_kept_reads_everything_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch, behind: int, kept: int
) -> None:
    monkeypatch.setattr(turns, "BEHIND", behind)
    monkeypatch.setattr(turns, "KEPT", kept)
    monkeypatch.setattr(turns, "PRUNE_EVERY", 1)
    awake, asleep = Feed(database, 0), Feed(database, 0)
    for number in range(8):
        turn = told(database, str(number))
        assert news(database, awake) == [turn]
    assert (news(database, asleep), news(database, asleep)) == (None, [])
    with database.reading() as connection:
        assert newest_turn(database, connection) == 8
        assert connection.execute(text("SELECT COUNT(*) FROM turns")).scalar_one() == min(8, kept + 1)


def test_what_was_not_kept_was_not_told(database: Database) -> None:
    feed = Feed(database, 0)

    def fail() -> None:
        with database.writing() as connection:
            tell(database, connection, [Turn((1,))], 1)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert news(database, feed) == []
    assert newest(database, at(0) + timedelta(days=1)).year == 1970
