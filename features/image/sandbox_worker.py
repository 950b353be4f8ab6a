"""The sandbox's own process: takes jobs from standard input, answers on standard output, under limits that the kernel keeps.

It is started by `sandbox.py`. Hostile bytes are opened here and nowhere else.
"""

import os
import resource
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from data_contracts.errors import RiskError
from features.image import c2pa_manifest
from features.image.examples import jpeg, png
from features.image.measure import SIGNALS, WITH_READING, Piece, measure_all, measure_piece, open_piece
from features.image.picture import Picture
from features.image.sandbox_rules import forbid
from features.image.sandbox_wire import Job, pack_answer, read_job, receive, send
from features.image.signal_kit import Context

_PAGE = resource.getpagesize()

Look: TypeAlias = Callable[[Piece, Job], bytes]
"""What a worker of a higher floor adds to the answer: it gets the opened piece and what was asked."""


def limit(memory_mb: int) -> None:
    """Cap memory beyond what is mapped now, forbid writing files and core dumps, and keep few files open."""
    mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * _PAGE
    room = mapped + (memory_mb << 20)
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def limit_seconds(seconds: int) -> None:
    """Let the kernel end this process after so many more seconds of computing."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, hard))


def warm_up(*, reading: bool) -> None:
    """Load every decoder while there is still room: libraries that load under a memory limit fail in strange ways."""
    from features.image import heif, video  # noqa: F401  # for their effect

    for data in (jpeg(), png()):
        measure_all(data, Context(), WITH_READING if reading else SIGNALS, keep=True)
    c2pa_manifest.read_manifest(Picture(png(chunks=b"\x00\x00\x00\x08caBX\x00\x00\x00\x00jumb\x00\x00\x00\x00")), Context())


def main() -> None:
    """Serve jobs with the signals alone."""
    serve(None)


def serve(prepare: Callable[[], Look] | None) -> None:
    """Serve jobs until standard input ends.

    `prepare` loads what a higher floor adds, before the limits fall; a RiskError of it is told to the caller.

    Arguments of the process: memory in MB, seconds a job, whether jobs may ask for reading (1 or 0).
    """
    memory_mb, seconds, reading = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a decoder prints must not reach the answers
    warnings.simplefilter("ignore")
    warm_up(reading=reading)
    try:
        look = prepare() if prepare is not None else None
    except RiskError as error:
        send(answers, error.message.encode())
        return
    limit(memory_mb)
    forbid()
    send(answers, b"ready")
    while (packed := receive(sys.stdin.buffer)) is not None:
        limit_seconds(seconds)
        job = read_job(packed)
        send(answers, _answer(job, look))


def _answer(job: Job, look: Look | None) -> bytes:
    piece = open_piece(job.data)
    measured = measure_piece(piece, job.context, WITH_READING if job.read else SIGNALS, keep=job.keep)
    return pack_answer(measured, look(piece, job) if look is not None and job.look else b"")


if __name__ == "__main__":
    main()
