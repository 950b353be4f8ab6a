"""A decision's record as it lies in the ledger: JSON that people can read, with nothing said twice.

A feature without a value is named once, under its reason. Features stand in the order of the catalogue; only the snapshot, which holds what callers
sent, is put in order.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter

import msgspec
from pydantic import TypeAdapter

from data_contracts.decision import DecisionRecord
from data_contracts.snapshot import Facts

_RECORD = TypeAdapter(DecisionRecord)
_FIELDS = tuple(field.name for field in fields(DecisionRecord))
_all_of = attrgetter(*_FIELDS)


def encode(value: object) -> bytes:
    """Canonical JSON: sorted keys, shortest floats, UTC times. Equal values give equal bytes."""
    return msgspec.json.encode(value, order="sorted")


def written(record: DecisionRecord) -> bytes:
    """The bytes that the ledger keeps. Equal records give equal bytes."""
    said = dict(zip(_FIELDS, _all_of(record), strict=True))
    return msgspec.json.encode(said | {"facts": _told(record.facts), "snapshot": msgspec.Raw(encode(record.snapshot))})


def read(body: bytes) -> DecisionRecord:
    """The record that was written so, or by an earlier version, which named every feature without a value twice."""
    said = msgspec.json.decode(body)
    values, missing = said["facts"]["values"], said["facts"]["missing"]
    if any(isinstance(each, list) for each in missing.values()):
        missing = {name: reason for reason, names in missing.items() for name in names}
    said["facts"] = {"values": {**values, **dict.fromkeys(missing)}, "missing": missing}
    return _RECORD.validate_python(said)


def _told(facts: Facts) -> Mapping[str, object]:
    missing: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in facts.missing.items():
        missing[reason].append(name)
    known = {name: value for name, value in facts.values.items() if value is not None or name not in facts.missing}
    return {"values": known, "missing": missing}
