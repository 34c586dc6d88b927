"""HTTP/1.1 on the wire: uvicorn's httptools protocol, with what is decided before the application sees a request."""

import re
from collections.abc import Callable

from uvicorn._types import ASGISendEvent, HTTPResponseBodyEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.web.connection import EXTENSION
from app.web.responses.problems import HEADERS_TOO_LARGE, STATUS_PROBLEM_TYPES, ProblemType, problem_response

Headers = list[tuple[bytes, bytes]]

MAX_HEADER_BYTES = 64 * 1024  # the parser takes quadratic time in the length of a header
HEADER_END = b"\r\n\r\n"
CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\r\n"))  # allowed in no header; line ends are counted instead
HOP_BY_HOP = {b"connection", b"transfer-encoding"}
# Clients that prefer HTTP/2 offer it on clear-text connections; httptools then reads the body as HTTP/2,
# https://github.com/Kludex/uvicorn/issues/2722. RFC 9110, section 7.8: a server may ignore the offer.
UPGRADE = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)


class HttpProtocol(HttpToolsProtocol):
    """Ignores upgrade offers, bounds headers, answers malformed requests with problems, reports lost connections."""

    _unended_header_bytes = 0
    _is_in_body = False

    def on_headers_complete(self) -> None:
        """Note that a body follows."""
        super().on_headers_complete()
        self._is_in_body = True
        self.cycle.__class__ = Exchange  # uvicorn hard-codes the class; this object has not run yet
        self.scope[EXTENSION] = self.cycle  # type: ignore[literal-required]  # our own extension

    def on_message_complete(self) -> None:
        """Note that headers follow."""
        super().on_message_complete()
        self._is_in_body = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application at once that the client is gone."""
        super().connection_lost(exc)
        if isinstance(self.cycle, Exchange) and self.cycle.disconnected:
            self.cycle.lose()

    def data_received(self, data: bytes) -> None:
        """Pass on what has arrived, without upgrade offers, if the headers are not too large."""
        if not self._is_in_body:
            head, end, rest = data.partition(HEADER_END)
            data = UPGRADE.sub(b"", head) + end + rest
            self._unended_header_bytes = 0 if end else self._unended_header_bytes + len(head)
            if max(self._unended_header_bytes, len(head)) > MAX_HEADER_BYTES:
                self._refuse(HEADERS_TOO_LARGE, f"The headers of a request may have at most {MAX_HEADER_BYTES} bytes.")
                return
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP with a problem, and close the connection."""
        self._refuse(STATUS_PROBLEM_TYPES[400], msg)

    def _refuse(self, kind: ProblemType, detail: str) -> None:
        response = problem_response(kind, detail, headers={"Connection": "close"})
        lines = [f"HTTP/1.1 {kind.status} {kind.title}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join(lines) + HEADER_END + bytes(response.body))
        self.transport.close()


class Exchange(RequestResponseCycle):
    """One request and its response: an app.web.connection.Connection that sends complete responses in one write."""

    _start: HTTPResponseStartEvent | None = None
    _leave: Callable[[], None] | None = None

    def call_when_lost(self, callback: Callable[[], None] | None) -> None:
        """See app.web.connection.Connection."""
        self._leave = callback
        self.flow.resume_reading()  # the end of a connection shows only while it is read
        if self.disconnected:
            self.lose()

    def lose(self) -> None:
        """Call the callback that waits for the client to leave."""
        leave, self._leave = self._leave, None
        if leave:
            leave()

    async def send(self, message: ASGISendEvent) -> None:
        """Send an ASGI message; the start of a response waits for its body.

        While the service drains, the connection closes after the response: another request could arrive just when
        idle connections are closed, and would be lost.

        Uvicorn's own method makes two writes and runs two regular expressions for each header, a tenth of the event
        loop's work for a digit. It still sends responses that come in parts or are unusual in another way.
        """
        if message["type"] == "http.response.start":
            self._start = message
            service = self.scope["state"].get("service")
            self.keep_alive = self.keep_alive and not (service and service.admission.is_draining)
            return
        start, self._start = self._start, None
        if start is not None:
            if message["type"] == "http.response.body" and self._send_at_once(start, message):
                return
            await super().send(start)
        await super().send(message)

    def _send_at_once(self, start: HTTPResponseStartEvent, end: HTTPResponseBodyEvent) -> bool:
        """Send a usual, complete response and return True, or send nothing and return False."""
        body = end.get("body", b"")
        headers = [*self.default_headers, *start.get("headers", ())]
        head = b"".join([b"%b: %b\r\n" % header for header in headers])
        is_usual = self._is_plain() and _is_complete(headers, end) and _is_clean(head, headers)
        if is_usual:
            self.response_started = self.response_complete = True
            self.transport.write(b"".join((STATUS_LINE[start["status"]], head, b"\r\n", body)))
            self.message_event.set()
            self.on_response()
        return is_usual

    def _is_plain(self) -> bool:
        """Return whether nothing has been sent, the client can take a response, and the connection stays open."""
        is_free = not (self.response_started or self.disconnected or self.flow.write_paused)
        return is_free and self.keep_alive and self.scope["method"] != "HEAD"


def _is_complete(headers: Headers, end: HTTPResponseBodyEvent) -> bool:
    """Return whether the body comes in one piece, with the length that the headers state."""
    return not end.get("more_body") and (b"content-length", b"%d" % len(end.get("body", b""))) in headers


def _is_clean(head: bytes, headers: Headers) -> bool:
    """Return whether no header concerns the connection or holds control characters.

    A line break inside a value would start another header or the body, so each line of ``head`` must be one header.
    """
    is_split = not head.count(b"\n") == head.count(b"\r") == len(headers)
    has_controls = len(head.translate(None, CONTROLS)) != len(head)
    return not (is_split or has_controls) and HOP_BY_HOP.isdisjoint([name.lower() for name, _ in headers])
