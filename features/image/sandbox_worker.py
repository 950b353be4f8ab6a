"""The sandbox's own process: takes jobs from standard input, answers on standard output, under limits that the kernel keeps.

It is started by `sandbox.py`. Hostile bytes are opened here and nowhere else.
"""

import os
import resource
import sys
import warnings
from pathlib import Path

from features.image import c2pa_manifest
from features.image.examples import jpeg, png
from features.image.measure import SIGNALS, WITH_READING, measure_all
from features.image.picture import Picture
from features.image.sandbox_wire import pack_answer, read_job, receive, send
from features.image.signal_kit import Context

_PAGE = resource.getpagesize()


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
    for data in (jpeg(), png()):
        measure_all(data, Context(), WITH_READING if reading else SIGNALS, keep=True)
    c2pa_manifest.read_manifest(Picture(png(chunks=b"\x00\x00\x00\x08caBX\x00\x00\x00\x00jumb\x00\x00\x00\x00")), Context())


def main() -> None:
    """Serve jobs until standard input ends. Arguments: memory in MB, seconds a job, whether jobs may ask for reading (1 or 0)."""
    memory_mb, seconds, reading = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a decoder prints must not reach the answers
    warnings.simplefilter("ignore")
    warm_up(reading=reading)
    limit(memory_mb)
    send(answers, b"ready")
    while (packed := receive(sys.stdin.buffer)) is not None:
        limit_seconds(seconds)
        job = read_job(packed)
        send(answers, pack_answer(measure_all(job.data, job.context, WITH_READING if job.read else SIGNALS, keep=job.keep)))


if __name__ == "__main__":
    main()
