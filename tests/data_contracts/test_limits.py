"""Limits are read off the records, and a constraint of an unknown kind cannot slip through."""

from typing import Annotated

import polars as pl
import pytest
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from data_contracts import limits
from data_contracts.limits import is_event, table_limits
from data_contracts.tables import TABLES, dtype, required, schema


@pytest.mark.parametrize("table", TABLES)
def test_limits_agree_with_the_tables_schema(table: str) -> None:
    found = {limit.column: limit for limit in table_limits(table)}
    assert {name: limit.dtype for name, limit in found.items()} == dict(schema(table))
    assert {name for name, limit in found.items() if not limit.nullable} == set(required(table))


@pytest.mark.parametrize("table", TABLES)
def test_every_column_says_what_it_expects(table: str) -> None:
    for limit in table_limits(table):
        assert limit.expected
        assert limit.expected.endswith(", or null") == limit.nullable
        assert "None" not in limit.expected


def test_limits_are_those_of_the_fields() -> None:
    found = {limit.column: limit for limit in table_limits("refund_requests")}
    assert (found["request_id"].strip, found["request_id"].min_length, found["request_id"].max_length) == (True, 1, 128)
    assert (found["amount_minor"].ge, found["amount_minor"].le) == (0, 10**12)
    assert found["currency"].pattern == "^[A-Z]{3}$"
    assert found["claim_type"].allowed[:2] == ("damaged", "dead_on_arrival")


def test_tables_with_both_times_are_events() -> None:
    assert is_event("refund_requests")
    assert not is_event("order_lines")


@dataclass
class Odd:
    """A record with a constraint that the table checks have not learnt."""

    size: Annotated[int, Field(multiple_of=3)]


@dataclass
class Strange:
    """A record with a rule that the table checks have not learnt."""

    size: int

    @model_validator(mode="after")
    def is_round(self) -> "Strange":
        return self


@pytest.mark.parametrize(("record", "said"), [(Odd, "MultipleOf"), (Strange, "is_round")])
def test_a_constraint_of_an_unknown_kind_is_refused(monkeypatch: pytest.MonkeyPatch, record: type, said: str) -> None:
    monkeypatch.setattr(limits, "TABLES", {"odd": record})
    assert dtype(int) == pl.Int64()
    with pytest.raises(TypeError, match=said):
        table_limits("odd")
