"""Columns of a merchant's file turned into fields of the contract, as the import map says: each with its value and with what was expected of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from data_contracts.cells import digits_of, in_calendar, local_moment, minor_units, moment, plain_number, truth
from data_contracts.columns import attribute_limits
from data_contracts.errors import ContractError
from data_contracts.mapping import OTHERWISE, ImportMap, SourceFormat, TimeFormat, as_text, named, several
from data_contracts.tables import TIME

ATTRIBUTE = "attribute "
"""Prefix of attribute columns while a source is converted."""

LINK = "link "
"""Prefix of link columns while a source is converted."""

_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "minutes": 60_000_000, "hours": 3_600_000_000, "days": 86_400_000_000}
_AMBIGUOUS = {"reject": "null", "earlier": "earliest", "later": "latest"}
_WHOLE_FLOAT = 1e15
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """One field read from one column: its value, which cells are bad, and what was expected of them.

    `place` is where the map names the column.
    """

    name: str
    place: str
    column: str
    value: pl.Expr
    bad: pl.Expr
    expected: str


class Columns:
    """How each column of one source is read."""

    def __init__(self, wanted: ImportMap, found: pl.Schema) -> None:
        self.wanted = wanted
        self.found = found

    def readings(self) -> list[Reading]:
        """Every field that the map fills: of the request, then attributes, links, label and account."""
        return [*self._request(), *self._attributes(), *self._links(), *self._label(), *self._account()]

    def text(self, column: str) -> pl.Expr:
        """The cell as stripped text; null when it is blank or one of the words for not known."""
        return as_words(column, self.found[column], self.wanted.source)

    def _request(self) -> list[Reading]:
        request = self.wanted.request
        names = ("request_id", "account_id", "order_id", "seller_id", "text")
        readings = [self._plain(name, f"request.{name}", column) for name in names if (column := getattr(request, name)) is not None]
        for name in ("occurred_at", "known_at"):
            column = getattr(request, name) or request.occurred_at
            readings.append(self._moment(name, f"request.{name}", column, request.time))
        if request.claim_type is not None:
            words = {as_text(word): kind.value for word, kind in request.claim_types.items()}
            lower = self.text(request.claim_type).str.to_lowercase()
            otherwise = pl.lit(words.pop(OTHERWISE)) if OTHERWISE in words else lower
            kind = pl.when(lower.is_not_null()).then(lower.replace_strict(words, default=otherwise, return_dtype=pl.String))
            readings.append(Reading("claim_type", "request.claim_type", request.claim_type, kind, pl.lit(value=False), ""))
        if request.same_items is not None:
            text = self.text(request.same_items)
            value = truth(text)
            readings.append(Reading("same_items", "request.same_items", request.same_items, value, _unread(text, value), "true or false, or blank"))
        return [*readings, *self._money()]

    def _money(self) -> list[Reading]:
        request = self.wanted.request
        readings: list[Reading] = []
        currency = pl.lit(request.default_currency, pl.String)
        if request.currency is not None:
            currency = self.text(request.currency).str.to_uppercase().fill_null(pl.lit(request.default_currency, pl.String))
        readings.append(Reading("currency", "request.currency", request.currency or request.request_id, currency, pl.lit(value=False), ""))
        if request.amount is None:
            return readings
        text = self.text(request.amount)
        number = plain_number(text, self.wanted.source.decimal, self.wanted.source.thousands)
        digits = digits_of(currency) if request.amount_unit == "major" else pl.when(number.is_not_null()).then(pl.lit(0, pl.Int64))
        value = minor_units(number, digits, rounded=request.amount_decimals == "round")
        kind = (
            "with no more decimals than its currency has, e.g. 374.56 (amount_decimals in the map)"
            if request.amount_unit == "major"
            else "in whole minor units, e.g. 37456"
        )
        expected = f"an amount of at least 0, {kind}, and its currency"
        readings.append(
            Reading("amount_minor", "request.amount", request.amount, value, _unread(text, value) | (value < 0).fill_null(value=False), expected)
        )
        return readings

    def _attributes(self) -> list[Reading]:
        readings: list[Reading] = []
        source = self.wanted.source
        for name, column in named(self.wanted.attributes.numeric).items():
            text = self.text(column)
            if self.found[column] == pl.Boolean():
                value = pl.col(column).cast(pl.Float64)
            else:
                value = plain_number(text, source.decimal, source.thousands).cast(pl.Float64, strict=False)
            bad = _unread(text, value) | (~value.is_finite()).fill_null(value=False)
            readings.append(Reading(ATTRIBUTE + name, f"attributes.numeric.{name}", column, value, bad, "a finite number, or blank"))
        for name, column in named(self.wanted.attributes.categorical).items():
            text = self.text(column)
            longest = attribute_limits(name, pl.String()).max_length or 0
            bad = (text.str.len_chars() > longest).fill_null(value=False)
            readings.append(Reading(ATTRIBUTE + name, f"attributes.categorical.{name}", column, text, bad, f"at most {longest} characters, or blank"))
        return readings

    def _links(self) -> list[Reading]:
        return [
            self._plain(f"{LINK}{entity} {column}", f"links.{entity}", column)
            for entity, columns in self.wanted.links.items()
            for column in dict.fromkeys(several(columns))
        ]

    def _label(self) -> list[Reading]:
        label = self.wanted.label
        if label is None:
            return []
        word = self.text(label.column).str.to_lowercase()
        positive = word.is_in([as_text(item) for item in label.positive])
        negative = word.is_in([as_text(item) for item in label.negative])
        value = pl.when(positive).then(pl.lit("abuse")).when(negative).then(pl.lit("honest"))
        readings = [Reading("label", "label.column", label.column, value, pl.lit(value=False), "")]
        if label.known_at is not None:
            known = self._moment("label_known_at", "label.known_at", label.known_at, self.wanted.request.time)
            bad = known.bad | (value.is_not_null() & known.value.is_null())
            readings.append(Reading(known.name, known.place, known.column, known.value, bad, known.expected + ", since the label is there"))
        return readings

    def _account(self) -> list[Reading]:
        account = self.wanted.account
        if account is None:
            return []
        return [self._moment("opened_at", "account.opened_at", account.opened_at, account.time or self.wanted.request.time)]

    def _plain(self, name: str, place: str, column: str) -> Reading:
        return Reading(name, place, column, self.text(column), pl.lit(value=False), "")

    def _moment(self, name: str, place: str, column: str, written: TimeFormat) -> Reading:
        text = self.text(column)
        value = moment_of(column, self.found[column], text, written, (place, self.wanted.source))
        return Reading(name, place, column, value, _unread(text, value), expected_time(written))


def moment_of(column: str, found: pl.DataType, text: pl.Expr, written: TimeFormat, where: tuple[str, SourceFormat]) -> pl.Expr:
    """The moments of a column; `where` is the place in the map, and how the file is written. ContractError: clock times whose zone nobody tells."""
    place, source = where
    if isinstance(found, pl.Datetime) or found == pl.Date():
        value = _from_clock(column, found, written, place)
    elif written.format == "number":
        value = _from_number(plain_number(text, source.decimal, source.thousands), written)
    elif written.format == "pattern":
        value = _from_pattern(text, written)
    else:
        local = _in_zone(local_moment(text), written) if written.zone is not None else pl.lit(None, TIME)
        value = moment(text).fill_null(local)
    return pl.when(in_calendar(value, TIME)).then(value)


def as_words(column: str, found: pl.DataType, source: SourceFormat) -> pl.Expr:
    """A cell as stripped text: whole numbers without a point, true and false in words; null when blank or one of the words for not known."""
    cell = pl.col(column)
    if found.is_float():
        whole = (cell == cell.floor()) & (cell.abs() < _WHOLE_FLOAT)
        text = pl.when(whole).then(pl.when(whole).then(cell).cast(pl.Int64, strict=False).cast(pl.String)).otherwise(cell.cast(pl.String))
        text = pl.when(~cell.is_nan()).then(text)
    else:
        text = cell.cast(pl.String).str.strip_chars()
    return pl.when((text != "") & ~text.is_in(list(source.nulls))).then(text)


def _unread(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    return text.is_not_null() & value.is_null()


def _in_zone(naive: pl.Expr, written: TimeFormat) -> pl.Expr:
    """A clock on the wall as UTC; null where the clock never showed that, and where it did so twice and the map does not say which."""
    zone = written.zone or "UTC"
    placed = naive.dt.replace_time_zone(zone, ambiguous=_AMBIGUOUS[written.ambiguous], non_existent="null")  # type: ignore[arg-type]  # all three are allowed
    return placed.dt.convert_time_zone("UTC").cast(TIME)


def _from_clock(column: str, found: pl.DataType, written: TimeFormat, place: str) -> pl.Expr:
    if isinstance(found, pl.Datetime) and found.time_zone is not None:
        return pl.when(in_calendar(pl.col(column), found)).then(pl.col(column)).cast(TIME)
    if written.zone is None:
        message = (
            f"column {column!r}, which the map names at {place}, holds times without a zone; set zone = 'UTC' or the shop's under the map's time"
        )
        raise ContractError(message, field=place)
    return _in_zone(pl.col(column).cast(pl.Datetime("us"), strict=False), written)


def _from_pattern(text: pl.Expr, written: TimeFormat) -> pl.Expr:
    if written.zone is None:
        return text.str.to_datetime(written.pattern, time_unit="us", time_zone="UTC", strict=False)
    return _in_zone(text.str.to_datetime(written.pattern, time_unit="us", strict=False), written)


def _from_number(number: pl.Expr, written: TimeFormat) -> pl.Expr:
    """Whole numbers are exact; fractions are rounded to the microsecond, which a float holds for all years of the calendar."""
    unit = _MICROSECONDS[written.unit or "s"]
    origin = (written.origin - datetime.fromtimestamp(0, written.origin.tzinfo)) // _MICROSECOND
    longest = 10**18 // unit
    whole = number.cast(pl.Int64, strict=False)
    part = number.cast(pl.Float64, strict=False)
    exact = pl.when(whole.abs() < longest).then(whole) * unit
    rounded = (pl.when(part.abs() < longest).then(part) * unit).round().cast(pl.Int64, strict=False)
    return (exact.fill_null(rounded) + origin).cast(TIME)


def expected_time(written: TimeFormat) -> str:
    """What a moment in that format looks like, in words."""
    zone = f" in {written.zone}, which its clocks show once" if written.zone else ""
    if written.format == "number":
        return f"a number of {written.unit} since {written.origin.isoformat()}"
    if written.format == "pattern":
        return f"a moment as {written.pattern}{zone}"
    return f"a moment as 2026-01-31T08:00:00{zone}" if zone else "a moment with its zone, e.g. 2026-01-31T08:00:00Z (or set zone in the map)"
