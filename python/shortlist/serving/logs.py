"""Where the server's log lines go: stderr, so that stdout stays for results."""

from __future__ import annotations

import logging
from collections.abc import Callable

__all__ = ["LOGGING", "without_embedding_notice"]


def without_embedding_notice() -> Callable[[logging.LogRecord], bool]:
    """Make a filter that drops granian's remark on every start of its in-process server."""
    return lambda record: record.msg != "Embedded server is experimental!"


LOGGING: dict[str, object] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "no_embedding_notice": {"()": "shortlist.serving.logs.without_embedding_notice"},
    },
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(message)s"},
        "bare": {"format": "%(message)s"},
    },
    "handlers": {
        "log": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
            "formatter": "plain",
            "filters": ["no_embedding_notice"],
        },
        "access": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
            "formatter": "bare",
        },
    },
    "loggers": {
        "_granian": {"handlers": ["log"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
        "shortlist.serving": {"handlers": ["log"], "level": "INFO", "propagate": False},
    },
}
