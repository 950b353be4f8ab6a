import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.hubs import CERTAIN, GUESS, Looks, discounted, entities_of, fit
from graph.uses import seen_before
from tests.graph.histories import at, history, label, link, request
from tests.graph.ring_stories import ring_world

PEOPLE = [f"a{number}" for number in range(3)]


def weights(tables: dict[str, pl.DataFrame], hour: float = 1_000) -> dict[str, float]:
    return dict(discounted(entities_of(seen_before(tables, at(hour)))).select("entity_id", "weight").iter_rows())


def test_an_entity_of_many_people_says_less_than_one_of_few() -> None:
    found = weights(ring_world())
    assert found["ring-device"] > 0.5
    assert found["dormitory"] < 0.01
    assert found["nat"] < 0.01


def test_every_user_judged_honest_speaks_against_the_entity_and_every_abuser_for_it() -> None:
    requests = [request(f"r{name}", name, 10) for name in PEOPLE]
    links = [link(name, "device", 1) for name in PEOPLE]
    honest = weights(history(requests, links, [label("ra0", "honest", 20)]))["device"]
    unknown = weights(history(requests, links))["device"]
    abuse = weights(history(requests, links, [label("ra0", "abuse", 20)]))["device"]
    assert honest < unknown < abuse


def test_labels_count_only_after_they_are_known() -> None:
    tables = history([request(f"r{name}", name, 10) for name in PEOPLE], [link(name, "d", 1) for name in PEOPLE], [label("ra0", "abuse", 50)])
    assert weights(tables, 50) == weights(history([request(f"r{name}", name, 10) for name in PEOPLE], [link(name, "d", 1) for name in PEOPLE]))
    assert weights(tables, 51) != weights(tables, 50)


@pytest.mark.parametrize("value", ["abuse", "honest"])
def test_the_discount_of_a_kind_is_learned_from_what_was_judged_of_others(value: str) -> None:
    pairs = [(f"a{number}", f"b{number}") for number in range(200)]
    requests = [request(f"r{name}", name, 10) for pair in pairs for name in pair]
    links = [link(name, f"card-{pair[0]}", 1, "card") for pair in pairs for name in pair]
    judged = [label(f"r{name}", value, 20) for pair in pairs[1:] for name in pair]
    before, after = (weights(history(requests, links, judged), hour)["card-a0"] for hour in (20, 21))
    assert (after > before + 0.05) if value == "abuse" else (after < before - 0.05)


def test_a_picture_from_one_seller_s_page_ties_nobody_and_one_shown_to_several_sellers_does() -> None:
    requests = [request(f"r{number}", f"a{number}", 10) | {"seller_id": "one" if number < 3 else f"s{number}"} for number in range(6)]
    links = [link(f"a{number}", "page" if number < 3 else "pool", 10, "image", f"r{number}") for number in range(6)]
    found = weights(history(requests, links))
    assert found["page"] < 0.1
    assert found["pool"] > 0.5


def test_a_phrase_that_thousands_write_ties_nobody_even_when_they_are_all_abusers() -> None:
    names = [f"a{number}" for number in range(600)]
    requests = [request(f"r{name}", name, 10) for name in names]
    links = [link(name, "phrase", 10, "text", f"r{name}") for name in names]
    labels = [label(f"r{name}", "abuse", 20) for name in names[:20]]
    assert weights(history(requests, links, labels))["phrase"] < 0.05


@given(st.lists(st.tuples(st.floats(0, 12), st.floats(-8, 0), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_weights_are_probabilities_whatever_was_judged(rows: list[tuple[float, float, int, int]]) -> None:
    claimants, share, honest, abusers = (np.array([row[place] for row in rows], dtype=np.float64) for place in range(4))
    signs = np.column_stack([np.ones(len(rows)), claimants, share, np.zeros(len(rows)), np.zeros(len(rows))])
    for guess in GUESS.values():
        found = fit(Looks(signs, -claimants, 0.6 * (abusers - honest)), np.array(guess))
        assert np.all((found >= 0) & (found <= CERTAIN))


def test_an_account_that_never_had_time_to_claim_does_not_speak_for_the_things_it_uses() -> None:
    requests = [request(f"r{name}", name, 300) for name in ("a", "b")]
    own = [link(name, "device", 1) | {"order_id": f"o{name}"} for name in ("a", "b")]
    honest = [link(name, "device", 2) | {"order_id": f"o{name}"} for name in ("c", "d", "e")]
    fresh = [link(name, "device", 290) | {"order_id": f"o{name}"} for name in ("c", "d", "e")]
    assert weights(history(requests, own + fresh), 310)["device"] == weights(history(requests, own), 310)["device"]
    assert weights(history(requests, own + honest), 310)["device"] < weights(history(requests, own), 310)["device"]
