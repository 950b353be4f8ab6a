"""Personal identifiers become keyed hashes here, at the edge; nothing behind it ever sees a raw one."""

import hashlib
import hmac
import re
from collections.abc import Iterable

LENGTH = 32
"""Hex digits kept: 128 bits, far beyond chance collisions."""


def pseudonym(key: bytes, entity_type: str, raw: str) -> str:
    """HMAC-SHA256 of type and identifier, as 32 hex digits. The same identifier of two types gives two unrelated hashes."""
    return hmac.new(key, f"{entity_type}\x00{raw}".encode(), hashlib.sha256).hexdigest()[:LENGTH]


def pseudonyms(key: bytes, entity_type: str, raws: Iterable[str]) -> list[str]:
    """The pseudonyms of many identifiers of one type: the key and the type are taken in once, which halves the time."""
    started = hmac.new(key, f"{entity_type}\x00".encode(), hashlib.sha256)
    found = []
    for raw in raws:
        digest = started.copy()
        digest.update(raw.encode())
        found.append(digest.hexdigest()[:LENGTH])
    return found


def text_id(text: str) -> str | None:
    """The entity of a claim's wording: equal for texts that differ in case, spaces and punctuation only; null when no letter or digit is left."""
    letters = re.sub(r"[\W_]+", "", text.lower())
    return f"txt_{hashlib.sha256(letters.encode()).hexdigest()[:16]}" if letters else None
