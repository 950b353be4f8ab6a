"""Bytes are kept whole, once, under their own name, in a folder and in an object store."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from data_contracts.errors import ContractError, NotFoundError, SourceUnavailableError
from risk import clock
from risk.stores.evidence_files import IDLE_S, SPOOL, EvidenceFiles, FileTooLargeError
from risk.stores.object_store import ObjectAccess
from tests.object_stores import BUCKET, ObjectStore

LIMIT = 1000


@pytest.fixture(params=["folder", "memory", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EvidenceFiles]:
    """Files in a folder, in a store of whole objects in memory, and in a server that speaks S3."""
    if request.param == "folder":
        yield EvidenceFiles(str(tmp_path / "evidence"), LIMIT, tmp_path / "spool")
        return
    if request.param == "s3":
        server: ObjectStore = request.getfixturevalue("object_store")
        yield EvidenceFiles(f"s3://{BUCKET}/{uuid4().hex}", LIMIT, tmp_path / "spool", server.access)
        return
    yield EvidenceFiles(f"memory://{uuid4().hex}", LIMIT, tmp_path / "spool")
    fsspec.filesystem("memory").store.clear()


def names(files: EvidenceFiles) -> set[str]:
    return {path.rpartition("/")[2] for path in files._fs.find(files._root) if SPOOL not in path}


def test_what_comes_goes_out_again_untouched(files: EvidenceFiles) -> None:
    data = bytes(range(256))
    kept = files.put(data)
    assert kept.sha256 == hashlib.sha256(data).hexdigest()
    assert (kept.size_bytes, kept.fresh) == (256, True)
    assert files.get(kept.sha256) == data
    assert files.holds(kept.sha256)


def test_the_same_bytes_are_one_file(files: EvidenceFiles) -> None:
    with ThreadPoolExecutor(8) as senders:
        kept = list(senders.map(lambda _: files.put(b"the same"), range(16)))
    assert len({each.sha256 for each in kept}) == 1
    assert names(files) == {kept[0].sha256}
    assert not files.put(b"the same").fresh


def test_a_file_comes_in_pieces_and_too_many_are_refused_while_they_come(files: EvidenceFiles) -> None:
    with files.incoming() as incoming:
        for _ in range(10):
            incoming.write(b"x" * 100)
        assert incoming.keep().size_bytes == LIMIT
    with files.incoming() as incoming:
        incoming.write(b"y" * 999)
        with pytest.raises(FileTooLargeError, match="1000 bytes"):
            incoming.write(b"yy")
    assert names(files) == {hashlib.sha256(b"x" * 1000).hexdigest()}
    assert files.clear_spool(idle_s=0) == 0


def test_what_was_not_kept_is_gone(files: EvidenceFiles) -> None:
    with files.incoming() as incoming:
        incoming.write(b"half a photo")
    with pytest.raises(ContractError, match="empty"), files.incoming() as incoming:
        incoming.keep()
    assert names(files) == set()


def test_a_half_that_nobody_sends_on_is_removed_and_what_is_coming_stays(files: EvidenceFiles) -> None:
    left = files._spool / "of-a-killed-process"
    left.write_bytes(b"half a photo")
    with files.incoming() as incoming:
        incoming.write(b"half ")
        assert files.clear_spool() == 0
        long_ago(left)
        assert files.clear_spool() == 1
        incoming.write(b"a photo")
        assert files.holds(incoming.keep().sha256)
    assert list(files._spool.iterdir()) == []


def long_ago(file: Path) -> None:
    """Nothing was written to it for an hour."""
    then = clock.now().timestamp() - IDLE_S
    os.utime(file, (then, then))


def test_what_never_came_is_not_found(files: EvidenceFiles) -> None:
    with pytest.raises(NotFoundError):
        files.get("0" * 64)


def test_a_disk_that_lost_bytes_is_noticed(tmp_path: Path) -> None:
    files = EvidenceFiles(str(tmp_path), LIMIT)
    sha256 = files.put(b"an honest photo").sha256
    (tmp_path / sha256[:2] / sha256[2:4] / sha256).write_bytes(b"another photo")
    with pytest.raises(SourceUnavailableError, match="backup"):
        files.get(sha256)


def test_a_store_that_cannot_be_written_to_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SourceUnavailableError, match="REFUND_RISK_EVIDENCE_URL"):
        EvidenceFiles(str(tmp_path / "file" / "evidence"), LIMIT)


@pytest.fixture
def server() -> Iterator[ObjectStore]:
    """A server of this test alone, which it may stop."""
    started = ObjectStore()
    started.start()
    yield started
    started.remove()


def test_an_object_holds_the_original_bytes(server: ObjectStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * 40_000  # more than one part of an upload
    kept = EvidenceFiles(f"s3://{BUCKET}/deep/er", len(data), tmp_path / "spool", server.access).put(data)
    assert (server.folder / BUCKET / "deep" / "er" / kept.sha256[:2] / kept.sha256[2:4] / kept.sha256).read_bytes() == data


def test_a_server_that_is_gone_does_not_answer_and_serves_again_when_it_is_back(server: ObjectStore, tmp_path: Path) -> None:
    files = EvidenceFiles(f"s3://{BUCKET}", LIMIT, tmp_path / "spool", server.access)
    kept = files.put(b"before")
    server.stop()
    with pytest.raises(SourceUnavailableError, match="REFUND_RISK_EVIDENCE_URL"):
        files.get(kept.sha256)
    with pytest.raises(SourceUnavailableError):
        files.put(b"meanwhile")
    server.start()
    assert files.get(kept.sha256) == b"before"
    assert files.put(b"meanwhile").fresh
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_wrong_key_opens_nothing(server: ObjectStore, tmp_path: Path) -> None:
    wrong = ObjectAccess(server.access.endpoint, "us-east-1", "test-key", "another secret")
    with pytest.raises(SourceUnavailableError) as error:
        EvidenceFiles(f"s3://{BUCKET}", LIMIT, tmp_path / "spool", wrong).put(b"x")
    assert "another secret" not in error.value.message
