"""How many decimals a currency has (ISO 4217): what turns 374.56 into 37456 minor units."""

import types
from collections.abc import Mapping

USUAL_DIGITS = 2
"""Decimals of every currency that is not listed below."""

MAX_DIGITS = 4
"""The most decimals that any currency has."""

_WITHOUT = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF")
_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FOUR = ("CLF", "UYW")

UNUSUAL_DIGITS: Mapping[str, int] = types.MappingProxyType(
    {**dict.fromkeys(_WITHOUT, 0), **dict.fromkeys(_THREE, 3), **dict.fromkeys(_FOUR, 4)},
)
"""Decimals of the currencies that have not two."""


def minor_digits(currency: str) -> int:
    """Decimals between the major and the minor unit: 2 for CNY (100 fen), 0 for JPY, 3 for KWD."""
    return UNUSUAL_DIGITS.get(currency, USUAL_DIGITS)
