"""One of several workers, a process of its own: `python -m risk.jobs.worker HOME SOCKET WORKERS`, started by `workers.py`.

It answers on the socket of that number, says on standard output in one line that it answers or why it cannot, and stops when its standard input
ends: then whoever started it is gone.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import structlog

from data_contracts.errors import RiskError
from risk.settings import read_settings, shared_out

if TYPE_CHECKING:
    from risk.jobs.serve import RunningServer

log = structlog.get_logger()


def main(words: Sequence[str]) -> int:
    """The exit code: 0 when it was stopped, else as the error says."""
    home, number, workers = Path(words[0]), int(words[1]), int(words[2])
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda _number, _frame: sys.exit(0))  # until the server heeds them: nothing was begun
    from risk.jobs.serve import start

    try:
        running = start(home, shared_out(read_settings(os.environ), workers), lambda: socket.socket(fileno=number))
    except RiskError as error:
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, signal.SIG_IGN)  # it ends anyway; being asked to in the middle of that would leave a traceback
        log.error("worker_not_started", code=error.code, reason=error.message)  # noqa: TRY400  # an expected failure is one line
        say({"error": {"code": error.code, "message": error.message, "field": error.field, "exit_code": error.exit_code}})
        return error.exit_code
    running.server.announce = lambda: say(asdict(running.started))
    Thread(target=stop_with_the_starter, args=(running,), name="starter", daemon=True).start()
    running.wait()
    return 0


def say(what: dict[str, object]) -> None:
    """One line to whoever started this, the only one: from now on standard output is standard error."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def stop_with_the_starter(running: "RunningServer") -> None:
    """Wait for the end of standard input, then stop."""
    sys.stdin.read()
    running.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
