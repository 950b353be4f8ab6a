"""Logs: events with fields, as JSON lines on standard error."""

import json
import logging
import os
import sys
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from data_contracts.errors import ContractError
from risk import clock


class Unbroken:
    """A stream whose full disk or closed pipe fails no call: a decision that is on disk is answered, even where it cannot be told to the log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._failed = 0

    def write(self, line: str) -> None:
        """Write at once; the first line that goes through again says how many before it came late or not at all."""
        before = f'{{"event": "log_was_broken", "lines": {self._failed}}}\n' if self._failed else ""
        try:
            self._stream.write(before + line)
            self._stream.flush()
            self._failed = 0
        except OSError:
            self._failed += 1

    def flush(self) -> None:
        """Written already."""


def configure_logs(level: str) -> None:
    """Say everything from that level on. ContractError: no such level."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        message = f"REFUND_RISK_LOG_LEVEL is {level}, expected debug, info, warning or error"
        raise ContractError(message, field="log_level")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _with_time_and_process,
            structlog.processors.format_exc_info,
            _as_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(Unbroken(sys.stderr)),  # type: ignore[arg-type]  # it writes; no more is asked of it
        cache_logger_on_first_use=True,
    )


def _with_time_and_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """When it was said, and in which process."""
    event["process"] = os.getpid()
    event["timestamp"] = clock.now()
    return event


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One line. What is no JSON is said as Python shows it, and half a character (which UTF-8 cannot hold) as its escape."""
    try:
        return msgspec.json.encode(event, enc_hook=repr).decode()
    except UnicodeEncodeError:
        return json.dumps(event, default=str)
