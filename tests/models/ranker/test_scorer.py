from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from data_contracts.snapshot import Facts
from models.ranker.artifact import Artifact
from models.ranker.scorer import Scorer
from tests.models.ranker.market import Market


@pytest.fixture(scope="module")
def scorer(artifact: Artifact) -> Scorer:
    return Scorer(artifact)


def facts_of(frame: pl.DataFrame) -> list[Facts]:
    return [Facts(row, {}) for row in frame.drop("request_id", "as_of", "group").to_dicts()]


def test_one_row_scores_like_the_batch_to_the_bit(market: Market, scorer: Scorer) -> None:
    batch = scorer.probabilities(market.frame)
    assert [scorer.score(facts).probability for facts in facts_of(market.frame)] == batch.tolist()


def test_one_row_contributes_like_the_batch_to_the_bit(market: Market, scorer: Scorer) -> None:
    frame = market.frame.head(50)
    one_by_one = [scorer.score(facts).contributions() for facts in facts_of(frame)]
    assert [each.log_odds.tobytes() for each in one_by_one] == [each.log_odds.tobytes() for each in scorer.contributions(frame)]
    assert [each.largest() for each in one_by_one] == [each.largest() for each in scorer.contributions(frame)]


def test_contributions_add_up_to_the_raw_score_largest_first(market: Market, scorer: Scorer) -> None:
    raw = scorer.raw(market.frame.head(100))
    for parts, score in zip(scorer.contributions(market.frame.head(100)), raw, strict=True):
        assert sum(part.log_odds for part in parts.largest()) + scorer.base_log_odds == pytest.approx(score, abs=1e-9)
        sizes = [abs(part.log_odds) for part in parts.largest()]
        assert sizes == sorted(sizes, reverse=True)
        assert [part.feature for part in parts.largest(2)] == [part.feature for part in parts.largest()][:2]


def test_a_contribution_carries_its_value_family_and_reason(market: Market, scorer: Scorer) -> None:
    row = market.frame.head(1)
    declared = {feature.name: feature for feature in market.features}
    for part in next(scorer.contributions(row)).largest():
        assert part.value == row[part.feature][0]
        assert (part.family, part.reason) == (declared[part.feature].family, declared[part.feature].reason)


def test_a_higher_raw_score_is_a_higher_probability(market: Market, scorer: Scorer) -> None:
    raw, probability = scorer.raw(market.frame), scorer.probabilities(market.frame)
    order = np.argsort(raw, kind="stable")
    rises = np.diff(raw[order]) > 1e-9
    assert (np.diff(probability[order])[rises] > 0).all()
    assert len(np.unique(probability)) == len(np.unique(raw))


def test_facts_that_lack_a_feature_are_refused(scorer: Scorer) -> None:
    with pytest.raises(KeyError, match="number_0"):
        scorer.score(Facts({}, {}))


def test_a_word_never_seen_is_scored_as_missing(market: Market, scorer: Scorer) -> None:
    facts = facts_of(market.frame.head(1))[0].values
    unseen, missing = (scorer.score(Facts({**facts, "word": word}, {})).probability for word in ("never seen", None))
    assert unseen == missing


def test_an_empty_frame_scores_to_nothing(market: Market, scorer: Scorer) -> None:
    assert len(scorer.probabilities(market.frame.clear())) == 0
    assert list(scorer.contributions(market.frame.clear())) == []


def test_threads_that_share_a_scorer_do_not_mix_rows(market: Market, scorer: Scorer) -> None:
    rows = facts_of(market.frame.head(300))

    def told(facts: Facts) -> tuple[float, dict[str, float]]:
        scored = scorer.score(facts)
        return scored.probability, scored.contributions().kept()

    alone = [told(facts) for facts in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(told, rows)) == alone
