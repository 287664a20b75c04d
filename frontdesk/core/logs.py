"""Log lines: one JSON object each where nobody watches, plain lines on a terminal, and never a local variable.

A traceback with local variables shows keys and customers' words, so tracebacks are plain text here.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure() -> None:
    """Set the process up once, before it logs. Everything goes to standard error."""
    is_watched = sys.stderr.isatty()
    shown: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_watched
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if is_watched else [structlog.processors.format_exc_info]),
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
