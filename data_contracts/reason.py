"""Reason codes: stable ids of what spoke for or against a request, with a text for the analyst and one for the buyer, in two languages."""

import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, Literal, TypeAlias, get_args

from data_contracts.errors import ContractError
from data_contracts.score import Family

Speaks: TypeAlias = Literal["against", "for", "either"]
"""Which way a reason counts: `against` and `either` are shown when they raised the risk, `for` when it lowered it."""


class Language(StrEnum):
    """The languages of every text."""

    EN = "en"
    ZH = "zh"


@dataclass(frozen=True, slots=True)
class Texts:
    """One reason in one language. `buyer` may be shown to the buyer, `analyst` may not."""

    analyst: str
    buyer: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One code; `family` is null for the policy's own reasons, which are no evidence.

    `holds_above`: what the texts state is so for a request with a feature of this reason above that value; null: they state nothing of the kind.
    """

    code: str
    family: Family | None
    speaks: Speaks
    texts: Mapping[Language, Texts]
    holds_above: float | None = None


def _reason(code: str, row: Mapping[str, Any]) -> Reason:
    if row["family"] not in (*get_args(Family), "policy") or row["speaks"] not in get_args(Speaks):
        message = f"reasons.toml: {code} has family {row['family']!r} and speaks {row['speaks']!r}; see the head of the file for what they may be"
        raise ContractError(message, field=code)
    texts = {language: Texts(**row[language.value]) for language in Language}
    return Reason(code, None if row["family"] == "policy" else row["family"], row["speaks"], types.MappingProxyType(texts), row.get("holds_above"))


def _load() -> Mapping[str, Reason]:
    rows = tomllib.loads(files("data_contracts").joinpath("reasons.toml").read_text(encoding="utf-8"))
    return types.MappingProxyType({code: _reason(code, row) for code, row in rows.items()})


REASONS: Mapping[str, Reason] = _load()
"""Every reason code, in the order of `reasons.toml`."""


def reason(code: str) -> Reason:
    """The reason of that code. ContractError: there is none."""
    found = REASONS.get(code)
    if found is None:
        message = f"no reason code {code}; data_contracts/reasons.toml lists the {len(REASONS)} that exist"
        raise ContractError(message, field="code")
    return found
