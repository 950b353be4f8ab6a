"""Keyed hashes of personal identifiers."""

import hmac
import re

from hypothesis import given
from hypothesis import strategies as st

from risk.identity import pseudonym


def test_a_pseudonym_depends_on_key_type_and_identifier() -> None:
    one = pseudonym(b"key", "card", "4000")
    assert re.fullmatch(r"[0-9a-f]{32}", one)
    assert one == pseudonym(b"key", "card", "4000")
    assert len({one, pseudonym(b"other", "card", "4000"), pseudonym(b"key", "phone", "4000"), pseudonym(b"key", "card", "4001")}) == 4


@given(st.binary(min_size=1, max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_a_pseudonym_is_the_hmac_of_type_and_identifier(key: bytes, kind: str, raw: str) -> None:
    assert pseudonym(key, kind, raw) == hmac.new(key, f"{kind}\x00{raw}".encode(), "sha256").hexdigest()[:32]
