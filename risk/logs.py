"""Logs: events with fields, as JSON lines on standard error."""

import logging
import sys

import structlog

from data_contracts.errors import ContractError


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
            structlog.processors.CallsiteParameterAdder({structlog.processors.CallsiteParameter.PROCESS}),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
