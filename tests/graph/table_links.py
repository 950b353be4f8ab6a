"""Links in memory, sorted from both sides, so that what one node is tied to before a moment is a slice: what the stored links are held against."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from data_contracts.label import LabelValue
from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.tables import schema
from data_contracts.timeline import NEVER, Entity
from graph.events import microseconds
from graph.link_source import Standing, Use
from graph.union_find import Ints
from graph.uses import claims_before


class TableLinks:
    """A LinkSource over tables, for any moment up to the one that it is made for."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], as_of: datetime) -> None:
        known_us = pl.col("known_at").dt.epoch("us")
        links = tables["links"] if "links" in tables else pl.DataFrame(schema=schema("links"))
        links = (
            links.filter(
                (known_us < microseconds(as_of))
                & pl.col("account_id").is_not_null()
                & pl.col("entity_type").is_in([str(kind) for kind in LINK_TYPES])
            )
            .unique()
            .select(entity=pl.concat_str("entity_type", "entity_id", separator="\x00"), account="account_id", known_us=known_us)
        )
        self._accounts = _Side.of(links, "account", "entity")
        self._entities = _Side.of(links, "entity", "account")
        self._turns: Mapping[str, list[tuple[int, ...]]] = _turns(tables, microseconds(as_of)).rows_by_key("buyer")

    def latest(self, nodes: Sequence[Entity], before_us: int, most: int) -> dict[Entity, list[Use]]:
        """As LinkSource says; a node that nobody knows has no uses."""
        found: dict[Entity, list[Use]] = {}
        for node in nodes:
            if node.type is EntityType.ACCOUNT:
                found[node] = [Use(node.id, _entity(name), known_us) for name, known_us in self._accounts.latest(node.id, before_us, most)]
            else:
                found[node] = [Use(name, node, known_us) for name, known_us in self._entities.latest(_name(node), before_us, most)]
        return found

    def counts(self, nodes: Sequence[Entity], before_us: int) -> dict[Entity, int]:
        """As LinkSource says."""
        return {
            node: self._accounts.count(node.id, before_us) if node.type is EntityType.ACCOUNT else self._entities.count(_name(node), before_us)
            for node in nodes
        }

    def standings(self, account_ids: Sequence[str], before_us: int) -> dict[str, Standing]:
        """As LinkSource says."""
        return {account_id: _standing(self._turns[account_id], before_us) for account_id in account_ids if account_id in self._turns}


def _standing(turns: Sequence[tuple[int, ...]], before_us: int) -> Standing:
    counted = [rest for known_us, until_us, *rest in turns if known_us < before_us <= until_us]
    return Standing(*(sum(column) for column in zip(*counted, strict=True))) if counted else Standing()


def _turns(tables: Mapping[str, pl.DataFrame], as_of_us: int) -> pl.DataFrame:
    """buyer, known_us, until_us, claims, confirmed, amount_minor: what each request and each label adds to a standing, and from when to when."""
    claims = claims_before(tables, as_of_us)
    made = claims.select(
        "buyer",
        "known_us",
        until_us=pl.lit(NEVER),
        claims=pl.lit(1, pl.Int64),
        confirmed=pl.lit(0, pl.Int64),
        amount_minor=pl.col("amount_minor").fill_null(0),
    )
    labels = tables["labels"] if "labels" in tables else pl.DataFrame(schema=schema("labels"))
    said = labels.join(claims.select("request_id", "buyer", asked_us="known_us"), on="request_id", how="inner").with_columns(
        known_us=pl.max_horizontal(pl.col("known_at").dt.epoch("us"), "asked_us"), abuse=pl.col("value") == LabelValue.ABUSE
    )
    said = said.sort("request_id", "known_us", "source", "abuse").with_columns(
        until_us=pl.col("known_us").shift(-1).over("request_id").fill_null(NEVER)
    )
    judged = said.select(
        "buyer",
        "known_us",
        "until_us",
        claims=pl.lit(0, pl.Int64),
        confirmed=pl.col("abuse").cast(pl.Int64),
        amount_minor=pl.lit(0, pl.Int64),
    )
    return pl.concat([made, judged])


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

    def _before(self, name: str, before_us: int) -> tuple[int, int]:
        start, end = self._names.get(name, (0, 0))
        return start, start + int(np.searchsorted(self._known_us[start:end], before_us))

    def count(self, name: str, before_us: int) -> int:
        start, end = self._before(name, before_us)
        return end - start

    def latest(self, name: str, before_us: int, most: int) -> list[tuple[str, int]]:
        start, end = self._before(name, before_us)
        first = max(start, end - most)
        others = self._others[first:end].to_list()
        return list(zip(reversed(others), self._known_us[first:end][::-1].tolist(), strict=True))


def _name(node: Entity) -> str:
    return f"{node.type}\x00{node.id}"


def _entity(name: str) -> Entity:
    kind, entity_id = name.split("\x00", 1)
    return Entity(EntityType(kind), entity_id)
