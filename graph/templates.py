"""Which texts are one template: equal but for names, numbers and small edits.

A text is reduced to its words in one form (numbers masked, greetings, signatures, case and punctuation gone) and then to the set of its runs of
SHINGLE characters. MinHash with locality-sensitive hashing finds earlier texts that share at least ALIKE of their runs; the text takes the template
of the earliest of them. Texts are read in the order in which they became known, so a template's id never changes by what comes later.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.75
SHINGLE = 4
HASHES = 128
BANDS, ROWS = 25, 5
"""An earlier text is looked at more closely when one of so many runs of so many hashes is equal: nearly surely from a likeness of 0.6 on."""

Sketch = NDArray[np.uint32]

LONG_ENOUGH = 24
"""Characters from which a reduced text is compared by likeness; a shorter one is a phrase, and only equal phrases are one template."""

_GREETING = re.compile(r"^\s*(?:hello|hi|hey|dear|good (?:morning|day|afternoon|evening))\b[^,.!?:;\n]{0,40}[,.!?:;\n]\s*", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"[\s,.!]*(?:(?:kind|best|warm) regards|regards|sincerely|cheers|many thanks|thank you|thanks)[\s,.!]*(?:[^\W\d_]+[\s.]*){0,3}$", re.IGNORECASE
)
_SIGNED = ("regards", "ncerely", "cheers", "thank")
"""What no signature is without: to look for these first takes a hundredth of the time. No letter i, which has other forms in Turkish."""
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NO_LETTER = re.compile(r"[^\w]+|_+")


def reduced(text: str) -> str:
    """The words of a text in one form.

    >>> reduced("Hello Anna, order 12-345 came BROKEN!!  Kind regards, Tom Miller")
    'order 0 came broken'
    """
    plain = _GREETING.sub("", unicodedata.normalize("NFKC", text))
    lower = plain.lower()
    if any(word in lower for word in _SIGNED):
        plain = _SIGNATURE.sub("", plain)
    words = _NO_LETTER.sub(" ", _NUMBER.sub("0", plain).casefold()).strip()
    return words or _NO_LETTER.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def template_id(words: str) -> str:
    """The id of the template that a reduced text founds."""
    return f"tpl_{hashlib.sha256(words.encode()).hexdigest()[:24]}"


class Templates:
    """The templates seen so far; a text that is like none of them founds one. Not safe to call from several threads at once.

    `most` templates and wordings are kept (5 KB each), the oldest go first; null: all of them.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._bands: tuple[dict[bytes, tuple[str, ...]], ...] = tuple({} for _ in range(BANDS))
        self._founded: dict[str, tuple[int, Sketch]] = {}
        self._known: dict[str, str] = {}
        self._count = 0

    def id_of(self, text: str) -> str | None:
        """The template of a text, founded by it when it is new; None when there is no letter or digit in it."""
        words = reduced(text)
        if not words:
            return None
        if words not in self._known:
            self._known[words] = self._like(words)
            self._forget()
        return self._known[words]

    def ids_of(self, texts: Iterable[str | None]) -> list[str | None]:
        """The templates of many texts, in the order in which they became known; None for no text."""
        return [None if text is None else self.id_of(text) for text in texts]

    def _like(self, words: str) -> str:
        if len(words) < LONG_ENOUGH:
            return template_id(words)
        sketch = _sketch(words)
        parts = list(zip(self._bands, _parts(sketch), strict=True))
        near = {name for band, part in parts for name in band.get(part, ())}
        found = [(self._founded[name][0], name) for name in near if np.count_nonzero(self._founded[name][1] == sketch) >= ALIKE * HASHES]
        if found:
            return min(found)[1]
        name = template_id(words)
        self._founded[name] = (self._count, sketch)
        self._count += 1
        for band, part in parts:
            band[part] = (*band.get(part, ()), name)
        return name

    def _forget(self) -> None:
        """What is over the limit; a service that kept every text that ever came would grow for ever."""
        if self._most is None:
            return
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        if len(self._founded) > self._most:
            oldest = next(iter(self._founded))
            _, sketch = self._founded.pop(oldest)
            for band, part in zip(self._bands, _parts(sketch), strict=True):
                left = tuple(name for name in band[part] if name != oldest)
                if left:
                    band[part] = left
                else:
                    del band[part]


def _parts(sketch: Sketch) -> list[bytes]:
    """The runs of hashes that are compared as a whole."""
    raw = sketch.tobytes()
    size = ROWS * sketch.itemsize
    return [raw[start : start + size] for start in range(0, BANDS * size, size)]


def _sketch(words: str) -> Sketch:
    """The MinHash of a text: of each permutation the least value that a run of its letters has."""
    text = words.replace(" ", "")
    runs = {text[start : start + SHINGLE] for start in range(max(len(text) - SHINGLE + 1, 1))}
    factors, shifts = _permutations()
    least: Sketch = (np.fromiter(map(_hashed, runs), np.uint32, len(runs))[:, None] * factors + shifts).min(axis=0)
    return least


@cache
def _permutations() -> tuple[Sketch, Sketch]:
    """HASHES permutations x -> factor * x + shift of the numbers below 2^32, the same ones always: stored templates were found with them."""
    draw = np.random.RandomState(1)  # as above
    return draw.randint(0, 1 << 31, HASHES, dtype=np.uint32) * np.uint32(2) + np.uint32(1), draw.randint(0, 1 << 32, HASHES, dtype=np.uint32)


@lru_cache(maxsize=1 << 16)
def _hashed(run: str) -> int:
    """The hash of some letters, mixed once more (MurmurHash3's end), as the permutations want it. A language has few frequent runs."""
    found = int.from_bytes(hashlib.blake2b(run.encode(), digest_size=4).digest(), "little")
    found = (found ^ found >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    found = (found ^ found >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return found ^ found >> 16
