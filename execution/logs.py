"""Structured logs on stderr with secrets redacted (DESIGN.md section 9)."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from execution.control.settings import Settings

_SECRET_NAMES = re.compile(r"token|secret|password|authorization|api_key|code_verifier", re.I)
_SECRET_VALUES = re.compile(r"(Bearer\s+|Basic\s+|nxa_)[A-Za-z0-9._~+/=-]+")
_HIDDEN = "[redacted]"


def configure_logs(settings: Settings) -> None:
    """Set up structlog for this process: readable on a terminal, JSON lines elsewhere."""
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values of fields named like a secret, and bearer tokens inside any text."""
    for name, value in event.items():
        if _SECRET_NAMES.search(name):
            event[name] = _HIDDEN
        elif isinstance(value, str):
            event[name] = _SECRET_VALUES.sub(lambda found: found[1] + _HIDDEN, value)
    return event
