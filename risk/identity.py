"""Personal identifiers become keyed hashes here, at the edge; nothing behind it ever sees a raw one.

Before it is hashed an identifier is brought into one form: a hash can be compared but for equality. Another form is another hash, so how it is done
has a number, SCHEME, and an installation keeps the one that it began with.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from data_contracts.link import EntityType
from graph.entities import NOBODY, one_form
from graph.normalise import Outcome

LENGTH = 32
"""Hex digits kept: 128 bits, far beyond chance collisions."""
BLOCK = 64
"""Bytes of a block of SHA-256."""

AS_WRITTEN, SCHEME = 1, 2
"""How identifiers are hashed. 1: as they are written. 2: in one form (`graph/normalise.py`), and what names nobody is left out."""


class Identified(NamedTuple):
    """The id of an entity, and what became of the identifier; null when it names nobody."""

    id: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Identifiers:
    """How one installation reads identifiers. `region` (ISO 3166) is where telephone numbers without country code are dialled; empty: nowhere."""

    pseudonym: Callable[[str, str], str]
    region: str = ""
    scheme: int = SCHEME

    def of(self, entity_type: EntityType, raw: str, account_id: str | None = None) -> Identified:
        """The id of a raw identifier that came with that account."""
        if self.scheme == AS_WRITTEN:
            return Identified(self.pseudonym(entity_type, raw), Outcome.KEPT)
        normal = one_form(entity_type, raw, self.region)
        if normal.value is None or normal.outcome in NOBODY:
            return Identified(None, normal.outcome)
        if account_id is not None and raw.strip() == account_id:
            return Identified(None, Outcome.SELF)
        return Identified(self.pseudonym(entity_type, normal.value), normal.outcome)


def pseudonym(key: bytes, entity_type: str, raw: str) -> str:
    """HMAC-SHA256 of type and identifier, as 32 hex digits. The same identifier of two types gives two unrelated hashes."""
    begun, ending = _begun(key)
    inner, outer = begun.copy(), ending.copy()
    inner.update(f"{entity_type}\x00{raw}".encode())
    outer.update(inner.digest())
    return outer.hexdigest()[:LENGTH]


@cache
def _begun(key: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The two hashes that HMAC (RFC 2104) is made of, with the key taken in: `hmac` takes three times as long to take it in for every identifier."""
    block = (key if len(key) <= BLOCK else hashlib.sha256(key).digest()).ljust(BLOCK, b"\0")
    return hashlib.sha256(bytes(each ^ 0x36 for each in block)), hashlib.sha256(bytes(each ^ 0x5C for each in block))


def text_id(text: str) -> str | None:
    """The entity of a claim's wording: equal for texts that differ in case, spaces and punctuation only; null when no letter or digit is left."""
    letters = re.sub(r"[\W_]+", "", text.lower())
    return f"txt_{hashlib.sha256(letters.encode()).hexdigest()[:16]}" if letters else None
