"""Records of what was checked before, put together without being checked again: that takes a third of the time, and a request has a dozen.

Only for fields that a body of the API or our own store brought, one by one under the same limits; a test holds such records against their contract.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import ParamSpec, TypeVar, cast

Given = ParamSpec("Given")
Record = TypeVar("Record")


def unchecked(record: Callable[Given, Record]) -> Callable[Given, Record]:
    """The constructor of a frozen record with slots, without its checks: fields by name. KeyError: one without a default is left out."""
    kind = cast("type[Record]", record)
    declared = fields(kind)  # type: ignore[arg-type]  # every record is a dataclass
    defaults = {each.name: each.default for each in declared if each.default is not MISSING}
    setters = [(each.name, getattr(kind, each.name).__set__) for each in declared]  # of its slots: the record itself lets nobody set anything

    def made(*_: Given.args, **given: Given.kwargs) -> Record:
        one = object.__new__(kind)
        for name, put in setters:
            put(one, given[name] if name in given else defaults[name])
        return one

    return made
