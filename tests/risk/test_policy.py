from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contributions import Scored
from data_contracts.decision import Action, Decision
from data_contracts.score import Contribution
from data_contracts.snapshot import Facts
from features.catalog import FEATURES
from risk.capacity import within_capacity
from risk.details import plainly
from risk.policy import PLAIN, Circumstances, conclude, load, weigh
from risk.terms import Excuse, Policy, Rule, cheapest
from tests.risk.builders import contributions_of

POLICY = load(None)
NOTHING = Facts({}, {})
HIGH = 0.995


def a_score(probability: float, **log_odds: float) -> Scored:
    """A score whose contributions add up to so much by family."""
    reasons = {"image": "IMAGE_SHARED", "behaviour": "BUYER_CLAIMS_OFTEN", "mismatch": "CLAIM_TIMING", "links": "LINKED_MONEY", "context": "AMOUNT"}
    parts = [Contribution(name, name, reasons[name], 2.0, odds) for name, odds in log_odds.items()]  # type: ignore[arg-type]
    return Scored(probability, lambda: contributions_of(*parts))


def decide(score: Scored | None, known: Facts, amount_minor: int | None, policy: Policy, around: Circumstances = PLAIN) -> Decision:
    """A decision with what moved its score, asked or not."""
    weighed = weigh(None if score is None else score.probability, known, amount_minor, policy, around)
    return conclude(weighed, None if score is None else score.contributions())


def codes(decision: Decision) -> list[str]:
    return [finding.code for finding in decision.findings]


def facts(**values: float | None) -> Facts:
    return Facts(dict(values), {})


def test_a_cheap_harmless_request_is_approved() -> None:
    assert decide(a_score(0.01), NOTHING, 5_000, POLICY).action is Action.APPROVE


def test_no_score_means_a_person_looks() -> None:
    decision = decide(None, NOTHING, 100, POLICY)
    assert decision.action is Action.REVIEW
    assert codes(decision) == ["NO_SCORE"]
    assert decision.rank_value == 100


def test_an_unknown_amount_means_a_person_looks() -> None:
    decision = decide(a_score(0.0001), NOTHING, None, POLICY)
    assert (decision.action, codes(decision)[0]) == (Action.REVIEW, "AMOUNT_UNKNOWN")


def test_the_cheapest_action_follows_probability_and_amount() -> None:
    actions = [decide(a_score(p, image=1.0, links=1.0), NOTHING, 20_000, POLICY).action for p in (0.01, 0.4, HIGH)]
    assert actions == [Action.APPROVE, Action.REVIEW, Action.BLOCK]
    assert decide(a_score(0.2), NOTHING, 1_000, POLICY).action is Action.APPROVE
    assert decide(a_score(0.2), NOTHING, 100_000, POLICY).action is Action.REVIEW


def test_a_tie_is_never_a_block() -> None:
    assert cheapest({Action.APPROVE: 1.0, Action.REVIEW: 2.0, Action.BLOCK: 1.0}) is Action.APPROVE
    assert cheapest({Action.APPROVE: 2.0, Action.REVIEW: 1.0, Action.BLOCK: 1.0}) is Action.REVIEW


def test_a_block_needs_two_families() -> None:
    one = decide(a_score(HIGH, image=3.0), NOTHING, 20_000, POLICY)
    assert one.action is Action.REVIEW
    assert "BLOCK_NEEDS_SECOND_FAMILY" in codes(one)
    assert decide(a_score(HIGH, image=3.0, behaviour=0.5), NOTHING, 20_000, POLICY).action is Action.BLOCK


def test_context_is_no_second_family() -> None:
    assert decide(a_score(HIGH, image=3.0, context=3.0), NOTHING, 20_000, POLICY).action is Action.REVIEW


def test_a_weak_or_exonerating_family_does_not_count() -> None:
    assert decide(a_score(HIGH, image=3.0, links=0.1), NOTHING, 20_000, POLICY).action is Action.REVIEW
    assert decide(a_score(HIGH, image=3.0, links=-2.0), NOTHING, 20_000, POLICY).action is Action.REVIEW


def test_a_hard_finding_is_a_family_of_its_own() -> None:
    decision = decide(a_score(HIGH, image=3.0), facts(observed_over_claimed=1.0), 20_000, POLICY)
    assert decision.action is Action.BLOCK
    assert "EVIDENCE_CONTRADICTS_CLAIM" in codes(decision)


def test_a_block_without_contributions_is_a_review() -> None:
    assert decide(a_score(HIGH), NOTHING, 20_000, POLICY).action is Action.REVIEW


def test_a_bad_batch_turns_a_block_into_a_review() -> None:
    decision = decide(a_score(HIGH, image=3.0, links=3.0), facts(lot_claimants_30d=30.0), 20_000, POLICY)
    assert decision.action is Action.REVIEW
    assert "LOT_CLAIMS_HIGH" in codes(decision)
    assert "BLOCK_CHEAPEST" not in codes(decision)


def test_a_hard_finding_overrules_a_harmless_score_and_brings_its_arithmetic() -> None:
    circumstances = Circumstances({"observed_over_claimed": "3 male + 4 female = 7 needed, 6 claimed"})
    decision = decide(a_score(0.001), facts(observed_over_claimed=1.0), 20_000, POLICY, circumstances)
    assert decision.action is Action.REVIEW
    found = next(finding for finding in decision.findings if finding.code == "EVIDENCE_CONTRADICTS_CLAIM")
    assert found.detail == "3 male + 4 female = 7 needed, 6 claimed"
    assert "APPROVE_CHEAPEST" in codes(decision)


def test_a_finding_without_arithmetic_is_told_in_the_words_of_the_catalogue() -> None:
    decision = decide(a_score(0.001), facts(image_other_accounts_365d=2.0, claimed_amount_excess=500.0), 20_000, POLICY)
    told = {finding.code: finding.detail for finding in decision.findings}
    assert told["IMAGE_SHARED"] == "Other accounts on an image of this request, in the last 365 days: 2 (limit 1)"
    assert told["CLAIM_AMOUNT_EXCEEDS_ORDER"] == "The amount claimed less what the order cost: 5.00 (limit 0.01)"


@pytest.mark.parametrize("rule", [*POLICY.rules, *POLICY.excuses], ids=lambda rule: rule.feature)
def test_no_finding_of_a_rule_names_what_only_the_code_knows(rule: Rule | Excuse) -> None:
    assert rule.feature not in plainly(rule.feature, 1.0, rule.at_least)


def test_what_speaks_for_the_buyer_does_not_hide_a_finding() -> None:
    decision = decide(a_score(0.001), facts(account_honest_365d=9.0, claimed_amount_excess=500.0), 20_000, POLICY)
    assert decision.action is Action.REVIEW
    assert {"BUYER_HISTORY_GOOD", "CLAIM_AMOUNT_EXCEEDS_ORDER"} <= set(codes(decision))


def test_an_identity_match_may_block_alone() -> None:
    rule = Rule(feature="card_other_abuse_365d", at_least=1, action=Action.BLOCK, reason="LINKED_CONFIRMED_ABUSE", identity_match=True)
    policy = replace(POLICY, rules=(*POLICY.rules, rule))
    assert decide(a_score(0.3), facts(card_other_abuse_365d=1.0), 20_000, policy).action is Action.BLOCK
    assert decide(a_score(0.3), facts(card_other_abuse_365d=1.0, lot_claimants_30d=9.0), 20_000, policy).action is Action.REVIEW


def test_a_blocking_rule_alone_is_one_family() -> None:
    rule = Rule(feature="card_other_abuse_365d", at_least=1, action=Action.BLOCK, reason="LINKED_CONFIRMED_ABUSE")
    policy = replace(POLICY, rules=(rule,))
    assert decide(a_score(0.001), facts(card_other_abuse_365d=1.0), 20_000, policy).action is Action.REVIEW


def test_a_silent_source_allows_small_approvals_only() -> None:
    silent = Circumstances({}, ("neighbourhood",))
    assert decide(a_score(0.001), NOTHING, 5_000, POLICY, silent).action is Action.APPROVE
    decision = decide(a_score(0.001), NOTHING, 5_001, POLICY, silent)
    assert (decision.action, "SOURCE_MISSING" in codes(decision)) == (Action.REVIEW, True)


def test_an_unknown_fact_triggers_nothing() -> None:
    assert decide(a_score(0.001), facts(observed_over_claimed=None), 20_000, POLICY).action is Action.APPROVE


def test_explanations_name_signed_sums_and_never_change_the_action() -> None:
    decision = decide(a_score(0.4, links=0.8, context=-2.0), NOTHING, 20_000, POLICY)
    found = next(finding for finding in decision.findings if finding.code == "LINKED_MONEY")
    assert (found.action, found.family) == (Action.REVIEW, "links")
    assert "+0.80 log-odds" in found.detail
    assert "AMOUNT" not in codes(decision)


def test_rank_value_orders_by_what_is_saved() -> None:
    values = [decide(a_score(p), NOTHING, amount, POLICY).rank_value for p, amount in ((0.01, 20_000), (0.3, 20_000), (0.3, 200_000))]
    assert values == sorted(values)
    assert values[0] < 0 < values[1]


amounts = st.none() | st.integers(0, 10**7)
scores = st.none() | st.builds(
    a_score,
    st.floats(0, 1),
    image=st.floats(-4, 4),
    behaviour=st.floats(-4, 4),
    mismatch=st.floats(-4, 4),
    links=st.floats(-4, 4),
    context=st.floats(-4, 4),
)
limits: list[Rule | Excuse] = [*POLICY.rules, *POLICY.excuses]
looked_at = sorted({limit.feature for limit in limits})
values = st.fixed_dictionaries({}, optional={name: st.none() | st.floats(-5, 50) for name in looked_at})
circumstances = st.builds(Circumstances, st.just({}), st.sampled_from([(), ("slow",), ("neighbourhood", "slow")]))


@settings(max_examples=300, deadline=None)
@given(scores, values, amounts, circumstances)
def test_nothing_is_approved_by_omission_and_nothing_blocked_by_one_family(
    score: Scored | None, known: dict[str, float | None], amount: int | None, around: Circumstances
) -> None:
    decision = decide(score, Facts(known, {}), amount, POLICY, around)
    assert decision.findings
    assert decision.action is max((finding.action for finding in decision.findings), key=lambda action: action.severity)
    if decision.action is Action.APPROVE:
        assert score is not None
        assert amount is not None
        assert decision.expected_cost_minor["approve"] == min(decision.expected_cost_minor.values())
        assert not around.degraded or amount <= POLICY.degraded_approve_minor
        assert all(not _fires(rule, known) for rule in POLICY.rules if rule.action is not Action.APPROVE)
    if decision.action is Action.BLOCK:
        assert len(_against(score, known)) >= 2
        assert not any(_fires(excuse, known) for excuse in POLICY.excuses)


def _fires(limit: Rule | Excuse, known: dict[str, float | None]) -> bool:
    value = known.get(limit.feature)
    return value is not None and value >= limit.at_least


def _against(score: Scored | None, known: dict[str, float | None]) -> set[str]:
    found = {family for family, total in score.contributions().by_family().items() if total >= POLICY.family_log_odds} if score else set()
    found |= {str(finding.family) for finding in decide(None, Facts(known, {}), None, POLICY).findings if finding.action is not Action.APPROVE}
    return found & {"image", "behaviour", "mismatch", "links"}


def reviews(count: int) -> list[Decision]:
    return [decide(a_score(0.3), NOTHING, 20_000 + 100 * place, POLICY) for place in range(count)]


def test_reviews_behind_the_capacity_wait() -> None:
    decided = within_capacity(reviews(10), replace(POLICY, capacity_share=0.3))
    assert all(decision.action is Action.REVIEW for decision in decided)
    waiting = [place for place, decision in enumerate(decided) if "REVIEW_CAPACITY" in codes(decision)]
    assert waiting == list(range(7))


def test_a_full_queue_may_approve_what_only_cost_asked_for() -> None:
    policy = replace(POLICY, capacity_share=0.1, when_full="cheapest")
    contradicted = decide(a_score(0.2), facts(observed_over_claimed=1.0), 10, policy)
    decided = within_capacity([contradicted, decide(None, NOTHING, 10, policy), *reviews(10)], policy)
    assert [decision.action for decision in decided[:2]] == [Action.REVIEW, Action.REVIEW]
    approved = [decision for decision in decided if decision.action is Action.APPROVE]
    assert len(approved) == 10
    assert all(codes(decision)[0] == "REVIEW_CAPACITY" for decision in approved)
    assert all(finding.action is Action.APPROVE for decision in approved for finding in decision.findings)


def test_a_full_queue_never_blocks() -> None:
    policy = replace(POLICY, capacity_share=0.01, when_full="cheapest")
    likely = [decide(a_score(HIGH, image=3.0), NOTHING, 20_000, policy) for _ in range(5)]
    assert {decision.action for decision in within_capacity(likely, policy)} == {Action.REVIEW}


def test_the_catalogue_has_every_feature_the_policy_names() -> None:
    assert set(looked_at) <= {feature.name for feature in FEATURES}


def test_costs_of_a_known_truth_are_what_happened() -> None:
    costs = POLICY.costs
    assert costs.expected(10_000, 0.0)[Action.APPROVE] == 0
    assert costs.expected(10_000, 1.0)[Action.APPROVE] == 10_000
    assert costs.expected(10_000, 1.0)[Action.BLOCK] == 0
    assert costs.expected(10_000, 0.0)[Action.BLOCK] == costs.honest_refused(10_000)


@pytest.mark.parametrize("amount", [0, 1, 10**12])
def test_any_amount_can_be_weighed(amount: int) -> None:
    assert decide(a_score(0.5), NOTHING, amount, POLICY).expected_cost_minor.keys() == {"approve", "review", "block"}


def test_a_reason_is_said_only_where_it_is_so() -> None:
    for value, said in ((-10.0, False), (None, False), (10.0, True)):
        part = Contribution("claimed_amount_excess", "mismatch", "CLAIM_AMOUNT_EXCEEDS_ORDER", value, 2.0)
        decision = decide(Scored(0.5, lambda part=part: contributions_of(part)), NOTHING, 20_000, POLICY)  # type: ignore[misc]
        assert ("CLAIM_AMOUNT_EXCEEDS_ORDER" in codes(decision)) is said
