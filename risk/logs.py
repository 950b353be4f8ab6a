"""Logs: events with fields, as JSON lines on standard error."""

import json
import logging
import os
import sys
from contextvars import ContextVar
from threading import Lock
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from data_contracts.errors import ContractError
from risk import clock

CALL: ContextVar[str | None] = ContextVar("call_id", default=None)
"""The id of the call on whose behalf something is said; null outside of calls."""


class Unbroken:
    """Lines on a stream whose full disk or closed pipe fails no call: a decision that is on disk is answered, even where the log cannot be told."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._failed = 0
        self._lock = Lock()

    def write(self, line: str) -> None:
        """Write at once; the first line that goes through again says how many before it came late or not at all."""
        with self._lock:
            before = f'{{"event": "log_was_broken", "lines": {self._failed}}}\n' if self._failed else ""
            try:
                self._stream.write(f"{before}{line}\n")
                self._stream.flush()
                self._failed = 0
            except OSError:
                self._failed += 1

    debug = info = warning = error = critical = write


def configure_logs(level: str) -> None:
    """Say everything from that level on. ContractError: no such level."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        message = f"REFUND_RISK_LOG_LEVEL is {level}, expected debug, info, warning or error"
        raise ContractError(message, field="log_level")
    unbroken = Unbroken(sys.stderr)
    structlog.configure(
        processors=[_with_its_place, structlog.processors.format_exc_info, _as_json],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: unbroken,
        cache_logger_on_first_use=True,
    )


def _with_its_place(_logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """On whose behalf it is said, how loud, in which process and when."""
    if (call := CALL.get()) is not None:
        event["call_id"] = call
    event["level"] = level
    event["process"] = os.getpid()
    event["timestamp"] = clock.now()
    return event


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One line. What is no JSON is said as Python shows it, and half a character (which UTF-8 cannot hold) as its escape."""
    try:
        return msgspec.json.encode(event, enc_hook=repr).decode()
    except UnicodeEncodeError:
        return json.dumps(event, default=str)
