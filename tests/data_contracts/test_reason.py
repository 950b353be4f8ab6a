import re

import pytest

from data_contracts.errors import ContractError
from data_contracts.reason import REASONS, Language, Reason, reason

every_reason = pytest.mark.parametrize("each", REASONS.values(), ids=lambda each: each.code)

RECIPE = re.compile(r"generat|AI\b|PDQ|hash|score|threshold|fraud|abus|liar|lying|fake|device|\bIP\b|model|suspect", re.IGNORECASE)
ACCUSING = re.compile(r"欺诈|造假|伪造|骗|恶意|滥用|虚假|黑名单|违规|模型|评分|算法|设备|作弊")


@every_reason
def test_has_all_four_texts(each: Reason) -> None:
    for language in Language:
        assert each.texts[language].analyst.strip()
        assert each.texts[language].buyer.strip()


@every_reason
def test_the_texts_are_in_their_language(each: Reason) -> None:
    assert not re.search(r"[一-鿿]", each.texts[Language.EN].analyst + each.texts[Language.EN].buyer)
    assert re.search(r"[一-鿿]", each.texts[Language.ZH].analyst)
    assert re.search(r"[一-鿿]", each.texts[Language.ZH].buyer)


@every_reason
def test_the_buyer_is_not_accused_and_gets_no_recipe(each: Reason) -> None:
    assert not RECIPE.search(each.texts[Language.EN].buyer)
    assert not ACCUSING.search(each.texts[Language.ZH].buyer)


@every_reason
def test_texts_are_sentences(each: Reason) -> None:
    assert each.texts[Language.EN].analyst.endswith((".", "?"))
    assert each.texts[Language.EN].buyer.endswith((".", "?"))
    assert each.texts[Language.ZH].analyst.endswith("。")
    assert each.texts[Language.ZH].buyer.endswith("。")


def test_analyst_texts_differ_from_each_other() -> None:
    for language in Language:
        said = [each.texts[language].analyst for each in REASONS.values()]
        assert len(set(said)) == len(said)


def test_an_unknown_code_is_named() -> None:
    with pytest.raises(ContractError, match="no reason code NOPE"):
        reason("NOPE")


def test_context_never_counts_as_an_accusation_alone() -> None:
    assert all(each.speaks != "against" for each in REASONS.values() if each.family == "context")
