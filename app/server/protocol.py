"""HTTP/1.1 as the service reads it: what uvicorn's httptools protocol decides before any application is asked."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.server.connections import ConnectionLimit
from app.server.exchange import Exchange
from app.server.outside_bytes import OutsideBytes
from app.server.patience import ANSWER_TIMEOUT_S, HEADERS_TIMEOUT_S, LINGER_S, Unread
from app.telemetry.request_log import note_refusal
from app.web.connection import EXTENSION
from app.web.responses.problems import (
    HEADERS_TOO_LARGE,
    STATUS_PROBLEM_TYPES,
    TOO_MANY_CONNECTIONS,
    ProblemType,
    problem_response,
)

MAX_OUTSIDE_BYTES = 64 * 1024  # of a request, outside its body; the parser is quadratic in the length of a header
MAX_HEADERS = 256  # where they do not arrive at once: each takes 130 bytes more than it has
TOO_LARGE_DETAIL = f"A request may have {MAX_HEADERS} headers, and {MAX_OUTSIDE_BYTES} bytes outside of its body."
PIECE_BYTES = 16 * 1024  # fed to the parser at once
PROBES = ("/livez", "/readyz")
RETRY_AFTER_S = "1"


class HttpProtocol(HttpToolsProtocol):
    """Bounds what a client can send outside bodies and the time it can take; answers as problems what it refuses.

    Args:
        limit: shared by all connections of the process.
        given: what uvicorn gives every protocol.
    """

    def __init__(self, *, limit: ConnectionLimit, **given: Any) -> None:  # noqa: ANN401  # uvicorn's
        super().__init__(**given)
        self.headers = []
        self._limit = limit
        self._deadline = self.loop.time() + HEADERS_TIMEOUT_S  # holds while no request is in work
        self._exchange: RequestResponseCycle | None = None  # the request in work; uvicorn's cycle is the newest
        self._is_over = False  # nothing that arrives is of interest any more
        self._refusal: tuple[ProblemType, str] | None = None  # that waits for the requests before it
        self._is_in_message = self._is_in_head = False
        self._outside = OutsideBytes()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Count the connection."""
        super().connection_made(transport)
        self._unread = Unread(transport, self.loop.time())
        self._limit.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application at once."""
        super().connection_lost(exc)
        self._limit.leave(self)
        self._lose_exchange()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived on the connection, piece by piece."""
        for start in range(0, len(data), PIECE_BYTES):
            if not self._is_over:
                self._take(data[start : start + PIECE_BYTES])

    def _take(self, piece: bytes) -> None:
        """Parse a piece and count its bytes outside bodies."""
        self._outside.begin_piece(continues=self._is_in_message)
        is_http = True
        try:
            self._parse(piece)
        except httptools.HttpParserError:
            is_http = False
        self._outside.end_piece(len(piece))
        if self._outside.count > MAX_OUTSIDE_BYTES or len(self.headers) > MAX_HEADERS:
            self._reject(HEADERS_TOO_LARGE, TOO_LARGE_DETAIL, is_new=self._is_in_head or self._exchange is None)
        elif not is_http:
            self.send_400_response("Invalid HTTP request received.")

    def _parse(self, piece: bytes) -> None:
        """Parse a piece; a message that offers to upgrade is parsed again without the offer.

        Clients that prefer HTTP/2 offer it on clear-text connections; httptools then takes the body for another
        protocol, https://github.com/Kludex/uvicorn/issues/2722. RFC 9110, section 7.8: a server may ignore the offer.
        """
        while piece:
            try:
                self.parser.feed_data(piece)
                return
            except httptools.HttpParserUpgrade as offer:
                piece = piece[offer.args[0] :]
            self._parse_again()

    def _parse_again(self) -> None:
        """Parse the headers anew that have just been parsed, with a parser that sees no offer."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
        outside, self._outside = self._outside, OutsideBytes()  # they have been counted
        self.parser.feed_data(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, b"".join(headers)))
        self._outside = outside

    def _is_offer(self) -> bool:
        """Whether the message is one that will be parsed again; CONNECT is not, and is refused."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def on_message_begin(self) -> None:
        """Note that headers follow, and until when."""
        super().on_message_begin()
        self._is_in_message = self._is_in_head = True
        self._outside.begin_message()
        self._deadline = self.loop.time() + HEADERS_TIMEOUT_S

    def on_headers_complete(self) -> None:
        """Start the request, or let it wait for those before it."""
        if self._is_offer():
            return
        super().on_headers_complete()
        self._is_in_head = False
        self.headers = deque(maxlen=0)  # type: ignore[assignment]  # takes trailers and forgets them
        self.cycle.__class__ = Exchange  # uvicorn hard-codes the class; this object has not run yet
        self.scope[EXTENSION] = self.cycle  # type: ignore[literal-required]  # our own extension

    def on_body(self, body: bytes) -> None:
        """Count and keep a part of the body."""
        self._outside.add_body(len(body))
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Count what every chunk begins with."""
        self._outside.begin_chunk()

    def on_chunk_complete(self) -> None:
        """Count what every chunk ends with."""
        self._outside.end_chunk()

    def on_message_complete(self) -> None:
        """Note that the request has arrived."""
        if self._is_offer():
            return
        self._is_in_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to the next request, or wait for one: uvicorn's way without its timer for each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._deadline = self.loop.time() + (HEADERS_TIMEOUT_S if self._is_in_head else self.timeout_keep_alive)
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal:
            self._refuse(*self._refusal)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Answer a request whose turn has come."""
        self._exchange = cycle
        if not _names_one_host(cycle.scope["headers"], cycle.scope["http_version"]):
            self._refuse(STATUS_PROBLEM_TYPES[400], "A request must have one header Host.", scope=cycle.scope)
        elif not (self._limit.admits(self) or cycle.scope["path"] in PROBES):
            detail = "The connections that are left are for probes."
            self._refuse(TOO_MANY_CONNECTIONS, detail, scope=cycle.scope, headers={"Retry-After": RETRY_AFTER_S})
        else:
            super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and end the connection."""
        self._reject(STATUS_PROBLEM_TYPES[400], msg, is_new=self._is_in_head or not self._is_in_message)

    def _reject(self, kind: ProblemType, detail: str, *, is_new: bool) -> None:
        """Refuse what arrives, in its turn; only hang up if its response has begun.

        Args:
            kind: the problem.
            detail: what the client reads about it.
            is_new: what arrives is not known to the application yet.
        """
        if self._is_over:
            return
        self._is_over = True
        is_in_work = self._exchange is not None and not self._exchange.response_complete
        if not is_new and self.pipeline:
            self.pipeline.popleft()  # the newest
            is_new = True
        if is_new and is_in_work:
            self._refusal = kind, detail
        elif is_new or (is_in_work and not self.cycle.response_started):
            self._refuse(kind, detail)
        else:
            self.transport.close()

    def _refuse(
        self,
        kind: ProblemType,
        detail: str,
        *,
        scope: Mapping[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer with a problem and hang up; ``scope`` is that of the request, if so much of it is known.

        What still arrives is thrown away for a moment: closing at once would reset the connection, and the client
        could not read the answer.
        """
        response = problem_response(kind, detail, headers={**(headers or {}), "Connection": "close"})
        note_refusal(scope, status=kind.status, problem=kind.slug, observe=self._observe)
        lines = [f"HTTP/1.1 {kind.status} {kind.title}".encode()]
        lines += [name + b": " + value for name, value in (*self.server_state.default_headers, *response.raw_headers)]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body))
        self.transport.write_eof()
        self._is_over = True
        self._deadline = self.loop.time() + LINGER_S
        self._lose_exchange()
        self.flow.resume_reading()

    def _observe(self, route: str, record: Mapping[str, Any]) -> None:
        """Count a request that the application does not see."""
        if service := self.app_state.get("service"):
            service.metrics.observe(route, record)

    def _lose_exchange(self) -> None:
        """Let the application know that nobody waits for the request in work."""
        exchange, self._exchange = self._exchange, None
        self.pipeline.clear()
        if isinstance(exchange, Exchange) and not exchange.response_complete:
            exchange.disconnected = True
            exchange.message_event.set()
            self.flow.resume_writing()
            exchange.lose()

    def shutdown(self) -> None:
        """End the connection, after the request in work if there is one."""
        if self._is_over and self._exchange is None:
            self.transport.close()
        else:
            super().shutdown()

    def drop(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def end_if_overdue(self, now: float) -> None:
        """End the connection if its client keeps the service waiting; the server asks once a second."""
        if self._unread.waits_for(now) >= ANSWER_TIMEOUT_S:
            self.drop()
            return
        is_in_work = self._exchange is not None and not self._exchange.response_complete
        if now >= self._deadline and not is_in_work:
            self.transport.close()


def _names_one_host(headers: Iterable[tuple[bytes, bytes]], http_version: str) -> bool:
    """Whether there is one header Host (RFC 9112, section 3.2); before HTTP/1.1 there may be none."""
    hosts = [name for name, _ in headers].count(b"host")
    return hosts == 1 or (hosts == 0 and http_version != "1.1")
