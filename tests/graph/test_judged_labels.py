import polars as pl

from data_contracts.link import EntityType
from graph.judged_labels import labels_of
from graph.judgements import Judgement, Subject, Verdict
from tests.graph.histories import at, history, label, link, request

REQUESTS = [request("early", "a", 10), request("judged", "a", 11), request("of b", "b", 12), request("guest", None, 13), request("late", "a", 60)]
LINKS = [link("a", "phone", 10, request="early"), link("b", "phone", 12, request="of b"), link("b", "phone", 5)]
TABLES = history(REQUESTS, LINKS, [label("judged", "honest", 20), label("early", "abuse", 70)])


def said(verdict: Verdict, **about: object) -> Judgement:
    return Judgement(verdict=verdict, by="ana", why="they wrote to us", at=at(50), **about)


def rows(*judgements: Judgement, tables: dict[str, pl.DataFrame] = TABLES) -> list[tuple[str, str]]:
    found = labels_of(tables, judgements)
    assert found.schema == tables["labels"].schema
    assert set(found["source"]) <= {"analyst"}
    return sorted(found.select("request_id", "value").iter_rows())


RING = {"subject": Subject.RING, "ring_id": "ring", "members": ("a", "b", "request:guest")}
PHONE = {"entity_type": EntityType.DEVICE, "entity_id": "phone"}


def test_a_judged_ring_labels_the_earlier_requests_of_its_members_that_nobody_judged_by_themselves() -> None:
    assert rows(said(Verdict.CONFIRMED, **RING)) == [("early", "abuse"), ("guest", "abuse"), ("of b", "abuse")]
    assert rows(said(Verdict.REFUTED, **RING)) == [("early", "honest"), ("guest", "honest"), ("of b", "honest")]
    assert rows(said(Verdict.UNSURE, **RING)) == []


def test_a_confirmed_entity_labels_what_came_with_it_and_a_refuted_one_nothing() -> None:
    assert rows(said(Verdict.CONFIRMED, subject=Subject.ENTITY, **PHONE)) == [("early", "abuse"), ("of b", "abuse")]
    assert rows(said(Verdict.CONFIRMED, subject=Subject.LINK, account_id="b", **PHONE)) == [("of b", "abuse")]
    assert rows(said(Verdict.REFUTED, subject=Subject.ENTITY, **PHONE)) == []
    assert rows(said(Verdict.REFUTED, subject=Subject.LINK, account_id="b", **PHONE)) == []


def test_labels_are_known_when_they_were_said_and_given_once() -> None:
    confirmed = said(Verdict.CONFIRMED, **RING)
    found = labels_of(TABLES, [confirmed, confirmed])
    assert found["known_at"].unique().to_list() == [at(50)]
    again = {**TABLES, "labels": pl.concat([TABLES["labels"], found])}
    assert labels_of(again, [confirmed]).is_empty()


def test_a_later_judgement_gives_a_later_label() -> None:
    later = Judgement(verdict=Verdict.REFUTED, by="ben", why="a family", at=at(55), **RING)
    found = labels_of(TABLES, [said(Verdict.CONFIRMED, **RING), later]).sort("known_at")
    assert found.filter(pl.col("request_id") == "early")["value"].to_list() == ["abuse", "honest"]
