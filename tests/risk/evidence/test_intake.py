"""Bytes come in once, are measured once, and are known again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from data_contracts.errors import BusyError, NotFoundError
from features.image.sandbox import Sandbox
from risk.evidence.intake import Intake
from risk.stores.database import Database
from risk.stores.evidence_files import EvidenceFiles
from risk.stores.evidence_rows import EvidenceRows, Look
from risk.stores.history import History
from tests.faults.answers import until
from tests.object_stores import BUCKET, ObjectStore
from tests.risk.evidence.eyes import Clock, SandboxEye, a_photo, an_intake, mirrored, send
from tests.risk.evidence.test_files import long_ago


def count(database: Database, table: str) -> int:
    with database.reading() as connection:
        return int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())  # noqa: S608  # our own table


def test_a_file_is_measured_once_however_often_it_comes(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    eyes = (SandboxEye(sandbox), SandboxEye(sandbox))
    with an_intake(database, tmp_path, *eyes) as intake, ThreadPoolExecutor(8) as senders:
        shas = list(senders.map(lambda _: send(intake, a_photo()), range(8)))
        assert len(set(shas)) == 1
        assert sum(eye.looks for eye in eyes) == 1
        assert count(database, "evidence_files") == count(database, "evidence_looks") == 1
        assert count(database, "evidence_uploads") == 8
        assert count(database, "evidence_measurements") == len(intake.versions)
        assert intake.status(shas[0])["status"] == "measured"
        assert intake.files.get(shas[0]) == a_photo()


def test_another_process_measures_what_is_not_claimed(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox)) as one, an_intake(database, tmp_path, SandboxEye(sandbox)) as other:
        kept = one.files.put(a_photo())
        receipts = [each.take_in(kept, each.slot()) for each in (one, other)]
        for each in (one, other):
            for future in each.going((kept.sha256,)):
                future.result(timeout=60)
        assert len({receipt.evidence_id for receipt in receipts}) == 2
        looked = [eye.looks for each in (one, other) for eye in each._all_eyes if isinstance(eye, SandboxEye)]
        assert sorted(looked) == [0, 1]


def test_a_start_removes_the_halves_that_a_crash_left(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox)) as intake:
        old, fresh = (intake.files._spool / name for name in ("old", "fresh"))
        for half in (old, fresh):
            half.write_bytes(a_photo()[:1_000])
        long_ago(old)
    with an_intake(database, tmp_path, SandboxEye(sandbox)) as intake:
        assert intake.recover() == 0
        assert (old.exists(), fresh.exists()) == (False, True)


def test_a_file_that_cannot_be_read_says_why(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox)) as intake:
        sha256 = send(intake, b"no picture at all")
        found = intake.status(sha256)
        assert found["unreadable"] is not None
        assert found["status"] == "measured"
        assert all(each["value"] is None or each["value"] == 0.0 for each in found["measurements"])


def test_a_risen_version_is_measured_again_and_the_old_answer_stays(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox, {"generated": ("1:old", 0.2)}), now=clock) as intake:
        sha256 = send(intake, a_photo())
    with an_intake(database, tmp_path, SandboxEye(sandbox, {"generated": ("1:new", 0.9)}), now=clock) as intake:
        assert intake.status(sha256)["status"] == "stored"
        assert intake.remeasure().measured == 1
        assert intake.remeasure().measured == 0
        found = [(each["version"], each["value"]) for each in intake.status(sha256)["measurements"] if each["signal"] == "generated"]
        assert found == [("1:old", 0.2), ("1:new", 0.9)]
        assert count(database, "evidence_looks") == 1


class Slow(SandboxEye):
    """Looks when it may."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.may = threading.Event()

    def look(self, data: bytes) -> Look:
        self.may.wait(60)
        return super().look(data)


def test_a_look_that_found_no_bytes_is_made_again_when_their_store_is_back(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    server, eye = ObjectStore(), Slow(sandbox)
    server.start()
    try:
        files = EvidenceFiles(f"s3://{BUCKET}/later", 1 << 20, tmp_path / "incoming", server.access)
        intake = Intake(files, EvidenceRows(History(database)), (eye,), Clock(), 8)
        receipts = [intake.take_in(files.put(a_photo(seed)), intake.slot()) for seed in (1, 2, 3)]
        server.stop()
        eye.may.set()  # the first one's bytes are read already
        shas = [receipt.sha256 for receipt in receipts]
        until(lambda: intake.waiting == 0, 30, "the looks did not fail")
        assert [intake.status(sha256)["status"] for sha256 in shas] == ["measured", "stored", "stored"]
        server.start()
        until(lambda: {intake.status(sha256)["status"] for sha256 in shas} == {"measured"}, 60, "they were not looked at again")
        intake.close()
    finally:
        server.remove()


def test_when_the_queue_is_full_the_next_is_asked_to_come_back(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox), queue=1) as intake:
        slots = [intake.slot(), intake.slot()]
        with pytest.raises(BusyError, match="later"):
            intake.slot()
        for slot in slots:
            slot.release()
            slot.release()  # twice is once
        intake.slot().release()


def test_a_copy_belongs_to_the_picture_that_came_first(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox)) as intake:
        first, copy, other = send(intake, a_photo(1)), send(intake, mirrored(1)), send(intake, a_photo(99))
        with database.reading() as connection:
            clusters = dict(database.fetch(connection, "SELECT sha256, cluster FROM evidence_looks", ()))
        assert clusters == {first: f"sha_{first}", copy: f"sha_{first}", other: f"sha_{other}"}
    with an_intake(database, tmp_path, SandboxEye(sandbox)) as restarted:
        assert len(restarted.library) == 3
        again = send(restarted, mirrored(1, 40))
        assert restarted.library.cluster(again, ()) == f"sha_{first}"


def test_what_never_came_is_not_found(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox)) as intake, pytest.raises(NotFoundError):
        intake.status("0" * 64)
