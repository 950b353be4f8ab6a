"""One refund request as it was asked: checked, pseudonymised, with the identity that makes asking twice safe."""

from dataclasses import dataclass

from data_contracts.asked import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Asked):
    """What the caller said, and nothing that we knew before: an order that was only named is null here, then the stored one counts.

    (request id, revision) is its identity; `payload_sha256` covers the rest, after pseudonymisation, so the same identity with another payload is
    recognised.
    """

    revision: int
    payload_sha256: str
    awaiting: tuple[str, ...] = ()
    """Files that were not measured when the caller's deadline passed; where there are any, the decision is provisional."""
    follows: str | None = None
    """The provisional decision that this one finishes; null for a question that a caller asks."""
    only_measured: bool = False
    """Whether to decide only if all of its files that were taken in have been looked at."""

    @property
    def again(self) -> bool:
        """Whether an earlier decision of the same request stands before this one."""
        return self.revision > 1 or self.follows is not None
