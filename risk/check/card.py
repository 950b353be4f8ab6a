"""A check as a card in the terminal: verdict, why, findings, what could not be checked, what to ask for."""

from pathlib import Path

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from data_contracts.reason import Language, reason
from risk.check.verdict import Check, CheckVerdict
from risk.check.words import gaps, headings, silent, why_words, word

STYLES = {
    CheckVerdict.AUTHENTIC: "green",
    CheckVerdict.UNSURE: "yellow",
    CheckVerdict.EDITED: "red",
    CheckVerdict.GENERATED: "red",
    CheckVerdict.UNREADABLE: "magenta",
}
_BAR = 24


def card(path: Path, check: Check, ms: float, language: Language) -> RenderableType:
    """One file's card."""
    style, said = STYLES[check.verdict], headings(language)
    parts: list[RenderableType] = [_head(check, style, language), Text(word("meaning", check.verdict.value, language), style="dim")]
    why = why_words(check, language)
    if why:
        parts.append(_labelled(said["why"], "; ".join(why)))
    if check.findings:
        parts += [Text(), Text(said["findings"], style="bold"), _findings(check, language)]
    missing = "; ".join(f"{signal} ({reason_word})" for signal, reason_word in gaps(check, language))
    parts += [Text(), _labelled(said["unavailable"], missing or said["everything_checked"])]
    if silent(check, language):
        parts.append(_labelled(said["silent"], "; ".join(silent(check, language))))
    if check.ask_for:
        parts += [Text(), Text(said["ask"], style="bold"), *_asks(check, language)]
    subtitle = f"{check.kind} · {check.sha256[:12]} · {ms:.0f} ms"
    title = Text(path.name, style="bold")
    return Panel(Group(*parts), title=title, title_align="left", subtitle=subtitle, subtitle_align="right", border_style=style, padding=(1, 2))


def _head(check: Check, style: str, language: Language) -> Text:
    line = Text(word("verdict", check.verdict.value, language), style=f"bold {style}")
    if check.certainty is not None:
        line.append(f"  {word('certainty', check.certainty, language)}", style=style)
    if check.score is not None:
        full = round(check.score * _BAR)
        line.append(f"   {headings(language)['score']} {check.score:.2f} ", style="not bold")
        line.append("━" * full, style=style)
        line.append("━" * (_BAR - full), style="grey35")
    return line


def _findings(check: Check, language: Language) -> Table:
    shown = Table.grid(padding=(0, 2))
    shown.add_column(justify="right")
    shown.add_column(overflow="fold", ratio=1)
    for finding in check.findings:
        speaks = reason(finding.code).speaks
        style = "green" if speaks == "for" else "red" if speaks == "against" else "default"
        line = Text(reason(finding.code).texts[language].analyst)
        line.append(f"\n{word('signal', finding.signal, language)}: {finding.detail}", style="dim")
        shown.add_row(Text(f"{finding.strength:.2f}" if speaks == "against" else "+" if speaks == "for" else "·", style=style), line)
    return shown


def _asks(check: Check, language: Language) -> list[RenderableType]:
    lines: list[RenderableType] = [Text(f"→ {reason(ask.value).texts[language].buyer}") for ask in check.ask_for]
    if "ASK_SECOND_PHOTO" in {ask.value for ask in check.ask_for}:
        lines.append(Text.assemble(f"  {headings(language)['code']}: ", (check.code, "bold")))
    return lines


def _labelled(label: str, text: str) -> Text:
    return Text.assemble((f"{label}: ", "bold"), text)
