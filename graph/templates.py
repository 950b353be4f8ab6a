"""Which texts are one template: equal but for names, numbers and small edits.

A text is reduced to its words in one form (numbers masked, greetings, signatures, case and punctuation gone) and then to the set of its runs of
SHINGLE characters. MinHash with locality-sensitive hashing finds earlier texts that share at least ALIKE of their runs; the text takes the template
of the earliest of them. Texts are read in the order in which they became known, so a template's id never changes by what comes later.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasketch import MinHash  # type: ignore[import-untyped]  # the package ships no types

ALIKE = 0.75
SHINGLE = 4
HASHES = 128
LOOKED_AT = 0.5
"""Likeness from which an earlier text is looked at more closely; below ALIKE, so that hardly any is overlooked."""

LONG_ENOUGH = 24
"""Characters from which a reduced text is compared by likeness; a shorter one is a phrase, and only equal phrases are one template."""

_GREETING = re.compile(r"^\s*(?:hello|hi|hey|dear|good (?:morning|day|afternoon|evening))\b[^,.!?:;\n]{0,40}[,.!?:;\n]\s*", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"[\s,.!]*(?:(?:kind|best|warm) regards|regards|sincerely|cheers|many thanks|thank you|thanks)[\s,.!]*(?:[^\W\d_]+[\s.]*){0,3}$", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NO_LETTER = re.compile(r"[^\w]+|_+")


def reduced(text: str) -> str:
    """The words of a text in one form.

    >>> reduced("Hello Anna, order 12-345 came BROKEN!!  Kind regards, Tom Miller")
    'order 0 came broken'
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = _SIGNATURE.sub("", _GREETING.sub("", plain))
    words = _NO_LETTER.sub(" ", _NUMBER.sub("0", plain).casefold()).strip()
    return words or _NO_LETTER.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def template_id(words: str) -> str:
    """The id of the template that a reduced text founds."""
    return f"tpl_{hashlib.sha256(words.encode()).hexdigest()[:24]}"


class Templates:
    """The templates seen so far; a text that is like none of them founds one. Not safe to call from several threads at once.

    `most` templates and wordings are kept (3 KB each), the oldest go first; null: all of them.
    """

    def __init__(self, most: int | None = None) -> None:
        from datasketch import MinHashLSH

        self._most = most
        self._index = MinHashLSH(threshold=LOOKED_AT, num_perm=HASHES)
        self._founded: dict[str, tuple[int, MinHash]] = {}
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
        near: list[str] = self._index.query(sketch)
        found = [(self._founded[key][0], key) for key in near if self._founded[key][1].jaccard(sketch) >= ALIKE]
        if found:
            return min(found)[1]
        name = template_id(words)
        self._founded[name] = (self._count, sketch)
        self._count += 1
        self._index.insert(name, sketch)
        return name

    def _forget(self) -> None:
        """What is over the limit; a service that kept every text that ever came would grow for ever."""
        if self._most is None:
            return
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        if len(self._founded) > self._most:
            oldest = next(iter(self._founded))
            del self._founded[oldest]
            self._index.remove(oldest)


def _sketch(words: str) -> "MinHash":
    text = words.replace(" ", "")
    runs = {text[start : start + SHINGLE].encode() for start in range(max(len(text) - SHINGLE + 1, 1))}
    sketch = _blank().copy()
    sketch.update_batch(sorted(runs))
    return sketch


@cache
def _blank() -> "MinHash":
    """A sketch of nothing, to begin from: drawing its permutations takes longer than all the rest."""
    from datasketch import MinHash

    return MinHash(num_perm=HASHES, hashfunc=_hashed)


def _hashed(run: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(run, digest_size=4).digest(), "little")
