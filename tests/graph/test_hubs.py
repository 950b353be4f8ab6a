import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.hubs import CERTAIN, discounted, entities_of, fit
from graph.uses import seen_before
from tests.graph.histories import at, history, label, link, request
from tests.graph.ring_stories import ring_world


def weights(tables: dict, hour: float = 1_000) -> dict[str, float]:  # type: ignore[type-arg]
    return dict(discounted(entities_of(seen_before(tables, at(hour)))).select("entity_id", "weight").iter_rows())


def test_an_entity_of_many_people_says_less_than_one_of_few() -> None:
    found = weights(ring_world())
    assert found["ring-device"] > 0.5
    assert found["dormitory"] < 0.01
    assert found["nat"] < 0.01


def test_every_user_judged_honest_speaks_against_the_entity_and_every_abuser_for_it() -> None:
    people = [f"a{number}" for number in range(3)]
    requests = [request(f"r{name}", name, 10) for name in people]
    links = [link(name, "device", 1) for name in people]
    honest = weights(history(requests, links, [label("ra0", "honest", 20)]))["device"]
    unknown = weights(history(requests, links))["device"]
    abuse = weights(history(requests, links, [label("ra0", "abuse", 20)]))["device"]
    assert honest < unknown < abuse


def test_labels_count_only_after_they_are_known() -> None:
    people = [f"a{number}" for number in range(3)]
    tables = history([request(f"r{name}", name, 10) for name in people], [link(name, "d", 1) for name in people], [label("ra0", "abuse", 50)])
    assert weights(tables, 50) == weights(history([request(f"r{name}", name, 10) for name in people], [link(name, "d", 1) for name in people]))
    assert weights(tables, 51) != weights(tables, 50)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.001, 0.6), st.integers(0, 50), st.integers(0, 50)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_weights_are_probabilities_whatever_was_judged(rows: list[tuple[int, float, int, int]]) -> None:
    kind = np.array([row[0] for row in rows], dtype=np.int64)
    prior = np.array([row[1] for row in rows], dtype=np.float64)
    honest, abusers = (np.array([row[place] for row in rows], dtype=np.float64) for place in (2, 3))
    found, learned = fit(kind, prior, honest + abusers, abusers)
    assert np.all((found >= 0) & (found <= CERTAIN))
    assert 0 < learned.usual < learned.tool < 1
