import polars as pl

from features.catalog import by_name
from models.ranker.rules import PLAIN, Limit, Rules


def test_every_rule_reads_a_number_of_the_catalogue() -> None:
    assert [limit.feature for limit in PLAIN.limits if limit.feature not in by_name] == []


def test_points_add_up_and_lead_to_an_action() -> None:
    rules = Rules((Limit("a", 1, 2, "-"), Limit("b", 0.5, 3, "-")))
    frame = pl.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.4, 0.4, 0.5]})
    points = rules.points(frame)
    assert points.tolist() == [0.0, 2.0, 5.0]
    assert rules.actions(points) == ["approve", "review", "block"]


def test_what_is_not_known_gives_no_points() -> None:
    rules = Rules((Limit("a", 0, 2, "-"), Limit("absent", 0, 9, "-")))
    assert rules.points(pl.DataFrame({"a": [None]}, schema={"a": pl.Float64})).tolist() == [0.0]
