"""Put a request id and its trace on every response, and write one log record for every request."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.trace_context import TRACEPARENT, TraceContext, parse_traceparent

REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID_KEY = REQUEST_ID_HEADER.lower().encode()  # as ASGI spells header names
MAX_REQUEST_ID_LENGTH = 128
NO_ROUTE = "none"
CLIENT_GONE_STATUS = 499  # only in the log and the metrics: there is no one to send it to
FAILED = 500  # from this status on, the service is at fault
PROBES = ("/livez", "/readyz", "/metrics")  # called every few seconds, so logged at DEBUG only

Observe = Callable[[str, Mapping[str, Any]], None]  # takes the path of a route and the fields of a log record

logger = logging.getLogger(__name__)


class RequestTelemetry:
    """Pure ASGI middleware: gives a request its id, answers uncaught exceptions, and logs the request once.

    A request that is part of a trace has this in its log record and its response.

    Args:
        app: the application.
        error_response: the response to an exception that the application did not handle.
        observe: called once for each request, with the path of its route and the fields of its log record.
    """

    def __init__(self, app: ASGIApp, *, error_response: ASGIApp, observe: Observe) -> None:
        self._app = app
        self._error_response = error_response
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id, trace = _identify(scope["headers"])
        headers = [(REQUEST_ID_KEY, request_id.encode())]
        record: dict[str, Any] = {"method": scope["method"], "path": scope["path"], "request_id": request_id}
        if trace is not None:
            headers.append((TRACEPARENT, trace.header))
            record |= {"trace_id": trace.trace_id, "parent_id": trace.parent_id, "sampled": trace.is_sampled}
        scope["denoiser.record"] = record

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
                record["status"] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except asyncio.CancelledError:  # by other servers than ours, when the client has left
            record.setdefault("status", CLIENT_GONE_STATUS)
            record["problem"] = "client-gone"
            raise
        except Exception:
            logger.exception("unhandled exception", extra={"fields": {"request_id": request_id}})
            if "status" in record:  # the response has begun: only breaking the connection shows the error
                raise
            await self._error_response(scope, receive, send_with_id)
        finally:
            record["duration_ms"] = round((time.perf_counter() - start) * 1000, 3)
            logger.log(_level_of(record), "request", extra={"fields": record})
            self._observe(getattr(scope.get("route"), "path", NO_ROUTE), record)


def note_refusal(scope: Mapping[str, Any] | None, *, status: int, problem: str, observe: Observe) -> None:
    """Log and count a request that the server refuses before the application sees it.

    ``scope`` is that of the request, or None if not so much of it is known.
    """
    record: dict[str, Any] = {"method": scope["method"], "path": scope["path"]} if scope else {}
    record |= {"status": status, "problem": problem}
    logger.info("refused", extra={"fields": record})
    observe(NO_ROUTE, record)


def add_to_record(scope: Scope, **fields: object) -> None:
    """Add fields to the log record of the request that ``scope`` belongs to, but never its payload."""
    scope.setdefault("denoiser.record", {}).update(fields)


def _level_of(record: Mapping[str, Any]) -> int:
    if record["path"] in PROBES:
        return logging.DEBUG
    return logging.WARNING if record.get("status", FAILED) >= FAILED else logging.INFO


def _identify(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, TraceContext | None]:
    """Return the id of a request and its trace.

    The id is the client's if it is 1 to 128 printable ASCII characters, else a new one. There is no trace if the
    client names none, or not exactly one in a valid form.
    """
    given: bytes | None = None
    traces: list[bytes] = []
    for name, value in headers:
        if name == REQUEST_ID_KEY:
            given = value if given is None else given
        elif name == TRACEPARENT:
            traces.append(value)
    trace = parse_traceparent(traces[0]) if len(traces) == 1 else None
    if given and len(given) <= MAX_REQUEST_ID_LENGTH and given.isascii() and (text := given.decode()).isprintable():
        return text, trace
    return os.urandom(16).hex(), trace
