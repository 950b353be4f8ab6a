from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from data_contracts.link import EntityType
from graph.explain import sentences, summary
from graph.judgements import Judgement, Subject, Verdict
from graph.lineage import Turn
from graph.rings import build_rings
from tests.graph.histories import at, histories, link, request
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
    assert (
        "4 of the 4 buyers who used the device ring-device are members; 2 of the 2 judged among them abused; that it is a tool of theirs: 98%."
        in sentences(ring)
    )


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


def test_two_claimants_are_an_early_warning_when_they_claim_again() -> None:
    pair = ring_world(members=2)
    assert [(ring.members, ring.listed) for ring in build_rings(pair, at(140)).rings] == [(MEMBERS[:2], False)]
    again = also(pair, requests=[request(f"again{number}", f"m{number}", 130 + number) for number in range(2)])
    assert [(ring.members, ring.listed, ring.early) for ring in build_rings(again, at(305)).rings] == [(MEMBERS[:2], True, True)]
    said = Judgement(subject=Subject.RING, verdict=Verdict.CONFIRMED, by="ana", why="she said so", at=at(304), ring_id="x", members=MEMBERS[:2])
    assert not build_rings(again, at(305), [said]).rings[0].early


def test_the_score_rises_with_members_claims_and_abuse_and_falls_with_honesty() -> None:
    def scored(members: int, value: str, claims: int = 1) -> float:
        more = [request(f"{name}{number}", f"m{number}", 140 + number) for number in range(members) for name in "xy"[: claims - 1]]
        tables = also(ring_world(members=members), requests=more)
        tables["labels"] = tables["labels"].with_columns(
            value=pl.when(pl.col("request_id").str.starts_with("rm")).then(pl.lit(value)).otherwise("value")
        )
        return max((ring.score for ring in build_rings(tables, NOW).rings), default=0.0)  # honest people tie nobody

    assert scored(2, "abuse") < scored(3, "abuse") < scored(4, "abuse") < 1.0
    assert scored(2, "abuse") < scored(2, "abuse", claims=2) < scored(2, "abuse", claims=3)
    assert scored(2, "honest") < scored(2, "abuse")


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
