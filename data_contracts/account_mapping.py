"""The map of an account graph: a table of accounts with labels and attributes, and an edge list. A TOML file, checked before any row is read."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from data_contracts.columns import ATTRIBUTE_NAME
from data_contracts.mapping import AttributeColumns, Column, SourceFormat, TimeFormat, Words, as_text, named

_CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class NodeLabel:
    """Where it stands what an account turned out to be. A value that is neither positive (abuse) nor negative (honest) is not known."""

    column: Column
    positive: Words
    negative: Words

    @model_validator(mode="after")
    def _differ(self) -> Self:
        both = {as_text(word) for word in self.positive} & {as_text(word) for word in self.negative}
        if both:
            message = f"{', '.join(sorted(both))} is positive and negative; expected one of them"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Nodes:
    """The file of accounts, one row each, and its columns."""

    file: Column
    account_id: Column
    label: NodeLabel | None = None
    attributes: AttributeColumns = Field(default_factory=AttributeColumns)
    source: SourceFormat = Field(default_factory=SourceFormat)

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        taken = [name for name in (*named(self.attributes.numeric), *named(self.attributes.categorical)) if name in ("account_id", "label")]
        if taken or not all(ATTRIBUTE_NAME.match(name) for name in named(self.attributes.numeric)):
            message = f"{', '.join(taken)} is the name of a column of ours; use the form name = column"
            raise ValueError(message)
        return self

    def columns(self) -> Iterator[tuple[str, str]]:
        """(place in the map, column of the file) for every column that the map names."""
        yield "nodes.account_id", self.account_id
        if self.label is not None:
            yield "nodes.label.column", self.label.column
        yield from ((f"nodes.attributes.numeric.{name}", column) for name, column in named(self.attributes.numeric).items())
        yield from ((f"nodes.attributes.categorical.{name}", column) for name, column in named(self.attributes.categorical).items())


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Edges:
    """The file of edges: two accounts (`account_id`, `other_id`), or an account and an entity (`account_id`, `entity_id`) of a type.

    The type is `entity_type`, or stands in the column `type`, whose words `types` translates. `time` reads `known_at`; what is to come is rejected.
    """

    file: Column
    account_id: Column
    other_id: Column | None = None
    entity_id: Column | None = None
    entity_type: Literal["device", "address", "card", "phone", "ip", "image", "text", "agent"] | None = None
    type: Column | None = None
    types: dict[str, Literal["device", "address", "card", "phone", "ip", "image", "text", "agent"]] = Field(default_factory=dict)
    known_at: Column | None = None
    time: TimeFormat = Field(default_factory=TimeFormat)
    source: SourceFormat = Field(default_factory=SourceFormat)

    @model_validator(mode="after")
    def _two_ends(self) -> Self:
        if (self.other_id is None) == (self.entity_id is None):
            raise ValueError("an edge needs a second end: other_id (an account) or entity_id (a device, an address, ...), one of them")
        if self.entity_id is not None and (self.type is None) == (self.entity_type is None):
            raise ValueError("an entity needs its type: entity_type (one for all) or type (a column), one of them")
        return self

    def columns(self) -> Iterator[tuple[str, str]]:
        """(place in the map, column of the file) for every column that the map names."""
        for field in ("account_id", "other_id", "entity_id", "type", "known_at"):
            column = getattr(self, field)
            if column is not None:
                yield f"edges.{field}", column


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class AccountMap:
    """The whole map of an account graph; its files lie in one folder."""

    nodes: Nodes
    edges: Edges
    version: Literal[1] = 1
    phone_region: str = ""
