"""The bytes of evidence, under their own SHA-256: a folder, or an object store by its address. Kept whole or not at all, and never changed.

A file is written beside the others first and moved into place when it is complete and on disk; an object store takes a finished file in one request,
which is all or nothing by its own promise. So a name that is there names exactly those bytes, whatever was killed in between.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from fsspec.implementations.local import LocalFileSystem

from data_contracts.errors import ContractError, NotFoundError, SourceUnavailableError
from risk import clock
from risk.stores.object_store import ObjectAccess, open_place

SPOOL = ".incoming"
"""Where files lie until they are complete; never inside the tree of finished ones."""

TRIES = 3
"""How often an object is sent before it counts as refused."""

IDLE_S = 3_600
"""After that long without a byte nobody sends the rest any more: far longer than any caller waits."""

ANYWHERE = ObjectAccess()


class FileTooLargeError(ContractError):
    """More bytes than a file may have; noticed while they come, not after."""

    status = 413
    code = "TOO_LARGE"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is in the store; `fresh`: it was not there before."""

    sha256: str
    size_bytes: int
    fresh: bool


class EvidenceFiles:
    """`url` is a folder or what fsspec understands (`s3://bucket/evidence`); `spool` is a folder of this machine for files that are still coming.

    `access` says how an object store is reached. ContractError: no such kind of store. SourceUnavailableError: it does not answer.
    """

    def __init__(self, url: str, limit_bytes: int, spool: Path | None = None, access: ObjectAccess = ANYWHERE) -> None:
        self.limit_bytes = limit_bytes
        with _answering(url):
            try:
                self._fs, self._root = open_place(url, access)
            except (ValueError, ImportError):
                message = (
                    f"REFUND_RISK_EVIDENCE_URL begins with {url.partition(':')[0]}, which names no store here; expected a folder or s3://BUCKET/PATH"
                )
                raise ContractError(message, field="evidence_url") from None
            self._is_local = isinstance(self._fs, LocalFileSystem)
            self._spool = Path(self._root) / SPOOL if self._is_local else spool or Path(tempfile.gettempdir()) / "refund-risk-incoming"
            self._spool.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> Path | None:
        """Where the files lie on this machine; null for an object store."""
        return Path(self._root) if self._is_local else None

    def incoming(self) -> "Incoming":
        """A file about to come, piece by piece; it is gone at the end of the `with` unless it was kept."""
        return Incoming(self, self._spool / uuid4().hex)

    def put(self, data: bytes) -> Kept:
        """Keep bytes. FileTooLargeError, ContractError: too many, or none. SourceUnavailableError: they cannot be kept."""
        with self.incoming() as incoming:
            incoming.write(data)
            return incoming.keep()

    def get(self, sha256: str) -> bytes:
        """The bytes, as they came. NotFoundError: never came. SourceUnavailableError: the store does not answer, or its disk lost some of them."""
        with _answering(self._root):
            try:
                data: bytes = self._fs.cat_file(self._path(sha256))
            except FileNotFoundError:
                message = f"no evidence with sha256 {sha256}"
                raise NotFoundError(message, field="sha256") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            message = f"evidence {sha256} has other bytes than it came with; restore it from a backup"
            raise SourceUnavailableError(message)
        return data

    def holds(self, sha256: str) -> bool:
        """Whether those bytes are kept."""
        with _answering(self._root):
            return bool(self._fs.exists(self._path(sha256)))

    def remove(self, sha256: str) -> None:
        """Delete those bytes; it is no error where they are gone already. SourceUnavailableError: the store does not answer."""
        with _answering(self._root):
            try:
                self._fs.rm_file(self._path(sha256))
            except FileNotFoundError:
                return

    def clear_spool(self, idle_s: float = IDLE_S) -> int:
        """Remove what never became complete and was not written to for that long: halves that killed processes left; how many files."""
        since = clock.now().timestamp() - idle_s
        cleared = 0
        with _answering(str(self._spool)):
            for file in self._spool.iterdir():
                with suppress(FileNotFoundError):  # it was completed meanwhile, or another process was first
                    if file.stat().st_mtime <= since:
                        file.unlink()
                        cleared += 1
        return cleared

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _take_over(self, file: Path, sha256: str) -> bool:
        """Move a complete file into place; false where it was there already."""
        if self.holds(sha256):
            return False
        with _answering(self._root):
            path = self._path(sha256)
            if not self._is_local:
                return self._sent(path, file.read_bytes())  # read first: a disk that fails in the middle must leave no half object
            folder = Path(path).parent
            folder.mkdir(parents=True, exist_ok=True)
            file.replace(path)
            for each in (folder, folder.parent, folder.parent.parent):
                _sync_folder(each)
        return True

    def _sent(self, path: str, data: bytes, tries: int = TRIES) -> bool:
        """Make an object; false where somebody was first. A server may refuse one of two that bring the same bytes at the same moment."""
        try:
            self._fs.pipe_file(path, data)
        except OSError:
            if self._fs.exists(path) and self._fs.size(path) == len(data):
                return False
            if tries == 1:
                raise
            return self._sent(path, data, tries - 1)
        return True


class Incoming:
    """One file on its way in: hashed and counted as it comes."""

    def __init__(self, files: EvidenceFiles, path: Path) -> None:
        self._files = files
        self._path = path
        self._hash = hashlib.sha256()
        self._size = 0
        with _answering(str(path)):
            self._stream = path.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()
        self._path.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """The next bytes. FileTooLargeError: more than a file may have."""
        self._size += len(piece)
        if self._size > self._files.limit_bytes:
            message = f"the file has more than {self._files.limit_bytes} bytes; expected at most that"
            raise FileTooLargeError(message, field="file")
        self._hash.update(piece)
        with _answering(str(self._path)):
            self._stream.write(piece)

    def keep(self) -> Kept:
        """It is complete: from now on it is there, also after a power cut. ContractError: it is empty."""
        if not self._size:
            raise ContractError("the file is empty; expected the bytes of a photo, a video or a document", field="file")
        with _answering(str(self._path)):
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
        sha256 = self._hash.hexdigest()
        return Kept(sha256, self._size, self._files._take_over(self._path, sha256))  # noqa: SLF001  # two halves of one store


@contextmanager
def _answering(place: str) -> Iterator[None]:
    """A store that fails is a source that does not answer."""
    try:
        yield
    except OSError as error:
        message = (
            f"the evidence store at {place} did not answer: {error.strerror or type(error).__name__}; check REFUND_RISK_EVIDENCE_URL and the disk"
        )
        raise SourceUnavailableError(message, outside="the evidence store does not answer; send the same again") from error


def _sync_folder(folder: Path) -> None:
    """The name of a file is on disk only when its folder is."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
