"""What each column may hold, read off the records' own constraints: one truth for single records, for tables and for what a message expects.

A constraint of a kind that this file does not know is a TypeError, so that a new kind cannot be forgotten by the table checks.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import annotated_types
import polars as pl
from pydantic import AfterValidator, StringConstraints
from pydantic.fields import FieldInfo

from data_contracts.fields import Id, no_null, to_utc, without_null
from data_contracts.request import Known
from data_contracts.tables import COUNTS, TABLES, TIME, dtype, nullable, plain

_KNOWN_RULES = frozenset({"known_after_it_occurred"})


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one column. `entries` are those of the names and of the numbers of a counts column; other unset limits do not apply."""

    column: str
    dtype: pl.DataType
    nullable: bool = False
    strip: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    ge: float | None = None
    le: float | None = None
    allowed: tuple[str, ...] = ()
    entries: tuple["Limits", "Limits"] | None = None

    @property
    def expected(self) -> str:
        """What a cell should hold, in words."""
        return self._words() + (", or null" if self.nullable else "")

    def _words(self) -> str:  # noqa: PLR0911  # one sentence a kind of column
        if self.allowed:
            return "one of " + ", ".join(self.allowed)
        if self.entries is not None:
            name, count = self.entries
            return f"up to {self.max_length} entries, each a different name ({name.expected}) with {count.expected}"
        if self.pattern is not None:
            return f"text that fits {self.pattern}"
        if self.dtype == pl.String():
            return (
                f"text of {self.min_length} to {self.max_length} characters" if self.min_length else f"text of at most {self.max_length} characters"
            )
        if self.dtype == pl.Boolean():
            return "true or false"
        if self.dtype == TIME:
            return "a moment with its zone, e.g. 2026-01-31T08:00:00Z"
        kind = "whole number" if self.dtype == pl.Int64() else "finite number"
        return f"a {kind}{_interval(self.ge, self.le)}"


def _interval(ge: float | None, le: float | None) -> str:
    if le is None:
        return "" if ge is None else f" of at least {ge}"
    return f" of at most {le}" if ge is None else f" from {ge} to {le}"


def table_limits(table: str) -> tuple[Limits, ...]:
    """The limits of every column of a table, in the order of its record. KeyError: no such table. TypeError: a constraint of an unknown kind."""
    record = TABLES[table]
    rules: set[str] = set(record.__pydantic_decorators__.model_validators)  # type: ignore[attr-defined]  # every record is a pydantic dataclass
    if rules - _KNOWN_RULES:
        message = f"{record.__name__} has rules {sorted(rules - _KNOWN_RULES)} that the table checks do not know; add them to data_contracts/sift.py"
        raise TypeError(message)
    hints = get_type_hints(record, include_extras=True)
    return tuple(_limits(field.name, hints[field.name]) for field in fields(record))


def is_event(table: str) -> bool:
    """Whether rows of the table carry occurred_at and known_at, the second not before the first."""
    return issubclass(TABLES[table], Known)


def id_limits(column: str) -> Limits:
    """The limits of an identifier that may not be null."""
    return _limits(column, Id)


def _limits(column: str, annotation: Any) -> Limits:  # noqa: ANN401  # an annotation is any object
    if nullable(annotation):
        inner = next(part for part in get_args(annotation) if part is not type(None))
        return replace(_limits(column, inner), nullable=True)
    base, metadata = (get_args(annotation)[0], get_args(annotation)[1:]) if get_origin(annotation) is Annotated else (annotation, ())
    found = Limits(column, dtype(annotation))
    if isinstance(base, type) and issubclass(base, StrEnum):
        found = replace(found, allowed=tuple(member.value for member in base))
    if plain(annotation) is dict:
        name, count = get_args(base)
        found = replace(found, dtype=COUNTS, entries=(_limits("attribute", name), _limits("count", count)))
    for item in metadata:
        found = _tightened(found, item)
    return found


def _tightened(limits: Limits, item: object) -> Limits:
    match item:
        case StringConstraints(strip_whitespace=strip, min_length=low, max_length=high, pattern=pattern):
            return replace(limits, strip=bool(strip), min_length=low, max_length=high, pattern=None if pattern is None else str(pattern))
        case FieldInfo():
            for part in item.metadata:
                limits = _tightened(limits, part)
            return limits
        case annotated_types.Ge(ge=bound) if isinstance(bound, int | float):
            return replace(limits, ge=bound)
        case annotated_types.Le(le=bound) if isinstance(bound, int | float):
            return replace(limits, le=bound)
        case annotated_types.MaxLen(max_length=length):
            return replace(limits, max_length=length)
        case AfterValidator(func=func) if func in (to_utc, no_null, without_null):
            return limits
        case _:
            message = f"{limits.column} has the constraint {item!r}, of a kind that the table checks do not know; teach data_contracts/limits.py"
            raise TypeError(message)
