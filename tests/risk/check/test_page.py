"""The page: self-contained, escaped, and whole in a real browser."""

import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_contracts.reason import Language
from features.image import examples
from features.image.sandbox import Limits
from features.image.signal_kit import Context
from risk.check.page import page
from risk.check.verdict import Check, conclude
from risk.evidence.sight import Inspected, Inspector
from tests.risk.image_models import bright_photo, dark_photo, patched_photo, small_models

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Drawn:
    path: Path
    check: Check
    ms: float
    inspected: Inspected | None


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Drawn]:
    folder = tmp_path_factory.mktemp("models")
    with Inspector(small_models(folder), folder / "no tower", Limits(reading=False)) as inspector:
        found = []
        files = {"patched.jpg": patched_photo(), "dark.jpg": dark_photo(), "bright.jpg": bright_photo(), "cut.jpg": b"\xff\xd8\xff"}
        for name, data in (files | {"label.png": examples.png_with_text(("AIGC", examples.AIGC))}).items():
            seen = inspector.inspect(data, Context(), draw=True)
            found.append(Drawn(Path(name), conclude(seen.measured, seen.sight.judged, seen.sight.anomaly), 12.0, seen))
    return found


@pytest.mark.parametrize("language", list(Language))
def test_a_page_refers_to_nothing_outside_itself(drawn: list[Drawn], language: Language) -> None:
    text = page(drawn, language)
    assert f'<html lang="{language.value}">' in text
    assert set(re.findall(r'(?:src|href)="([a-z]+):', text)) == {"data"}
    assert not re.search(r"https?://|<script|@import|url\(", text)
    assert "default-src 'none'" in text


def test_all_findings_gaps_and_asks_are_on_the_page(drawn: list[Drawn]) -> None:
    text = page([drawn[-1]], Language.EN)
    for said in ("Cannot say", "AI content label 1, producer jimeng", "no order was given", "Please take one more photo", drawn[-1].check.code):
        assert said in text


def test_names_and_words_of_a_file_are_text_and_never_markup(drawn: list[Drawn]) -> None:
    evil = '<img src=x onerror=alert(1)>"'
    check = drawn[0].check
    findings = tuple(replace(finding, detail=evil) for finding in check.findings)
    text = page([replace(drawn[0], path=Path(f"{evil}.jpg"), check=replace(check, findings=findings))], Language.EN)
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


@pytest.mark.skipif(BROWSER is None, reason="no browser on this machine")
def test_a_browser_shows_the_verdict_the_photo_and_the_region(drawn: list[Drawn], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(drawn, Language.EN), encoding="utf-8")
    shown = screenshot(tmp_path / "page.html", tmp_path / "shown.png")
    pixels = np.asarray(shown, dtype=np.int64)
    assert close(pixels, (194, 59, 59)) > 500  # the red of an accusation
    assert close(pixels, (255, 210, 74)) > 300  # the frame around the region
    assert close(pixels, (12, 17, 22)) > 20_000  # the dark ground of the photo
    assert close(pixels, (243, 245, 248)) > 20_000  # the page's own ground


def close(pixels: np.ndarray, colour: tuple[int, int, int]) -> int:
    """How many pixels have nearly that colour."""
    return int((np.abs(pixels - colour).max(axis=2) <= 6).sum())


def screenshot(file: Path, out: Path) -> Image.Image:
    assert BROWSER is not None
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={out.parent / 'profile'}",
        "--window-size=1240,1500",
    )
    subprocess.run([BROWSER, *flags, f"--screenshot={out}", file.as_uri()], check=True, capture_output=True, timeout=120)
    return Image.open(out).convert("RGB")
