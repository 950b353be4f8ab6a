from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from data_contracts.link import EntityType
from graph.explain import sentences, summary
from graph.judgements import Judgement, Subject, Verdict
from graph.lineage import Turn
from graph.rings import build_rings, to_look_at
from tests.graph.histories import at, histories, label, link, request
from tests.graph.ring_stories import also, ring_world

NOW = at(1_000)
MEMBERS = ("m0", "m1", "m2", "m3")


def refuted(subject: Subject, **about: Any) -> Judgement:  # noqa: ANN401  # the fields that name the subject
    return Judgement(subject=subject, verdict=Verdict.REFUTED, by="ana", why="a family", at=at(900), **about)


def test_a_group_that_shares_its_own_things_is_found_and_the_dormitory_is_not() -> None:
    build = build_rings(ring_world(), NOW)
    assert [ring.members for ring in build.rings] == [MEMBERS]
    ring = build.rings[0]
    assert ring.listed
    assert {held.entity_id for held in ring.entities} == {"ring-device", "ring-card"}
    assert (ring.claims, ring.busy_claims, ring.amount_minor, ring.confirmed, ring.cleared) == (4, 4, 4_000, 2, 0)


def test_a_ring_is_told_in_sentences() -> None:
    ring = build_rings(ring_world(), NOW).rings[0]
    assert summary(ring) == "4 accounts, 1 device, 1 card; 4 claims in 1 day; 2 confirmed; first seen 2026-01-03"
    assert "4 of the 4 buyers who used the device ring-device are members; of 2 judged among them 2 abused (weight 0.98)." in sentences(ring)


def test_what_becomes_known_later_changes_nothing() -> None:
    tables = ring_world()
    later = also(tables, requests=[request("late", "x", 2_000)], links=[link("x", "ring-device", 2_000)])
    assert build_rings(tables, NOW) == build_rings(later, NOW)
    assert build_rings(tables, at(100)).rings == ()


@given(histories())
@settings(max_examples=25, deadline=None)
def test_any_history_gives_groups_that_share_no_member_and_the_same_build_twice(tables: dict[str, pl.DataFrame]) -> None:
    build = build_rings(tables, NOW)
    assert build == build_rings(tables, NOW)
    members = [member for ring in build.rings for member in ring.members]
    assert len(members) == len(set(members))
    assert all(len(ring.members) >= 2 and 0.0 <= ring.score <= 1.0 for ring in build.rings)


def test_a_ring_that_grows_keeps_its_name_and_when_it_was_first_listed() -> None:
    tables = ring_world()
    first = build_rings(tables, NOW)
    grown = also(tables, requests=[request("new", "m4", 1_010)], links=[link("m4", "ring-device", 1_005)])
    second = build_rings(grown, at(1_100), before=first)
    assert second.rings[0].ring_id == first.rings[0].ring_id
    assert second.rings[0].members == (*MEMBERS, "m4")
    assert second.rings[0].listed_since == NOW
    assert [(step.turn, step.joined) for step in second.steps] == [(Turn.CHANGED, 1)]


def test_refuted_links_tie_nobody_in_the_next_build() -> None:
    tables = ring_world()
    device = refuted(Subject.ENTITY, entity_type=EntityType.DEVICE, entity_id="ring-device")
    assert {held.entity_id for ring in build_rings(tables, NOW, [device]).rings for held in ring.entities} == {"ring-card"}
    card = refuted(Subject.ENTITY, entity_type=EntityType.CARD, entity_id="ring-card")
    assert build_rings(tables, NOW, [device, card]).rings == ()
    alone = [
        refuted(Subject.LINK, entity_type=kind, entity_id=name, account_id="m3")
        for kind, name in ((EntityType.DEVICE, "ring-device"), (EntityType.CARD, "ring-card"))
    ]
    assert build_rings(tables, NOW, alone).rings[0].members == MEMBERS[:3]


def test_a_judgement_counts_only_after_it_was_said_and_until_its_end() -> None:
    tables = ring_world()
    said = Judgement(
        subject=Subject.RING, verdict=Verdict.REFUTED, by="ana", why="a family", at=at(900), until=at(1_200), ring_id="x", members=MEMBERS
    )
    assert build_rings(tables, at(900), [said]).rings[0].listed
    assert not build_rings(tables, at(901), [said]).rings[0].listed
    assert build_rings(tables, at(1_201), [said]).rings[0].listed


def test_a_refuted_ring_that_has_become_another_is_shown_again() -> None:
    tables = ring_world()
    ring_id = build_rings(tables, at(800)).rings[0].ring_id
    said = refuted(Subject.RING, ring_id=ring_id, members=MEMBERS)
    many = [f"n{number}" for number in range(6)]
    grown = also(tables, requests=[request(f"r{name}", name, 910) for name in many], links=[link(name, "ring-device", 905) for name in many])
    ring = build_rings(grown, NOW, [said], build_rings(tables, at(800))).rings[0]
    assert (ring.ring_id, ring.verdict, len(ring.members)) == (ring_id, None, 10)


def test_a_confirmed_ring_stays_together_without_its_links() -> None:
    tables = ring_world()
    said = Judgement(subject=Subject.RING, verdict=Verdict.CONFIRMED, by="ana", why="they wrote to us", at=at(900), ring_id="x", members=MEMBERS)
    without = {**tables, "links": tables["links"].filter(pl.col("entity_type") == "ip")}
    ring = build_rings(without, NOW, [said]).rings[0]
    assert (ring.members, ring.verdict, ring.listed) == (MEMBERS, Verdict.CONFIRMED, True)


@pytest.mark.parametrize("kept", [("refund_requests",), ("refund_requests", "links"), ("refund_requests", "labels")])
def test_absent_tables_are_no_error(kept: tuple[str, ...]) -> None:
    tables = ring_world()
    build = build_rings({name: tables[name] for name in kept}, NOW)
    assert len(build.rings) == ("links" in kept)


def test_two_claimants_on_things_of_their_own_are_enough_to_be_listed() -> None:
    early = build_rings(ring_world(members=2), at(320))
    assert [(ring.members, ring.listed) for ring in early.rings] == [(MEMBERS[:2], True)]


def test_claims_that_were_sent_together_are_counted() -> None:
    ring = build_rings(ring_world(), NOW).rings[0]
    assert ring.close_claims == 4  # ten hours apart
    alone = ring_world(members=0)
    apart = also(
        alone,
        requests=[request(f"q{number}", f"p{number // 2}", 100 + 100 * number) for number in range(6)],
        links=[link(f"p{number}", kind, 50, kind) for number in range(3) for kind in ("device", "card")],
    )
    assert [ring.close_claims for ring in build_rings(apart, NOW).rings] == [0]


def pair(*extra: dict[str, object]) -> dict[str, pl.DataFrame]:
    """Two who claim three times within days over a network of their own, beside the ring and the dormitory."""
    claims = [request("rp0", "p0", 400), request("rp1", "p1", 410), request("rp2", "p1", 430)]
    links = [link(name, "wifi", 300, "ip") for name in ("p0", "p1")]
    return also(ring_world(), requests=[row | {"amount_minor": 500} for row in claims], links=links, labels=list(extra))


def test_people_who_claim_together_from_something_of_their_own_are_an_early_warning() -> None:
    build = build_rings(pair(), NOW)
    ring = next(each for each in build.rings if each.members == ("p0", "p1"))
    assert (ring.listed, ring.early) == (False, True)
    assert to_look_at(build.rings)[-1] is ring
    assert [each.early for each in to_look_at(build.rings)] == [False, True]
    assert not any(each.early for each in build_rings(pair(), at(410)).rings)


def test_an_early_warning_ends_when_somebody_of_it_is_cleared_or_an_analyst_says_so() -> None:
    assert not any(ring.early for ring in build_rings(pair(label("rp0", "honest", 500)), NOW).rings)
    said = refuted(Subject.RING, ring_id="ring_any", members=("p0", "p1"))
    assert [ring.members for ring in to_look_at(build_rings(pair(), NOW, [said]).rings)] == [MEMBERS]


def test_early_warnings_come_after_rings_the_dearest_first() -> None:
    rings = [replace(ring, score=0.2, amount_minor=amount) for amount in (100, None, 900) for ring in build_rings(ring_world(), NOW).rings]
    calm = [replace(ring, cleared=0, busy_claims=3) for ring in rings]
    assert [ring.amount_minor for ring in to_look_at(calm)] == [900, 100, None]
