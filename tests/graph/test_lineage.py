from hypothesis import given, settings
from hypothesis import strategies as st

from graph.lineage import Step, Turn, name_groups
from tests.graph.histories import at

NOW = at(0)


def test_the_largest_part_of_a_split_keeps_the_name_and_the_other_knows_where_it_is_from() -> None:
    named = name_groups([("a", "b", "c"), ("d", "e")], {"old": tuple("abcde")}, NOW)
    assert named.ring_ids[0] == "old"
    assert Step(named.ring_ids[1], Turn.SPLIT, NOW, "old", 2) in named.steps


def test_a_merger_keeps_the_name_of_the_larger_one() -> None:
    named = name_groups([tuple("abcde")], {"small": ("a", "b"), "large": ("c", "d", "e")}, NOW)
    assert named.ring_ids == ("large",)
    assert Step("small", Turn.MERGED, NOW, "large", 2) in named.steps


def test_a_ring_without_heirs_has_ended_and_a_group_without_ancestors_is_born() -> None:
    named = name_groups([("x", "y", "z")], {"old": ("a", "b", "c")}, NOW)
    assert {step.turn for step in named.steps} == {Turn.BORN, Turn.ENDED}


GROUPINGS = st.lists(st.integers(0, 5), min_size=1, max_size=20)


def groups(assignment: list[int]) -> list[tuple[str, ...]]:
    return [tuple(f"m{place}" for place, group in enumerate(assignment) if group == number) for number in sorted(set(assignment))]


@given(GROUPINGS, GROUPINGS)
@settings(max_examples=100, deadline=None)
def test_every_name_is_given_once_and_every_earlier_ring_is_accounted_for(then: list[int], now: list[int]) -> None:
    earlier = {f"old{number}": members for number, members in enumerate(groups(then))}
    named = name_groups(groups(now), earlier, NOW)
    assert len(set(named.ring_ids)) == len(groups(now))
    gone = {step.ring_id for step in named.steps if step.turn in (Turn.MERGED, Turn.ENDED)}
    assert gone == set(earlier) - set(named.ring_ids)
    again = name_groups(groups(now), dict(zip(named.ring_ids, groups(now), strict=True)), at(1))
    assert again.ring_ids == named.ring_ids
    assert {step.turn for step in again.steps} == {Turn.SAME}
