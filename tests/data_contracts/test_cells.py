"""Cells read exactly or not at all."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.cells import digits_of, minor_units, plain_number
from data_contracts.currency import MAX_DIGITS, UNUSUAL_DIGITS, minor_digits


def one(text: str | None, expression: pl.Expr) -> object:
    return pl.DataFrame({"x": [text]}, schema={"x": pl.String}).select(expression).item()


@settings(max_examples=150, deadline=None)
@given(amount=st.decimals(-(10**12), 10**12, allow_nan=False, places=4), digits=st.integers(0, MAX_DIGITS))
def test_minor_units_are_those_of_decimal_arithmetic(amount: Decimal, digits: int) -> None:
    exact = amount.scaleb(digits)
    expected = int(exact) if exact == int(exact) else None
    assert one(f"{amount:f}", minor_units(pl.col("x"), pl.lit(digits, pl.Int64))) == expected


@settings(max_examples=150, deadline=None)
@given(amount=st.decimals(-(10**9), 10**9, allow_nan=False, places=9), digits=st.integers(0, MAX_DIGITS))
def test_rounded_minor_units_are_half_away_from_zero(amount: Decimal, digits: int) -> None:
    expected = int(amount.scaleb(digits).quantize(Decimal(1), rounding="ROUND_HALF_UP"))
    assert one(f"{amount:f}", minor_units(pl.col("x"), pl.lit(digits, pl.Int64), rounded=True)) == expected


@pytest.mark.parametrize("currency", ["CNY", "JPY", "KWD", "CLF", None])
def test_digits_are_those_of_the_currency_and_null_when_it_is_not_known(currency: str | None) -> None:
    assert one(currency, digits_of(pl.col("x"))) == (None if currency is None else minor_digits(currency))


def test_no_currency_has_more_digits_than_the_most() -> None:
    assert max(UNUSUAL_DIGITS.values()) == MAX_DIGITS


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "plain"),
    [
        ("1234.5", ".", "", "1234.5"),
        ("1,234.5", ".", ",", "1234.5"),
        ("1.234.567,89", ",", ".", "1234567.89"),
        ("1234,5", ",", ".", "1234.5"),
        ("12.34", ",", ".", "?"),
        ("12.34", ",", "", "?"),
        ("1,23", ".", ",", "1,23"),
        ("1 234", ".", " ", "1234"),
        ("1'234.5", ".", "'", "1234.5"),
    ],
)
def test_marks_in_their_places_are_taken_out_and_others_spoil_the_number(text: str, decimal: str, thousands: str, plain: str) -> None:
    assert one(text, plain_number(pl.col("x"), decimal, thousands)) == plain
