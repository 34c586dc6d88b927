"""Write log records to stderr, as text or as one JSON object a line."""

import json
import logging
import logging.config
import re
import time
from functools import lru_cache
from typing import Any, Literal

Form = Literal["text", "json"]
Level = Literal["debug", "info", "warning"]

SPECIAL = re.compile('[ ="]')


@lru_cache(maxsize=4)
def _format_second(second: int, form: str) -> str:
    return time.strftime(form, time.localtime(second))


class TextFormatter(logging.Formatter):
    """Writes ``time level logger message key=value ...``."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002  # logging names it
        """Return the local time with milliseconds, as logging's own formatter does."""
        return f"{_format_second(int(record.created), '%Y-%m-%d %H:%M:%S')},{int(record.msecs):03d}"

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        text = super().format(record)
        fields = " ".join([f"{key}={_plain(value)}" for key, value in getattr(record, "fields", {}).items()])
        head, newline, trace = text.partition("\n")
        return f"{head} {fields}{newline}{trace}" if fields else text


def _plain(value: object) -> str:
    """Quote text that could pass for another field or line, such as a path, which clients choose."""
    if not isinstance(value, str) or (value and value.isprintable() and not SPECIAL.search(value)):
        return str(value)
    return json.dumps(value)


_encode_json = json.JSONEncoder(default=str).encode  # json.dumps would create an encoder on each call


class JsonFormatter(logging.Formatter):
    """Writes one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        entry: dict[str, Any] = {
            "time": _format_second(int(record.created), "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return _encode_json(entry)


def configure_logging(form: Form, level: Level) -> None:
    """Send the records of the process of at least ``level`` to stderr in the given form.

    What libraries log at DEBUG never appears, nor what absl and uvicorn log at INFO, which repeats our records.
    """
    # No format uses these; the logging HOWTO ("Optimization") advises switching them off.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    quiet = {"level": "WARNING"}
    formatters: dict[str, dict[str, str]] = {
        "text": {"()": f"{__name__}.TextFormatter", "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": f"{__name__}.JsonFormatter"},
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"chosen": formatters[form]},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
            "root": {"level": "INFO" if level == "debug" else level.upper(), "handlers": ["stderr"]},
            "loggers": {"app": {"level": level.upper()}, "absl": quiet, "uvicorn": quiet},
        }
    )
