"""A moment as callers say it: a date and a time with a zone, in a text."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from data_contracts.fields import to_utc


def no_number(said: object) -> object:
    """What was given. ValueError: a number, also as a text: nobody can tell whether it counts seconds or milliseconds."""
    if isinstance(said, int | float) or (isinstance(said, str) and "-" not in said.strip()[1:]):
        message = "is no date and time; expected e.g. 2026-11-01T09:30:00Z"
        raise ValueError(message)
    return said


Moment = Annotated[datetime, Field(strict=False), BeforeValidator(no_number), AfterValidator(to_utc)]
"""As `data_contracts.fields.Moment`, which tables have; text alone is taken here."""
