"""One form for what people write in many: addresses, telephone numbers, network addresses, cards, devices.

Each function takes the raw text and gives a `Normal`: the one form, or None and the reason. It runs before the keyed hash
(`risk/identity.py`), because a hash cannot be compared but for equality.
"""

import ipaddress
import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

import phonenumbers


class Outcome(StrEnum):
    """What became of an identifier: kept; kept but shared by strangers by its nature; or not kept, and why.

    A self-link names the account itself, and a common one is used by so many that it is nobody's (`entities.common`).
    """

    KEPT = "kept"
    WEAK = "weak"
    EMPTY = "empty"
    PLACEHOLDER = "placeholder"
    MALFORMED = "malformed"
    SELF = "self"
    COMMON = "common"


class Normal(NamedTuple):
    """The one form of an identifier; None when it was not kept."""

    value: str | None
    outcome: Outcome


PLACEHOLDERS = frozenset(
    {
        "unknown", "none", "null", "nil", "na", "n a", "nan", "undefined", "test", "default", "anonymous", "not available", "not provided",
        "no address", "xxx", "xxxx", "tbd", "pickup", "self pickup", "unbekannt", "desconocido", "inconnu", "无", "未知", "不详", "测试",
    }
)  # fmt: skip
"""What forms are filled with when somebody has nothing to say, in one form."""

_STREET_WORDS = {
    "street": "st", "str": "st", "strasse": "st", "road": "rd", "avenue": "ave", "av": "ave", "boulevard": "blvd", "drive": "dr", "lane": "ln",
    "court": "ct", "square": "sq", "place": "pl", "apartment": "unit", "apt": "unit", "flat": "unit", "suite": "unit", "ste": "unit",
    "room": "unit", "rm": "unit", "building": "bldg", "floor": "fl", "north": "n", "south": "s", "east": "e", "west": "w", "number": "no",
}  # fmt: skip
_TRANSLITERATED = str.maketrans({"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "æ": "ae", "ł": "l"})
_CJK = re.compile(r"(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])")
_NO_LETTER = re.compile(r"[\W_]+")
_HOUSE = re.compile(r"(\d)\s+([a-z])\b")

REPEATED, COUNTED = 3, 4
"""From so many characters on, one character over and over, or digits counted up, are what is typed to fill a field; shorter ones may be a number."""

SHORTEST_ADDRESS = 6
SHORTEST_DEVICE = 8
BIN = 6
PAN = range(12, 20)


def spelled(text: str) -> str:
    """Lower case, one width, no accents, no punctuation, single spaces."""
    if text.isascii():  # has one width and no accents
        return " ".join(_NO_LETTER.sub(" ", text.lower()).split())
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_TRANSLITERATED)
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    return " ".join(_NO_LETTER.sub(" ", bare).split())


def unsaid(text: str) -> Outcome | None:
    """EMPTY or PLACEHOLDER for a text that names nothing: nothing at all, a word of the list, one character over and over; else None."""
    words = spelled(text)
    if not words:
        return Outcome.EMPTY
    letters = words.replace(" ", "")
    repeated = len(set(letters)) == 1 and (letters[0] == "0" or len(letters) >= REPEATED)
    if words in PLACEHOLDERS or letters in PLACEHOLDERS or repeated or (len(letters) >= COUNTED and letters in "0123456789"):
        return Outcome.PLACEHOLDER
    return None


def address(text: str) -> Normal:
    """A postal address: spelling, street words and spaces in one form; the order of its parts is kept.

    >>> address("Flat 4 B, 12 High Street.") == address("apt 4b 12 HIGH ST")
    True
    """
    if reason := unsaid(text):
        return Normal(None, reason)
    words = " ".join(_STREET_WORDS.get(word, word) for word in spelled(text.replace("#", " unit ")).split())
    found = _HOUSE.sub(r"\1\2", _CJK.sub("", words))
    if len(found) < SHORTEST_ADDRESS:
        return Normal(None, Outcome.MALFORMED)
    # a street without a house is everybody's who lives there
    return Normal(found, Outcome.KEPT if any(letter.isdigit() for letter in found) else Outcome.WEAK)


def phone(text: str, region: str) -> Normal:
    """A telephone number as E.164; `region` (ISO 3166, upper case) is where a number without country code is dialled.

    >>> phone("0170 1234567", "DE").value
    '+491701234567'
    """
    if reason := unsaid(text):
        return Normal(None, reason)
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), region)
    except phonenumbers.NumberParseException:
        return Normal(None, Outcome.MALFORMED)
    national = str(number.national_number)
    if len(set(national)) <= 1 or national in "1234567890":
        return Normal(None, Outcome.PLACEHOLDER)
    if not phonenumbers.is_possible_number(number):
        return Normal(None, Outcome.MALFORMED)
    return Normal(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), Outcome.KEPT)


def ip(text: str) -> Normal:
    """A network address: IPv4 whole, IPv6 as the /64 that one customer has; private and reserved ones name nobody.

    >>> ip("2001:4860:4860:0:1:2:3:4").value
    '2001:4860:4860::/64'
    """
    if not text.strip():
        return Normal(None, Outcome.EMPTY)
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return Normal(None, unsaid(text) or Outcome.MALFORMED)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if not found.is_global:
        return Normal(None, Outcome.PLACEHOLDER)
    if isinstance(found, ipaddress.IPv4Address):
        return Normal(str(found), Outcome.KEPT)
    return Normal(str(ipaddress.ip_network((found, 64), strict=False)), Outcome.KEPT)


def card(text: str) -> Normal:
    """A card: a whole number by its digits when its check digit fits; a mask with the first six and last four is weak; less names nobody.

    >>> card("4111 11** **** 1111")
    Normal(value='411111-1111', outcome=<Outcome.WEAK: 'weak'>)
    """
    compact = re.sub(r"[\s-]+", "", unicodedata.normalize("NFKC", text))
    if not compact:
        return Normal(None, Outcome.EMPTY)
    if compact.isdigit() and len(compact) in PAN:
        if len(set(compact)) == 1:
            return Normal(None, Outcome.PLACEHOLDER)
        return Normal(compact, Outcome.KEPT) if _luhn(compact) else Normal(None, Outcome.MALFORMED)
    mask = re.fullmatch(r"(\d{6,8})[*xX•.]+(\d{4})", compact)
    if mask:
        return Normal(f"{mask[1][:BIN]}-{mask[2]}", Outcome.WEAK)
    return Normal(None, unsaid(text) or Outcome.MALFORMED)


def device(text: str) -> Normal:
    """A device's id: lower case without separators. All-zero ids and the one id of a reset advertising id name nobody."""
    if reason := unsaid(text):
        return Normal(None, reason)
    found = spelled(text).replace(" ", "")
    return Normal(found, Outcome.KEPT) if len(found) >= SHORTEST_DEVICE else Normal(None, Outcome.MALFORMED)


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0  # noqa: PLR2004  # digit sums of two-digit numbers
