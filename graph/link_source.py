"""What a view reads its links from: uses, counts and standings as of a moment. The service answers from its store (`risk/stores/links.py`)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from data_contracts.timeline import Entity


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
    """Where a view reads from: a table in memory, or a store with an index on each side. Everything is strictly before a moment."""

    def latest(self, nodes: Sequence[Entity], before_us: int, most: int) -> Mapping[Entity, Sequence[Use]]:
        """The latest `most` uses of each entity, and by each account, latest first; of one moment the last by name first."""
        ...

    def counts(self, nodes: Sequence[Entity], before_us: int) -> Mapping[Entity, int]:
        """How many uses of each node there are in all."""
        ...

    def standings(self, account_ids: Sequence[str], before_us: int) -> Mapping[str, Standing]:
        """What is known of each account; one of whom nothing is known may be left out."""
        ...
