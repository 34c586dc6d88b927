"""What one can see from outside: a request id on every answer, one log record for every request."""

import json
import logging
import logging.config
import os
import re
import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID_KEY = REQUEST_ID_HEADER.lower().encode()  # as ASGI has it
MAX_REQUEST_ID_LENGTH = 128
NO_ROUTE = "none"
SPECIAL = re.compile('[ ="]')
PROBES = ("/livez", "/readyz", "/metrics")  # asked every few seconds: logged at DEBUG only

logger = logging.getLogger(__name__)


class RequestTelemetry:
    """Pure ASGI middleware: gives a request its id, answers what nobody caught, and logs the request once.

    Args:
        app: the application.
        error_response: the answer to an exception that nothing inside has handled.
        observe: called once for each request, with the path of its route and the fields of its log record.
    """

    def __init__(
        self, app: ASGIApp, *, error_response: ASGIApp, observe: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        self._app = app
        self._error_response = error_response
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = _request_id(scope)
        header = REQUEST_ID_KEY, request_id.encode()
        record: dict[str, Any] = {"method": scope["method"], "path": scope["path"], "request_id": request_id}
        scope["denoiser.record"] = record

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], header]
                record["status"] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unhandled exception", extra={"fields": {"request_id": request_id}})
            if "status" in record:  # the answer has begun: only a broken connection can still tell
                raise
            await self._error_response(scope, receive, send_with_id)
        finally:
            record["duration_ms"] = round((time.perf_counter() - start) * 1000, 3)
            level = logging.DEBUG if scope["path"] in PROBES else logging.INFO
            if logger.isEnabledFor(level):
                logger.handle(_log_record(level, record))
            self._observe(getattr(scope.get("route"), "path", NO_ROUTE), record)


@cache
def _record_of_requests(level: int) -> logging.LogRecord:
    return logger.makeRecord(logger.name, level, __file__, 0, "request", (), None)


def _log_record(level: int, fields: dict[str, Any]) -> logging.LogRecord:
    """Make what ``logger.log`` would, but for the line that called it: finding out the same again takes 5 µs."""
    record = logging.LogRecord.__new__(logging.LogRecord)
    now = time.time()
    record.__dict__ = {**_record_of_requests(level).__dict__, "created": now, "msecs": now % 1 * 1000, "fields": fields}
    return record


def add_to_record(scope: Scope, **fields: object) -> None:
    """Add fields to the log record of the request that ``scope`` belongs to; never its payload."""
    scope.setdefault("denoiser.record", {}).update(fields)


@lru_cache(maxsize=4)
def _format_second(second: int, form: str) -> str:
    return time.strftime(form, time.localtime(second))


class TextFormatter(logging.Formatter):
    """``time level logger message key=value ...``."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002  # logging names it
        """Give the local time with milliseconds, as logging's own formatter."""
        return f"{_format_second(int(record.created), '%Y-%m-%d %H:%M:%S')},{int(record.msecs):03d}"

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        text = super().format(record)
        fields = " ".join([f"{key}={_plain(value)}" for key, value in getattr(record, "fields", {}).items()])
        head, newline, trace = text.partition("\n")
        return f"{head} {fields}{newline}{trace}" if fields else text


def _plain(value: object) -> str:
    """Quote what could pass for another field or another line: clients choose paths, for example."""
    if not isinstance(value, str) or (value and value.isprintable() and not SPECIAL.search(value)):
        return str(value)
    return json.dumps(value)


_encode_json = json.JSONEncoder(default=str).encode  # json.dumps would make an encoder each time


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

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


def configure_logging(form: Literal["text", "json"]) -> None:
    """Send every record of the process to stderr in the given form."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no formatter asks for them
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
            "root": {"level": "INFO", "handlers": ["stderr"]},
            "loggers": {"absl": {"level": "WARNING"}, "uvicorn": {"level": "WARNING"}},  # say nothing that we do not
        }
    )


def _request_id(scope: Scope) -> str:
    """Echo a client's id if it is 1 to 128 printable ASCII characters, else make one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID_KEY:
            if value.isascii() and 0 < len(value) <= MAX_REQUEST_ID_LENGTH and (given := value.decode()).isprintable():
                return str(given)
            break
    return os.urandom(16).hex()
