"""What the simulator knows and nobody else may: only evaluation reads it."""

from pydantic.dataclasses import dataclass

from data_contracts.fields import Id, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The true nature of one simulated request; `ring_id` is null for people who act alone."""

    request_id: Id
    abuse: bool
    archetype: Word
    ring_id: Id | None = None
