"""Where checks leave pictures and pages: a heat map a file, one page for all or a page a file."""

from pathlib import Path

from data_contracts.errors import ContractError
from data_contracts.reason import Language
from risk.check.page import overlay, page
from risk.jobs.check import Checked

_PAGE = ".html"
MOST_ON_A_PAGE = 200
"""Files on one page; more of them make a page that no browser likes."""


class Output:
    """Takes checks as they come. ContractError: a place that cannot be written to."""

    def __init__(self, heatmaps: Path | None, html: Path | None, language: Language) -> None:
        self._heatmaps = heatmaps
        self._html = html
        self._language = language
        self._kept: list[Checked] = []
        self._one_page = html is not None and html.suffix.lower() == _PAGE
        folders = [heatmaps, None if html is None else html.parent if self._one_page else html]
        for folder in folders:
            if folder is not None:
                _made(folder)

    def add(self, checked: Checked) -> None:
        """Write what belongs to one file."""
        if self._heatmaps is not None and checked.inspected is not None:
            drawn = overlay(checked.inspected)
            if drawn is not None:
                (self._heatmaps / f"{_name(checked)}.png").write_bytes(drawn)
        if self._html is None:
            return
        if self._one_page:
            if len(self._kept) < MOST_ON_A_PAGE:
                self._kept.append(checked)
            return
        (self._html / f"{_name(checked)}{_PAGE}").write_text(page([checked], self._language), encoding="utf-8")

    def finish(self) -> None:
        """Write the page of all."""
        if self._html is not None and self._kept:
            self._html.write_text(page(self._kept, self._language), encoding="utf-8")


def _name(checked: Checked) -> str:
    """The file's name with the head of its hash: two files of one name do not overwrite each other."""
    return f"{checked.path.stem}-{checked.check.sha256[:8]}"


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}; expected a folder that this user may write to"
        raise ContractError(message, field="out") from error
