from data_contracts.question import Question
from data_contracts.snapshot import Snapshot
from risk.details import details, plainly
from tests.risk.builders import NOON, a_question

ORDER = {
    "order_id": "o",
    "occurred_at": "2026-05-30T12:00:00Z",
    "amount_minor": 19_500,
    "currency": "CNY",
    "lines": [{"line_no": 1, "quantity": 8, "counts": {"male": 4, "female": 4}}],
}


def video(name: str, male: int, female: int, observer: str = "agent") -> dict[str, object]:
    counts = [{"observer": observer, "attribute": kind, "count": count} for kind, count in (("male", male), ("female", female))]
    return {"evidence_id": name, "sha256": "a" * 64, "kind": "video", "observations": counts}


def seen(question: Question) -> Snapshot:
    return Snapshot(
        as_of=NOON,
        request=question.request,
        order=question.order,
        order_lines=question.order_lines,
        claim_lines=question.claim_lines,
        observations=question.observations,
        currency="CNY",
    )


def of(**body: object) -> dict[str, str]:
    return dict(details(seen(a_question("r", order=ORDER, **body))))


def test_the_arithmetic_of_the_crabs() -> None:
    found = of(claim_lines=[{"line_no": 1, "quantity": 6}], evidence=[video("one", 2, 4), video("two", 3, 3)])
    expected = "3 male + 4 female = 7 needed, 6 claimed (one shows 2 male, 4 female; two shows 3 male, 3 female)"
    assert found["observed_over_claimed"] == expected
    assert "observed_over_ordered" not in found


def test_the_most_neutral_observer_counts() -> None:
    piece = video("one", 9, 9, "seller")
    piece["observations"] = [*piece["observations"], {"observer": "agent", "attribute": "male", "count": 1}]  # type: ignore[misc]
    assert of(claim_lines=[{"line_no": 1}], evidence=[piece])["observed_disagreement"] == "one shows 1 male, 9 female"


def test_more_shown_than_ordered() -> None:
    assert of(evidence=[video("one", 5, 1)])["observed_over_ordered"] == "5 male shown, 4 ordered"


def test_more_claimed_than_ordered() -> None:
    found = of(claim_lines=[{"line_no": 1, "quantity": 9, "counts": {"male": 5, "female": 4}}, {"line_no": 3}], amount_minor=20_000)
    assert found["claimed_quantity_excess"] == "line 1: 9 claimed, 8 ordered"
    assert found["claimed_attribute_excess"] == "line 1: 5 male claimed, 4 ordered"
    assert found["claimed_unknown_lines"] == "claimed lines 3; the order has 1"
    assert found["claimed_amount_excess"] == "200.00 claimed, the order cost 195.00"


def test_nothing_to_add_up_says_nothing() -> None:
    assert of() == {}


def test_a_value_is_told_in_the_words_and_the_unit_of_its_feature() -> None:
    assert plainly("claim_before_delivery", 1.0, 1.0) == "The claim was sent before the moment of the delivery that it is about"
    assert plainly("account_age_days", 3.25, 2.0).endswith(": 3.25 days (limit 2)")
    assert plainly("attribute_chat_turns", 7.0, 5.0) == "The shop's chat_turns: 7 (limit 5)"
