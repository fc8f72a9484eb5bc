"""Structured logs: request, command and sandbox ids on every line, no locals in tracebacks."""

from __future__ import annotations

import logging
from typing import Any

import structlog

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
]


def _renderer(log_format: str) -> list[Any]:
    # structlog's defaults print local variables, and with them secrets.
    if log_format == "json":
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        return [
            structlog.processors.ExceptionRenderer(transformer),
            structlog.processors.JSONRenderer(),
        ]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(exception_formatter=plain, colors=False)]


def no_readiness_probe(record: logging.LogRecord) -> bool:
    """Leave out the answers to ``/readyz``: a portal that starts or stops says 503, rightly."""
    return "/readyz" not in f"{record.msg}{record.args}"


def logging_settings(level: str, log_format: str) -> dict[str, Any]:
    """``LOGGING`` for Django; also configures structlog itself.

    Args:
        level: a level name for the portal's own loggers.
        log_format: ``json`` or ``console``.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_renderer(log_format),
        ],
        "foreign_pre_chain": SHARED,
    }
    quiet = {"level": "WARNING", "handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "filters": {
            "no_readiness_probe": {
                "()": "django.utils.log.CallbackFilter",
                "callback": no_readiness_probe,
            }
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "structured",
                "filters": ["no_readiness_probe"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "daphne": quiet,
            "asyncio": quiet,
            "kombu": quiet,
            "celery.worker.strategy": quiet,
            "celery.app.trace": quiet,
            "django_structlog": quiet,
        },
    }
