"""The import map: which column of a merchant's file is which field of the contract. A TOML file, checked whole before any row is read."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self, TypeVar

import polars as pl
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from data_contracts.columns import ATTRIBUTE_NAME
from data_contracts.errors import ContractError
from data_contracts.fields import Currency, Moment
from data_contracts.label import LabelSource
from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.request import ClaimType

_CONFIG = ConfigDict(extra="forbid")
_DELAY = re.compile(r"^(\d+(?:\.\d+)?) (minute|hour|day|week)s?$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OTHERWISE = "*"
"""In `[request.claim_types]`: every word that is not listed."""


def _known_zone(name: str) -> str:
    try:
        pl.Series([datetime(2026, 1, 1)]).dt.replace_time_zone(name)  # noqa: DTZ001  # a clock on the wall is the point
    except pl.exceptions.PolarsError as error:
        message = f"no such time zone; expected a name such as UTC, Asia/Shanghai or Europe/Berlin ({name})"
        raise ValueError(message) from error
    return name


def _readable_delay(text: str) -> str:
    if not _DELAY.match(text):
        message = "no delay; expected a number and a unit, e.g. '7 days' or '12 hours'"
        raise ValueError(message)
    return text


def _linkable(entity: EntityType) -> EntityType:
    if entity not in LINK_TYPES:
        message = f"no link type; expected one of {', '.join(LINK_TYPES)}"
        raise ValueError(message)
    return entity


Column = Annotated[str, StringConstraints(min_length=1)]
"""The name of a column of the source, exactly as in its header."""

Zone = Annotated[str, AfterValidator(_known_zone)]
"""A time zone by its name in the time zone database."""

Delay = Annotated[str, AfterValidator(_readable_delay)]
"""A stretch of time in words: `7 days`, `12 hours`."""

Map = TypeVar("Map")

Columns = Column | Annotated[tuple[Column, ...], Field(min_length=1)]
"""One column, or several that hold the same kind of thing."""

Attributes = tuple[Column, ...] | dict[str, Column]
"""The shop's own columns: their names, or feature name = column where a column's name will not do."""

Words = Annotated[tuple[bool | int | str, ...], Field(min_length=1)]
"""Cell values; compared as text, in any case."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class SourceFormat:
    """How the file is written. `encoding` auto: by its byte-order mark, else UTF-8. `nulls`: cells that mean not known, besides blank ones."""

    format: Literal["csv", "parquet"] | None = None
    separator: Annotated[str, StringConstraints(pattern=r"^[\t -~]$")] = ","
    quote: Annotated[str, StringConstraints(pattern=r"^[!-~]?$")] = '"'
    encoding: str = "auto"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    nulls: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.separator == self.quote:
            message = f"separator and quote are both {self.quote!r}; expected two different marks"
            raise ValueError(message)
        if self.thousands == self.decimal:
            message = f"thousands and decimal are both {self.decimal!r}; expected two different marks"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class TimeFormat:
    """How moments are written.

    iso: ISO 8601; those without an offset are read in `zone`. pattern: a strptime pattern with %z, or in `zone`.
    number: `unit`s since `origin` (1970 UTC when left out). `ambiguous`: what to do with the hour that a clock shows twice in autumn.
    """

    format: Literal["iso", "pattern", "number"] = "iso"
    pattern: str | None = None
    zone: Zone | None = None
    ambiguous: Literal["reject", "earlier", "later"] = "reject"
    unit: Literal["us", "ms", "s", "minutes", "hours", "days"] | None = None
    origin: Moment = _EPOCH

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.format == "number" and self.unit is None:
            raise ValueError("a number needs its unit, e.g. unit = 's'")
        if self.format == "pattern":
            if self.pattern is None:
                raise ValueError("a pattern is missing, e.g. pattern = '%d/%m/%Y %H:%M'")
            if ("%z" in self.pattern or "%:z" in self.pattern) == (self.zone is not None):
                raise ValueError("a pattern needs either %z or a zone, e.g. zone = 'Asia/Shanghai', not both")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class RequestColumns:
    """The column of each field of a refund request; what is left out is not known. `known_at` is `occurred_at` when left out.

    `amount_decimals`: what to do with more decimals than the currency has (a float's 95.85000000000001): reject the row, or round them.
    """

    request_id: Column
    occurred_at: Column
    known_at: Column | None = None
    account_id: Column | None = None
    order_id: Column | None = None
    seller_id: Column | None = None
    claim_type: Column | None = None
    claim_types: dict[str, ClaimType] = Field(default_factory=dict)
    text: Column | None = None
    same_items: Column | None = None
    amount: Column | None = None
    amount_unit: Literal["major", "minor"] = "major"
    amount_decimals: Literal["reject", "round"] = "reject"
    currency: Column | None = None
    default_currency: Currency | None = None
    time: TimeFormat = Field(default_factory=TimeFormat)

    @model_validator(mode="after")
    def _amount_has_currency(self) -> Self:
        if self.amount is not None and self.amount_unit == "major" and self.currency is None and self.default_currency is None:
            raise ValueError("an amount in major units needs its currency: set currency (a column) or default_currency, e.g. 'CNY'")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class AttributeColumns:
    """The shop's own columns, which pass through to the model as numbers or as categories."""

    numeric: Attributes = ()
    categorical: Attributes = ()

    @model_validator(mode="after")
    def _usable_names(self) -> Self:
        names = [*named(self.numeric), *named(self.categorical)]
        for name in names:
            if not ATTRIBUTE_NAME.match(name) or name == "request_id":
                message = f"{name!r} cannot be a feature's name; use the form name = column, e.g. [attributes.numeric] age = {name!r}"
                raise ValueError(message)
            if names.count(name) > 1:
                message = f"{name!r} stands there twice; expected each once"
                raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class LabelColumn:
    """Where the answer stands and when it is known: `known_after` the request became known, or in the column `known_at`.

    A value that is neither positive (abuse) nor negative (honest) is not known.
    """

    column: Column
    positive: Words
    negative: Words = Field(default=(), min_length=0)
    known_after: Delay | None = None
    known_at: Column | None = None
    source: LabelSource = LabelSource.CHARGEBACK

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.known_after is None) == (self.known_at is None):
            raise ValueError("a label needs either known_after, e.g. '7 days', or known_at (a column): without it the future would leak")
        both = {as_text(word) for word in self.positive} & {as_text(word) for word in self.negative}
        if both:
            message = f"{', '.join(sorted(both))} is positive and negative; expected one of them"
            raise ValueError(message)
        return self

    @property
    def delay(self) -> timedelta:
        """`known_after` as a stretch of time; zero when the moment comes from a column."""
        found = _DELAY.match(self.known_after or "")
        return timedelta() if found is None else timedelta(**{f"{found[2]}s": float(found[1])})


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class AccountColumns:
    """When the buyer's account was opened; its time format is the request's when left out."""

    opened_at: Column
    time: TimeFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ImportMap:
    """The whole map: one row of the source is one refund request with its links, attributes and label.

    `phone_region` is the country (ISO 3166) in which telephone numbers without country code are dialled.
    """

    request: RequestColumns
    version: Literal[1] = 1
    phone_region: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    source: SourceFormat = Field(default_factory=SourceFormat)
    links: dict[Annotated[EntityType, AfterValidator(_linkable)], Columns] = Field(default_factory=dict)
    attributes: AttributeColumns = Field(default_factory=AttributeColumns)
    label: LabelColumn | None = None
    account: AccountColumns | None = None

    @model_validator(mode="after")
    def _account_is_named(self) -> Self:
        if self.account is not None and self.request.account_id is None:
            raise ValueError("[account] needs [request] account_id: whose account is it?")
        return self

    def columns(self) -> Iterator[tuple[str, str]]:
        """(place in the map, column of the source) for every column that the map names."""
        request = self.request
        for field in (
            "request_id",
            "occurred_at",
            "known_at",
            "account_id",
            "order_id",
            "seller_id",
            "claim_type",
            "text",
            "same_items",
            "amount",
            "currency",
        ):
            column = getattr(request, field)
            if column is not None:
                yield f"request.{field}", column
        for entity, columns in self.links.items():
            yield from ((f"links.{entity}", column) for column in several(columns))
        yield from ((f"attributes.numeric.{name}", column) for name, column in named(self.attributes.numeric).items())
        yield from ((f"attributes.categorical.{name}", column) for name, column in named(self.attributes.categorical).items())
        if self.label is not None:
            yield "label.column", self.label.column
            if self.label.known_at is not None:
                yield "label.known_at", self.label.known_at
        if self.account is not None:
            yield "account.opened_at", self.account.opened_at


def several(columns: Columns) -> tuple[str, ...]:
    """One column or several, as several."""
    return (columns,) if isinstance(columns, str) else columns


def named(attributes: Attributes) -> Mapping[str, str]:
    """Feature name -> column."""
    return attributes if isinstance(attributes, dict) else {name: name for name in attributes}


def as_text(word: bool | int | str) -> str:  # noqa: FBT001  # a TOML value, not a switch
    """A cell value as it is compared: stripped, in lower case."""
    return str(word).strip().lower()


def parse_map(text: str, name: str) -> ImportMap:
    """The map in a TOML text; `name` is how messages call it. ContractError: no TOML, or it says what cannot be."""
    return parsed(TypeAdapter(ImportMap), text, name)


def parsed(kind: TypeAdapter[Map], text: str, name: str) -> Map:
    """The same for a map of any kind."""
    try:
        return kind.validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = f"{name} is no TOML: {error}. Correct it there"
        raise ContractError(message, field=name) from error
    except ValidationError as error:
        wrong = [_in_words(detail) for detail in error.errors(include_url=False)]
        message = f"{name}: " + "; ".join(dict.fromkeys(wrong)) + ". data_contracts/README.md describes the import map"
        raise ContractError(message, field=".".join(str(part) for part in error.errors()[0]["loc"])) from error


def _in_words(detail: ErrorDetails) -> str:
    place = ".".join(str(part) for part in detail["loc"]) or "the map"
    said = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "missing":
        return f"{place} is missing"
    if detail["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{place} is not a setting"
    got = "" if isinstance(detail["input"], dict) or detail["type"] == "value_error" else f" (got {detail['input']!r})"
    return f"{place}: {said}{got}"
