"""The field types that every record is made of, with their limits."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC; contracts hold no other zone. ValueError: it has no zone, or lies outside the years 1 to 9999 there."""
    if moment.tzinfo is None:
        message = f"{moment.isoformat()} has no zone; expected e.g. {moment.isoformat()}Z or {moment.isoformat()}+08:00"
        raise ValueError(message)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        message = f"{moment.isoformat()} lies outside the years 1 to 9999 in UTC; expected a moment of our time"
        raise ValueError(message) from error


def no_null(text: str) -> str:
    """The same text. ValueError: it holds a null character, which no database keeps and no honest system sends."""
    if "\x00" in text:
        message = "holds a null character (U+0000); expected letters, digits and signs"
        raise ValueError(message)
    return text


def without_null(text: str) -> str:
    """The text without null characters: what a person pasted must not keep her from being heard."""
    return text.replace("\x00", "")


Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128), AfterValidator(no_null)]
"""An identifier: 1 to 128 characters, none of them null."""

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(no_null)]
"""A short name: a category, an attribute, a signal."""

Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(without_null)]
"""What a person wrote: at most 10,000 characters; null characters are left out."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest, lower-case hex."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code."""

AmountMinor = Annotated[int, Field(ge=0, le=10**12)]
"""Money in minor units (cents, fen): 0 to 10^12."""

Quantity = Annotated[int, Field(ge=0, le=1_000_000)]
"""A number of pieces."""

Moment = Annotated[datetime, AfterValidator(to_utc)]
"""A moment with a zone, kept in UTC to the microsecond."""

Counts = Annotated[dict[Word, Quantity], Field(max_length=64)]
"""Pieces by attribute, e.g. {"male": 4, "female": 4}; at most 64 attributes."""
