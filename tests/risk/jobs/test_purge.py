"""Purging: what is past its time goes and nothing else does; a crash in the middle loses nothing and is finished by the next one."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from data_contracts.errors import SourceUnavailableError
from risk import clock
from risk.cli import app
from risk.jobs import purge as purging
from risk.jobs.purge import Purge, purge_home
from risk.jobs.remeasure import open_files
from risk.jobs.replay import replay_home
from risk.keys import Scope, make_key
from risk.stores.care import Care
from risk.stores.evidence_files import SPOOL
from tests.risk.api.test_every_route import assert_error
from tests.risk.evidence.eyes import a_photo
from tests.risk.evidence.test_files import long_ago
from tests.risk.servers import Running
from tests.risk.stories import plain_body

SCORE, EVIDENCE = "/v1/refund-requests/score", "/v1/evidence"
WORDS = "My grandmother's jade bracelet came broken in two"


@dataclass(frozen=True)
class Shop:
    """A service whose callers send photos and words."""

    service: Running

    def asked(self, request_id: str, seed: int, account_id: str = "buyer") -> str:
        """A request that shows a photo and says something; the photo's name, once it is measured."""
        sha256: str = self.send(seed).json()["sha256"]
        body = plain_body(request_id, account_id=account_id, text=f"{WORDS} {seed}", evidence=[{"sha256": sha256, "kind": "photo"}])
        assert self.service.client.post(SCORE, json=body, timeout=120).status_code == 200
        until = time.monotonic() + 60
        while self.look(sha256)["status"] != "measured":
            assert time.monotonic() < until
            time.sleep(0.05)
        return sha256

    def send(self, seed: int) -> httpx.Response:
        return self.service.client.post(EVIDENCE, files={"file": ("a.jpg", a_photo(seed), "image/jpeg")})

    def look(self, sha256: str) -> dict[str, Any]:
        found: dict[str, Any] = self.service.client.get(f"{EVIDENCE}/{sha256}").json()
        return found

    def file(self, sha256: str) -> httpx.Response:
        return self.service.client.get(f"{EVIDENCE}/{sha256}/file", params={"why": "case 7"})

    def purge(self, days: float = 0, *, dry_run: bool = False) -> Purge:
        return purge_home(self.service.home, timedelta(days=days), dry_run=dry_run)

    def texts(self) -> set[str]:
        database = self.service.server.home.database
        with database.reading() as connection:
            return {row[0] for row in database.fetch(connection, "SELECT request_id FROM claim_texts", ())}

    def command(self, *words: str) -> dict[str, Any]:
        result = CliRunner().invoke(app, [*words, "--home", str(self.service.home), "--json"])
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found


@pytest.fixture
def shop(service: Running) -> Shop:
    opened = Shop(service)
    opened.purge()  # of what an earlier test left
    return opened


def test_what_is_past_its_time_goes_and_decisions_stay(shop: Shop) -> None:
    sha256 = shop.asked("old", 1)
    before = shop.look(sha256)
    assert (shop.purge(days=1).files, shop.purge(days=1).texts) == (0, 0)
    tried = shop.purge(dry_run=True)
    assert (tried.files, tried.bytes, tried.texts) == (1, len(a_photo(1)), 1)
    assert shop.file(sha256).content == a_photo(1)
    done = shop.purge()
    assert (done.files, done.bytes, done.texts, done.held_files) == (tried.files, tried.bytes, tried.texts, 0)
    assert not open_files(shop.service.server.home).holds(sha256)
    error = assert_error(shop.file(sha256), 410, "PURGED")
    assert "retention" in error["message"]
    after = shop.look(sha256)
    assert (after["status"], before["status"]) == ("purged", "measured")
    assert after["measurements"] == before["measurements"]
    assert "old" not in shop.texts()
    assert shop.purge().files == 0
    assert replay_home(shop.service.home).ok


def test_the_words_of_an_appeal_go_and_the_appeal_stays(shop: Shop) -> None:
    shop.asked("appealed", 10)
    filed = shop.service.client.post("/v1/appeals", json={"request_id": "appealed", "words": WORDS, "filed_by": "support"}).json()
    hold = shop.command("hold", "add", "--request", "appealed", "--by", "mei", "--why", "x")["holds"][0]["hold_no"]
    assert shop.purge().texts == 0
    shop.command("hold", "release", str(hold), "--by", "mei", "--why", "x")
    assert shop.purge().texts == 2
    after = shop.service.client.get(f"/v1/appeals/{filed['appeal_id']}").json()
    assert (filed["words"], after["words"]) == (WORDS, None)
    assert after | {"words": WORDS} == filed


def test_the_words_are_nowhere_on_the_disk_afterwards(shop: Shop) -> None:
    shop.asked("told", 2)
    appeal = {"request_id": "told", "words": WORDS, "filed_by": "support"}
    filed = shop.service.client.post("/v1/appeals", json=appeal, headers={"Idempotency-Key": "told"})  # whose answer repeats them
    assert filed.status_code == 201
    assert shop.purge().texts == 2
    home = shop.service.server.home
    kept = [path for path in shop.service.home.iterdir() if path.is_file()]
    if home.database.is_sqlite:
        kept += Path(str(home.database.engine.url.database)).parent.glob("risk.db*")
    assert not any(WORDS.encode() in path.read_bytes() for path in kept)


def test_a_half_of_an_upload_goes_with_the_rest(shop: Shop) -> None:
    half = shop.service.home / "evidence" / SPOOL / "of-a-killed-process"
    half.write_bytes(a_photo(1)[:1_000])
    long_ago(half)
    assert (shop.purge(dry_run=True).halves, half.exists()) == (0, True)
    assert (shop.purge().halves, half.exists()) == (1, False)


def test_a_file_that_comes_again_is_there_again(shop: Shop) -> None:
    sha256 = shop.asked("first", 3)
    shop.purge()
    assert shop.file(sha256).status_code == 410
    assert shop.send(3).status_code == 200  # measured before: nothing to look at
    assert shop.look(sha256)["status"] == "measured"
    assert shop.file(sha256).content == a_photo(3)
    assert shop.purge().files == 1


@pytest.mark.parametrize("subject", ["request", "file", "account"])
def test_what_is_held_stays_until_it_is_released(shop: Shop, subject: str) -> None:
    sha256 = shop.asked(f"held by {subject}", 4, account_id=f"a {subject}")
    named = {"request": f"held by {subject}", "file": sha256, "account": f"a {subject}"}[subject]
    (hold,) = shop.command("hold", "add", f"--{subject}", named, "--by", "mei", "--why", "lawsuit 12")["holds"]
    kept = shop.purge()
    assert (kept.files, kept.held_files) == (0, 1)
    assert shop.file(sha256).status_code == 200
    assert (f"held by {subject}" in shop.texts()) is (subject != "file")
    (released,) = shop.command("hold", "release", str(hold["hold_no"]), "--by", "lin", "--why", "settled")["holds"]
    assert (released["released_by"], released["released_why"], released["held_by"]) == ("lin", "settled", "mei")
    assert hold["hold_no"] in {each["hold_no"] for each in shop.command("hold", "list")["holds"]}
    assert shop.purge().files == 1
    again = CliRunner().invoke(app, ["hold", "release", str(hold["hold_no"]), "--by", "l", "--why", "w", "--home", str(shop.service.home)])
    assert again.exit_code == 2


def test_a_hold_that_is_over_holds_nothing(shop: Shop) -> None:
    sha256 = shop.asked("until", 5)
    later = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%d")
    shop.command("hold", "add", "--file", sha256, "--by", "mei", "--why", "x", "--until", later)
    home = shop.service.home
    assert purge_home(home, timedelta(0)).files == 0
    assert purge_home(home, timedelta(0), now=lambda: clock.now() + timedelta(days=4)).files == 1
    past = CliRunner().invoke(app, ["hold", "add", "--file", sha256, "--by", "m", "--why", "x", "--until", "2020-01-01", "--home", str(home)])
    assert past.exit_code == 2


@pytest.mark.parametrize("where", ["before the bytes go", "after the bytes are gone"])
def test_a_purge_that_dies_in_the_middle_is_finished_by_the_next(shop: Shop, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = shop.asked(f"dies {where}", 6)

    def dies(*_: object) -> None:
        raise SourceUnavailableError("the machine is gone")

    with monkeypatch.context() as patch:
        if where == "before the bytes go":
            patch.setattr(purging.EvidenceFiles, "remove", dies)
        else:
            patch.setattr(Care, "finish_purge", dies)
        with pytest.raises(SourceUnavailableError):
            shop.purge()
    assert shop.file(sha256).status_code == 410  # nobody is promised bytes that may be gone
    assert_error(shop.send(6), 503, "SOURCE_UNAVAILABLE")  # nor may it come while it goes
    done = shop.purge()
    assert (done.finished, done.files) == (1, 0)
    assert not open_files(shop.service.server.home).holds(sha256)
    assert shop.send(6).status_code == 200
    assert shop.file(sha256).content == a_photo(6)


def test_who_was_given_what_is_kept_before_it_is_given(shop: Shop) -> None:
    sha256 = shop.asked("read", 7)
    key = make_key(shop.service.server.home.database, f"analyst {sha256[:5]}", [Scope.EVIDENCE], clock.now())
    headers = {"Authorization": f"Bearer {key}"}
    until = time.monotonic() + 20
    while (given := shop.service.stranger.get(f"{EVIDENCE}/{sha256}/file", params={"why": "a complaint"}, headers=headers)).status_code == 401:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert given.content == a_photo(7)
    expected = ("image/jpeg", "nosniff", "default-src 'none'; sandbox", f'attachment; filename="{sha256[:16]}.jpeg"')
    assert (
        tuple(given.headers[name] for name in ("content-type", "x-content-type-options", "content-security-policy", "content-disposition"))
        == expected
    )
    shop.service.stranger.get(f"{EVIDENCE}/{sha256}", headers=headers)
    reads = shop.service.client.get(f"{EVIDENCE}/{sha256}/reads").json()["reads"]
    assert [(each["reader"], each["what"], each["why"]) for each in reads[-2:]] == [
        (f"analyst {sha256[:5]}", "file", "a complaint"),
        (f"analyst {sha256[:5]}", "look", None),
    ]
    assert [each["what"] for each in shop.command("evidence", "reads", sha256)["reads"]] == [each["what"] for each in reads]
    assert_error(shop.service.stranger.get(f"{EVIDENCE}/{sha256}/reads", headers=headers), 403, "SCOPE")


@pytest.mark.parametrize("why", [None, "", "  ", "x" * 501])
def test_no_file_without_a_reason(shop: Shop, why: str | None) -> None:
    sha256 = shop.send(8).json()["sha256"]
    answer = shop.service.client.get(f"{EVIDENCE}/{sha256}/file", params={} if why is None else {"why": why})
    assert_error(answer, 422, "CONTRACT")
    assert shop.service.client.get(f"{EVIDENCE}/{sha256}/reads").json()["reads"] == []


def test_what_is_no_picture_is_given_as_bytes(shop: Shop) -> None:
    page: Sequence[bytes] = (b"<html><script>alert(1)</script></html>", b"%PDF-1.7")
    for data in page:
        sha256 = shop.service.client.post(EVIDENCE, files={"file": ("photo.jpg", data, "image/jpeg")}).json()["sha256"]
        given = shop.file(sha256)
        assert given.content == data
        assert given.headers["content-type"] == "application/octet-stream"
        assert given.headers["content-disposition"].endswith('.bin"')


def test_purged_files_are_not_measured_again(shop: Shop) -> None:
    shop.asked("seen", 9)
    shop.purge()
    intake_rows = shop.service.server.home.database
    with intake_rows.reading() as connection:
        left = intake_rows.fetch(connection, "SELECT COUNT(*) FROM evidence_purges WHERE done_us IS NULL", ())
    assert left == [(0,)]
    remeasured = shop.command("remeasure")
    assert remeasured["measured"] == 0
