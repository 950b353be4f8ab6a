"""Links in memory, sorted from both sides, so that what one node is tied to before a moment is a slice: no search grows with the whole."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

import numpy as np
import polars as pl

from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.tables import schema
from data_contracts.timeline import Entity
from graph.events import microseconds
from graph.union_find import Ints
from graph.uses import claims_before


class Use(NamedTuple):
    """One use of an entity by an account."""

    account_id: str
    entity: Entity
    known_us: int


class Standing(NamedTuple):
    """What is known of an account: its requests, those confirmed as abuse, and the money claimed in minor units."""

    claims: int = 0
    confirmed: int = 0
    amount_minor: int = 0


class LinkSource(Protocol):
    """Where a view reads from: a table in memory, or a store with an index on each side."""

    def uses_of(self, node: Entity, before_us: int, most: int) -> tuple[list[Use], int]:
        """The latest `most` uses of an entity, or by an account, known strictly before a moment, latest first; and how many there are in all."""
        ...

    def standing(self, account_id: str) -> Standing:
        """What is known of an account as of the source's moment."""
        ...


class TableLinks:
    """A LinkSource over tables. Standings are as of the moment that it is made for; uses can be asked for any moment up to it."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], as_of: datetime) -> None:
        known_us = pl.col("known_at").dt.epoch("us")
        links = tables["links"] if "links" in tables else pl.DataFrame(schema=schema("links"))
        links = links.filter(
            (known_us < microseconds(as_of)) & pl.col("account_id").is_not_null() & pl.col("entity_type").is_in([str(kind) for kind in LINK_TYPES])
        ).select(entity=pl.concat_str("entity_type", "entity_id", separator="\x00"), account="account_id", known_us=known_us)
        self._accounts = _Side.of(links, "account", "entity")
        self._entities = _Side.of(links, "entity", "account")
        claims = claims_before(tables, microseconds(as_of))
        counted = claims.group_by("buyer").agg(pl.len(), pl.col("abuse").sum(), pl.col("amount_minor").sum())
        self._standings = {buyer: Standing(*rest) for buyer, *rest in counted.iter_rows()}

    def uses_of(self, node: Entity, before_us: int, most: int) -> tuple[list[Use], int]:
        """As LinkSource says; a node that nobody knows has no uses."""
        if node.type is EntityType.ACCOUNT:
            rows, total = self._accounts.latest(node.id, before_us, most)
            return [Use(node.id, _entity(name), known_us) for name, known_us in rows], total
        rows, total = self._entities.latest(f"{node.type}\x00{node.id}", before_us, most)
        return [Use(name, node, known_us) for name, known_us in rows], total

    def standing(self, account_id: str) -> Standing:
        """As LinkSource says; an account without requests has none of anything."""
        return self._standings.get(account_id, Standing())


class _Side:
    """The uses grouped by one of their ends, each group in the order of time."""

    def __init__(self, names: Mapping[str, tuple[int, int]], known_us: Ints, others: pl.Series) -> None:
        self._names, self._known_us, self._others = names, known_us, others

    @classmethod
    def of(cls, links: pl.DataFrame, by: str, other: str) -> "_Side":
        ordered = links.sort(by, "known_us", other)
        runs = ordered.group_by(by, maintain_order=True).len()
        ends = runs["len"].cum_sum().to_list()
        names = {name: (end - size, end) for name, size, end in zip(runs[by].to_list(), runs["len"].to_list(), ends, strict=True)}
        return cls(names, ordered["known_us"].to_numpy(), ordered[other])

    def latest(self, name: str, before_us: int, most: int) -> tuple[list[tuple[str, int]], int]:
        start, end = self._names.get(name, (0, 0))
        end = start + int(np.searchsorted(self._known_us[start:end], before_us))
        first = max(start, end - most)
        others = self._others[first:end].to_list()
        return list(zip(reversed(others), self._known_us[first:end][::-1].tolist(), strict=True)), end - start


def _entity(name: str) -> Entity:
    kind, entity_id = name.split("\x00", 1)
    return Entity(EntityType(kind), entity_id)
