"""The chain through the ledger: each row carries the hash of the row before and its own, so no row can be edited, removed or moved unnoticed.

Whoever can write to the database could compute a new chain from a changed row on. So keep the head elsewhere from time to time (`ledger verify`
prints it): a chain in which a head that was once noted is no longer found was rewritten or cut off.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GENESIS = "0" * 64
"""What the first row has before it."""

MOST_BREAKS = 100
"""Breaks that are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the ledger as the chain sees it; `content` are its columns in their order."""

    decision_id: str
    content: Sequence[object]
    previous: str
    own: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold. what: `edited` (not what it was) or `out_of_order` (the row before was removed, added, moved)."""

    decision_id: str
    what: str
    after: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found. head: the hash to keep elsewhere, null for an empty ledger. breaks: the first ones; broken: of all."""

    checked: int
    head: str | None
    broken: int
    breaks: tuple[Break, ...]
    head_found: bool | None

    @property
    def ok(self) -> bool:
        """Whether every row is what it was, in its place, and the head that was asked for is among them."""
        return not self.broken and self.head_found is not False


def row_hash(previous: str, content: Sequence[object]) -> str:
    """SHA-256 over the hash before and every column, each with its length before it, so that no two contents read alike."""
    digest = hashlib.sha256(previous.encode())
    for value in content:
        part = value if isinstance(value, bytes) else str(value).encode()
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def verify(links: Iterable[Link], noted_head: str | None = None) -> Verification:
    """Walk the chain from its beginning; `noted_head` is a head that was kept elsewhere and must be found (null: none was)."""
    checked, broken, previous, after = 0, 0, GENESIS, None
    breaks: list[Break] = []
    found = False
    for link in links:
        checked += 1
        wrong = [
            what
            for what, is_wrong in (("edited", row_hash(link.previous, link.content) != link.own), ("out_of_order", link.previous != previous))
            if is_wrong
        ]
        broken += len(wrong)
        breaks += [Break(link.decision_id, what, after) for what in wrong[: MOST_BREAKS - len(breaks)]]
        found |= link.own == noted_head
        previous, after = link.own, link.decision_id
    return Verification(checked, previous if checked else None, broken, tuple(breaks), found if noted_head else None)
