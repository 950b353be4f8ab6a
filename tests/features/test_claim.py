"""The stated features, on stories."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from data_contracts.request import (
    ClaimLine,
    ClaimType,
    Delivery,
    DeliveryStatus,
    Evidence,
    EvidenceKind,
    Observation,
    Observer,
    Order,
    OrderLine,
    Party,
    RefundRequest,
)
from data_contracts.score import Measurement
from data_contracts.snapshot import Facts, Snapshot
from features.online import compute

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)


def at(hours: float) -> dict[str, datetime]:
    moment = NOON + timedelta(hours=hours)
    return {"occurred_at": moment, "known_at": moment}


def video(name: str, hours: float = 0) -> Evidence:
    return Evidence(evidence_id=name, request_id="r", sha256=name[-1] * 64, kind=EvidenceKind.VIDEO, sent_by=Party.BUYER, **at(hours))


def count(name: str, male: int, female: int, observer: Observer = Observer.AGENT) -> tuple[Observation, ...]:
    both = {"male": male, "female": female}
    return tuple(
        Observation(evidence_id=name, request_id="r", observer=observer, attribute=kind, count=pieces, **at(0)) for kind, pieces in both.items()
    )


CRABS = Snapshot(
    as_of=NOON,
    request=RefundRequest(
        request_id="r",
        account_id="a",
        order_id="o",
        claim_type=ClaimType.DEAD_ON_ARRIVAL,
        amount_minor=14_625,
        currency="CNY",
        same_items=True,
        **at(0),
    ),
    order=Order(order_id="o", account_id="a", amount_minor=19_500, currency="CNY", **at(-30)),
    order_lines=(OrderLine(order_id="o", line_no=1, sku_id="k", quantity=8, unit_price_minor=2_437, counts={"male": 4, "female": 4}),),
    deliveries=(Delivery(order_id="o", status=DeliveryStatus.DELIVERED, **at(-2)),),
    claim_lines=(ClaimLine(request_id="r", line_no=1, quantity=6),),
    evidence=(video("v1"), video("v2")),
    observations=(*count("v1", 2, 4), *count("v2", 3, 3)),
)
"""4 male and 4 female crabs bought, 6 claimed dead; one video shows 2 and 4, the other 3 and 3."""


def facts(seen: Snapshot = CRABS, **changes: object) -> Facts:
    return compute(dataclasses.replace(seen, **changes))


def test_two_videos_that_need_seven_dead_crabs_contradict_a_claim_of_six() -> None:
    assert facts().values["observed_over_claimed"] == 1.0
    assert facts().values["observed_disagreement"] == 2.0
    assert facts().values["observed_over_ordered"] == 0.0


def test_each_video_alone_fits_the_claim() -> None:
    for name in ("v1", "v2"):
        alone = facts(observations=[each for each in CRABS.observations if each.evidence_id == name])
        assert alone.values["claimed_over_observed"] == 0.0
        assert alone.values["observed_over_claimed"] is None


def test_videos_with_equal_counts_agree() -> None:
    honest = facts(observations=(*count("v1", 2, 4), *count("v2", 2, 4)))
    assert honest.values["observed_over_claimed"] == 0.0
    assert honest.values["observed_disagreement"] == 0.0


@pytest.mark.parametrize("same_items", [None, False])
def test_pieces_of_evidence_are_not_held_against_each_other_unless_they_show_the_same_items(same_items: bool | None) -> None:  # noqa: FBT001  # a parameter of the test
    found = facts(request=dataclasses.replace(CRABS.request, same_items=same_items))
    assert found.values["observed_over_claimed"] is None
    assert found.missing["observed_over_claimed"] == "not_said"


def test_a_kind_that_nobody_counted_is_not_zero() -> None:
    found = facts(observations=(count("v1", 2, 4)[0], *count("v2", 2, 4)))
    assert found.values["observed_disagreement"] == 0.0


def test_no_party_makes_a_contradiction_by_counting_high() -> None:
    found = facts(observations=(*count("v1", 2, 4), *count("v2", 2, 4), *count("v2", 4, 4, Observer.SELLER)))
    assert found.values["observed_over_claimed"] == 0.0
    assert found.values["observers_disagreement"] == 2.0


def test_no_party_hides_a_contradiction_by_counting_low() -> None:
    assert facts(observations=(*CRABS.observations, *count("v2", 2, 3, Observer.CLAIM_FORM))).values["observed_over_claimed"] == 1.0


def test_claiming_more_of_a_kind_than_was_bought_shows() -> None:
    found = facts(claim_lines=(ClaimLine(request_id="r", line_no=1, quantity=6, counts={"male": 6}),))
    assert found.values["claimed_attribute_excess"] == 2.0
    assert found.values["claimed_quantity_excess"] == -2.0
    assert found.values["claimed_kinds_not_observed"] == 3.0


def test_a_line_that_the_order_does_not_have_shows() -> None:
    found = facts(claim_lines=(*CRABS.claim_lines, ClaimLine(request_id="r", line_no=9, quantity=1)))
    assert found.values["claimed_unknown_lines"] == 1.0
    assert found.values["claimed_over_line_value"] is None


def test_the_amount_is_measured_by_the_order_and_by_its_lines() -> None:
    found = facts().values
    assert found["claimed_amount_share"] == 14_625 / 19_500
    assert found["claimed_amount_excess"] == 14_625 - 19_500
    assert found["claimed_over_line_value"] == 14_625 / (6 * 2_437)


def test_an_amount_in_another_currency_is_not_known() -> None:
    found = facts(currency="USD")
    assert found.values["claimed_amount"] is None
    assert found.missing["claimed_amount"] == "not_said"


def test_a_claim_before_its_delivery_shows() -> None:
    late = Delivery(order_id="o", status=DeliveryStatus.DELIVERED, occurred_at=NOON - timedelta(hours=1), known_at=NOON - timedelta(minutes=1))
    asked = dataclasses.replace(CRABS.request, occurred_at=NOON - timedelta(hours=3))
    found = facts(deliveries=(late,), request=asked).values
    assert (found["claim_before_delivery"], found["claim_delay_hours"]) == (1.0, -2.0)


def test_a_scan_known_at_the_moment_itself_is_not_seen() -> None:
    found = facts(deliveries=(Delivery(order_id="o", status=DeliveryStatus.DELIVERED, **at(0)),)).values
    assert (found["delivery_scans"], found["claim_without_delivery"], found["claim_delay_hours"]) == (0.0, 1.0, None)


def test_not_received_stands_against_a_scan_that_says_delivered_and_beside_one_that_says_lost() -> None:
    asked = dataclasses.replace(CRABS.request, claim_type=ClaimType.NOT_RECEIVED)
    assert facts(request=asked).values["not_received_but_delivered"] == 1.0
    lost = facts(request=asked, deliveries=(Delivery(order_id="o", status=DeliveryStatus.LOST, **at(-2)),)).values
    assert (lost["not_received_but_delivered"], lost["not_received_and_lost"]) == (0.0, 1.0)


def test_scans_say_nothing_when_deliveries_are_not_connected() -> None:
    found = facts(missing={"deliveries": "timeout"})
    assert found.values["claim_without_delivery"] is None
    assert found.missing["claim_without_delivery"] == "timeout"


def test_a_damage_claim_without_evidence_shows() -> None:
    assert facts(evidence=(), observations=()).values["evidence_missing"] == 1.0
    assert facts().values["evidence_missing"] == 0.0


def test_the_same_file_sent_twice_shows() -> None:
    twice = (video("v1"), dataclasses.replace(video("v2"), sha256="1" * 64))
    assert facts(evidence=twice).values["evidence_repeated"] == 1.0


def measured(version: int, value: float | None, signal: str = "generated") -> Measurement:
    unavailable = "too_small" if value is None else None
    return Measurement(
        evidence_id="v1", request_id="r", sha256="1" * 64, signal=signal, version=version, value=value, unavailable=unavailable, known_at=NOON
    )


def test_the_newest_version_of_a_signal_counts() -> None:
    found = facts(measurements=(measured(2, 0.25), measured(1, 0.9), measured(1, None, "edited"))).values
    assert (found["generated_max"], found["generated_mean"], found["edited_max"]) == (0.25, 0.25, None)
    assert (found["evidence_measured"], found["evidence_not_measurable"]) == (1.0, 1.0)


def told(name: str, **facts: str) -> tuple[Observation, ...]:
    """What a vision plug-in reads off one piece of evidence."""
    return tuple(
        Observation(evidence_id=name, request_id="r", observer=Observer.VISION, attribute=f"{fact}={value}", count=1, **at(0))
        for fact, value in facts.items()
    )


TWO_PHOTOS = (video("v1"), video("v2"))


def test_two_photos_of_one_item_with_two_serial_numbers_contradict_each_other() -> None:
    said = (*told("v1", serial="A", colour="red"), *told("v2", serial="B", colour="red"))
    assert facts(evidence=TWO_PHOTOS, observations=said).values["observed_facts_disagreement"] == 1.0
    assert facts(evidence=TWO_PHOTOS, observations=(*told("v1", serial="A"), *told("v2", serial="A"))).values["observed_facts_disagreement"] == 0.0


def test_a_fact_that_one_photo_does_not_show_contradicts_nothing() -> None:
    said = (*told("v1", serial="A"), *told("v2", colour="red"))
    assert facts(evidence=TWO_PHOTOS, observations=said).values["observed_facts_disagreement"] == 0.0


def test_one_photo_of_both_items_and_one_of_a_single_item_agree() -> None:
    said = (*told("v1", serial="A"), *told("v1", serial="B"), *told("v2", serial="B"))
    assert facts(evidence=TWO_PHOTOS, observations=said).values["observed_facts_disagreement"] == 0.0


def test_a_colour_that_was_not_ordered_is_held_against_the_order_only_where_it_names_colours() -> None:
    line = dataclasses.replace(CRABS.order_lines[0], counts={"colour=red": 8})
    blue = told("v1", colour="blue")
    assert facts(order_lines=(line,), observations=blue).values["observed_over_ordered"] == 1.0
    assert facts(order_lines=(line,), observations=told("v1", colour="red")).values["observed_over_ordered"] <= 0.0
    assert facts(observations=blue).values["observed_over_ordered"] is None


def test_counts_of_different_facts_are_never_added_up() -> None:
    said = (*count("v1", 3, 3), *told("v1", colour="red", size="L", serial="A"), *count("v2", 3, 3))
    assert facts(evidence=TWO_PHOTOS, observations=said).values["observed_over_claimed"] == 0.0
