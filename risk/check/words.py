"""The words around a check, in English and Chinese: verdicts, signals, reasons for none. The sentences of findings are those of `reasons.toml`."""

import tomllib
from functools import lru_cache
from importlib.resources import files

from data_contracts.reason import Language, reason
from risk.check.verdict import Check, CheckVerdict

NO_MARK = "no_marker"
"""The reason of a signal that looked and found nothing: no gap in the check."""


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(files("risk.check").joinpath("pages/check_words.toml").read_text(encoding="utf-8"))


def word(kind: str, name: str, language: Language) -> str:
    """What `name` is called; a name without words of its own (a new signal) is shown as it is, with spaces."""
    found = _tables()[kind].get(name)
    return found[language.value] if found is not None else name.replace("_", " ")


def headings(language: Language) -> dict[str, str]:
    """Every heading of the page."""
    return {name: texts[language.value] for name, texts in _tables()["page"].items()}


def sentences(check: Check, language: Language) -> dict[str, str]:
    """The analyst's sentence of every code that the check names."""
    codes = (*(finding.code for finding in check.findings), *(ask.value for ask in check.ask_for))
    return {code: reason(code).texts[language].analyst for code in dict.fromkeys(codes)}


def why_words(check: Check, language: Language) -> tuple[str, ...]:
    """Why there is no verdict, or on what the verdict stands."""
    if check.verdict is CheckVerdict.UNREADABLE:
        return tuple(word("reason", name, language) for name in check.standing_on)
    if check.verdict is CheckVerdict.UNSURE:
        return tuple(word("why", why.value, language) for why in check.why)
    return tuple(_ground(name, check.verdict, language) for name in check.standing_on)


def _ground(name: str, verdict: CheckVerdict, language: Language) -> str:
    if name.isupper():
        return reason(name).texts[language].analyst
    said = "clean" if (name, verdict) == ("patches", CheckVerdict.AUTHENTIC) else verdict.value
    told = name in {"network", "patches", "c2pa_manifest"}
    return word("ground" if told else "signal", f"{name}_{said}" if told else name, language)


def gaps(check: Check, language: Language) -> tuple[tuple[str, str], ...]:
    """What could not be checked, and why."""
    return tuple((word("signal", signal, language), word("reason", why, language)) for signal, why in check.unavailable if why != NO_MARK)


def silent(check: Check, language: Language) -> tuple[str, ...]:
    """What was looked for and is not there."""
    return tuple(word("signal", signal, language) for signal, why in check.unavailable if why == NO_MARK)
