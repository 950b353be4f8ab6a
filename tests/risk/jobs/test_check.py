"""Checking files as people and scripts do: in order, with all workers, whatever the files are."""

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from data_contracts.errors import ContractError, NotFoundError
from data_contracts.reason import Language
from features.image import examples
from risk.check.order_facts import order_of, read_order
from risk.check.page import heat_of, overlay
from risk.check.verdict import CheckVerdict
from risk.jobs.check import Asked, Checked, check_files, files_of
from risk.jobs.check_output import Output
from tests.risk.image_models import bright_photo, dark_photo, patched_photo, small_models

KEYS = {"path", "sha256", "kind", "verdict", "score", "findings", "unavailable", "versions", "ms"}
"""What others rely on."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp("models")
    return Asked(read=False, draw=True, workers=1, models=small_models(folder), tower=folder / "no tower")


def bomb() -> bytes:
    """A PNG of 144 million pixels in a few kilobytes."""
    row = b"\x00" * (1 + 3 * 12_000)
    pixels = zlib.compressobj(9)
    packed = b"".join(pixels.compress(row) for _ in range(12_000)) + pixels.flush()
    head = struct.pack(">IIBBBBB", 12_000, 12_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + examples.chunk(b"IHDR", head) + examples.chunk(b"IDAT", packed) + examples.chunk(b"IEND", b"")


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("a.txt", "a")
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("evidence")
    files = {
        "1-dark.jpg": dark_photo(),
        "2-bright.jpg": bright_photo(),
        "3-patched.jpg": patched_photo(),
        "4-label.png": examples.png_with_text(("AIGC", examples.AIGC)),
        "5-empty.jpg": b"",
        "6-words.jpg": b"no picture at all",
        "7-cut.jpg": dark_photo()[:5000],
        "8-archive.jpg": dark_photo() + archive(),
        "9-page.jpg": dark_photo() + b"<html><script>alert(1)</script></html>",
    }
    for name, data in files.items():
        (made / name).write_bytes(data)
    (made / "notes.txt").write_text("not looked at", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def checked(folder: Path, asked: Asked) -> list[Checked]:
    return list(check_files(files_of([folder]), asked))


def test_a_folder_gives_its_pictures_in_order_of_their_names(folder: Path) -> None:
    assert [path.name[0] for path in files_of([folder])] == list("123456789")
    named = [folder / "notes.txt", folder / "2-bright.jpg", folder / "1-dark.jpg"]
    assert files_of(named) == named  # what is named is looked at, in the order given


def test_a_path_that_does_not_exist_is_said_before_anything_is_looked_at(folder: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing-here"):
        files_of([folder, folder / "nothing-here"])


def test_every_file_is_one_answer(checked: list[Checked]) -> None:
    verdicts = [each.check.verdict for each in checked]
    assert verdicts[:4] == [CheckVerdict.AUTHENTIC, CheckVerdict.GENERATED, CheckVerdict.EDITED, CheckVerdict.UNSURE]
    assert set(verdicts[4:]) == {CheckVerdict.UNREADABLE}
    reasons = [each.check.standing_on[0] for each in checked[4:]]
    assert reasons == ["empty", "not_decodable", "broken", "polyglot", "polyglot"]


def test_a_line_has_what_others_rely_on(checked: list[Checked]) -> None:
    for each in checked:
        line = json.loads(json.dumps(each.as_json()))
        assert line.keys() >= KEYS
        assert line["verdict"] in {"authentic", "edited", "generated", "unsure", "unreadable"}
        assert line["score"] is None if line["verdict"] == "unreadable" else 0 <= line["score"] <= 1
        assert all(finding.keys() == {"code", "signal", "strength", "detail", "region"} for finding in line["findings"])
        assert all(gap.keys() == {"signal", "reason"} for gap in line["unavailable"])
        assert line["ms"] > 0


def test_texts_come_in_the_language_asked_for(checked: list[Checked]) -> None:
    english, chinese = checked[1].as_json()["texts"], checked[1].as_json(Language.ZH)["texts"]
    assert english.keys() == chinese.keys()
    assert not set(english.values()) & set(chinese.values())


def test_several_workers_give_the_same_in_the_same_order(folder: Path, asked: Asked, checked: list[Checked]) -> None:
    files = files_of([folder])
    several = Asked(read=False, workers=2, models=asked.models, tower=asked.tower)
    again = list(check_files(files, several))
    assert [each.path for each in again] == files
    assert [each.check for each in again] == [each.check for each in checked]


def test_whoever_stops_early_leaves_no_process_behind(folder: Path, asked: Asked) -> None:
    others = children()
    running = check_files(files_of([folder]), asked)
    next(running)
    started = children() - others
    assert started
    running.close()
    assert not started & children()


def children() -> set[int]:
    """The processes that this one started."""
    return {int(pid) for tasks in Path("/proc/self/task").iterdir() for pid in (tasks / "children").read_text(encoding="ascii").split()}


def test_a_bomb_and_a_huge_file_are_lines_too(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb())
    with (tmp_path / "huge.jpg").open("wb") as huge:
        huge.write(b"\xff\xd8\xff")
        huge.truncate(80 << 20)
    (tmp_path / "dark.jpg").write_bytes(dark_photo())
    found = {each.path.name: each.check for each in check_files(files_of([tmp_path]), asked)}
    assert found["huge.jpg"].standing_on == ("too_large",)
    assert found["dark.jpg"].verdict is CheckVerdict.AUTHENTIC
    assert (found["bomb.png"].verdict, found["bomb.png"].standing_on) == (CheckVerdict.UNREADABLE, ("too_many_pixels",))


def test_what_is_no_file_is_unreadable(tmp_path: Path, asked: Asked) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    check = next(check_files([tmp_path / "pipe.jpg"], asked)).check
    assert (check.verdict, check.standing_on) == (CheckVerdict.UNREADABLE, ("not_a_file",))


def test_the_order_is_compared(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "crab.jpg").write_bytes(
        dark_photo(exif=examples.exif({0x010F: "Apple", 0x0110: "iPhone"}, {0x9003: "2026:02:01 10:00:00", 0x8827: 200}))
    )
    facts = order_of(b'{"ordered_at": "2026-03-01T10:00:00Z", "ordered": {"male": 3}, "observed": {"crab.jpg": {"male": 5}}}')
    found = next(check_files([tmp_path / "crab.jpg"], Asked(order=facts, read=False, models=asked.models, tower=asked.tower))).check
    assert {"IMAGE_TIME_MISMATCH", "IMAGE_COUNT_MISMATCH"} <= {finding.code for finding in found.findings}
    assert found.verdict is CheckVerdict.UNSURE


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"ordered_at": "yesterday"}', b'{"ordered_at": "2026-03-01T10:00:00"}', b'{"place": [95, 0]}', b'{"unknown": 1}']
)
def test_an_order_that_does_not_hold_is_refused_with_an_example(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "order.json").write_bytes(content)
    with pytest.raises(ContractError, match="expected JSON like"):
        read_order(tmp_path / "order.json")


def test_heat_maps_lie_over_the_picture(checked: list[Checked]) -> None:
    patched = checked[2].inspected
    assert patched is not None
    drawn = overlay(patched)
    assert drawn is not None
    picture = Image.open(io.BytesIO(drawn)).convert("RGB")
    assert picture.size == (640, 480)
    hot, cold = picture.getpixel((460, 240)), picture.getpixel((100, 100))
    assert isinstance(hot, tuple)
    assert isinstance(cold, tuple)
    assert sum(hot) > 600  # the strongest colour is nearly white
    assert len(set(cold)) == 1  # grey: nothing lies over it
    unreadable = checked[4].inspected
    assert unreadable is not None
    assert heat_of(unreadable) is None
    assert overlay(unreadable) is None


def test_pages_and_maps_are_written_where_asked(checked: list[Checked], tmp_path: Path) -> None:
    single = Output(tmp_path / "maps", tmp_path / "all.html", Language.EN)
    folder = Output(None, tmp_path / "pages", Language.ZH)
    for each in checked:
        single.add(each)
        folder.add(each)
    single.finish()
    folder.finish()
    assert len(list((tmp_path / "maps").glob("*.png"))) == 4
    assert len(list((tmp_path / "pages").glob("*.html"))) == len(checked)
    assert (tmp_path / "all.html").read_text(encoding="utf-8").count("<article") == len(checked)
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(ContractError, match="cannot be made"):
        Output(tmp_path / "taken", None, Language.EN)


def program(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "risk", "check", *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )


def test_the_command_prints_a_line_a_file_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    shown = program(folder, "--json", "--no-read", "--workers", 1, "--lang", "zh", "--html", tmp_path / "page.html", "--heatmap", tmp_path / "maps")
    assert shown.returncode == 0, shown.stderr
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [Path(line["path"]).name[0] for line in lines] == list("123456789")
    assert (tmp_path / "page.html").is_file()


def test_the_command_shows_a_card_and_refuses_a_path_that_does_not_exist(folder: Path) -> None:
    card = program(folder / "4-label.png", "--no-read")
    assert card.returncode == 0, card.stderr
    for said in ("Cannot say", "What was found", "What could not be checked", "What to ask the buyer for", "code to write by hand"):
        assert said in card.stdout
    refused = program(folder / "4-label.png", folder / "none.jpg", "--json")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "NOT_FOUND"
