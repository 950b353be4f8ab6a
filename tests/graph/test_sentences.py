import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.rings import build_rings
from graph.uses import seen_before
from tests.graph.histories import at, history, request

SCRIPT = "The courier left nothing and I expect a full refund to my card."


def texts(*said: str | None) -> dict[str, pl.DataFrame]:
    requests = [request(f"r{number}", f"a{number}", 10 + number) | {"text": text} for number, text in enumerate(said)]
    return history(requests, [])


def sentences(tables: dict[str, pl.DataFrame], hour: float = 1_000) -> list[tuple[str, list[str]]]:
    uses = seen_before(tables, at(hour)).uses.filter(pl.col("entity_id").str.starts_with("snt_"))
    return [(name, part["buyer"].to_list()) for (name,), part in uses.group_by(["entity_id"], maintain_order=True)]


def test_a_copied_sentence_ties_texts_that_differ_otherwise() -> None:
    tables = texts(SCRIPT, f"Hi! {SCRIPT} My cat was sad about it, too.", SCRIPT.upper().replace(",", ""), "It came broken in three places.")
    # the second text's own line is rarer than the script, so the first and third are tied by the script and the second is not
    assert [buyers for _, buyers in sentences(tables)] == [["a0", "a2"]]
    tables = texts(SCRIPT, f"Hi! {SCRIPT} Thanks. 42", SCRIPT)
    assert [buyers for _, buyers in sentences(tables)] == [["a0", "a1", "a2"]]


def test_phrases_missing_texts_and_texts_known_later_tie_nobody() -> None:
    assert sentences(texts("please refund", "Please refund!", None, "", "?!")) == []
    tables = texts(SCRIPT, SCRIPT)
    assert sentences(tables, 11) == []
    assert len(sentences(tables, 12)) == 1


def test_of_two_shared_sentences_the_rarer_one_counts() -> None:
    common = "Kindly refund to the original payment method."
    tables = texts(
        f"{SCRIPT} {common}", f"{SCRIPT} {common}", f"I waited for eleven days at home. {common}", f"Nothing came on the third of May. {common}"
    )
    assert [buyers for _, buyers in sentences(tables)] == [["a0", "a1"]]


def test_a_copied_long_sentence_alone_makes_a_candidate_ring() -> None:
    build = build_rings(texts(*[SCRIPT + end for end in ("", " Bye. 1", " Bye. 2", " 77")]), at(100))
    assert [ring.members for ring in build.rings] == [("a0", "a1", "a2", "a3")]


@given(st.lists(st.one_of(st.none(), st.text(max_size=60), st.just(SCRIPT)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_texts_give_entities_of_at_least_two_writers(said: list[str | None]) -> None:
    assert all(len(buyers) > 1 for _, buyers in sentences(texts(*said)))
