"""HTTP/1.1 as the service speaks it: what uvicorn's httptools protocol decides before any application is asked."""

import re
from collections.abc import Callable

from uvicorn._types import ASGISendEvent, HTTPResponseBodyEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.web.connection import EXTENSION
from app.web.responses.problems import HEADERS_TOO_LARGE, STATUS_PROBLEM_TYPES, ProblemType, problem_response

Headers = list[tuple[bytes, bytes]]

MAX_HEADER_BYTES = 64 * 1024  # the parser is quadratic in the length of a header
HEADER_END = b"\r\n\r\n"
CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\r\n"))  # what no header may hold; line ends are counted
HOP_BY_HOP = {b"connection", b"transfer-encoding"}
# Clients that prefer HTTP/2 offer it on clear-text connections; httptools then takes the body for another protocol,
# https://github.com/Kludex/uvicorn/issues/2722. RFC 9110, section 7.8: a server may ignore the offer.
UPGRADE = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)


class HttpProtocol(HttpToolsProtocol):
    """Ignores offers to upgrade, bounds the headers, answers malformed requests as problems, tells of hang-ups."""

    _unended_header_bytes = 0
    _is_in_body = False

    def on_headers_complete(self) -> None:
        """Note that a body follows."""
        super().on_headers_complete()
        self._is_in_body = True
        self.cycle.__class__ = Exchange  # uvicorn names the class it makes, and has not run it yet
        self.scope[EXTENSION] = self.cycle  # type: ignore[literal-required]  # an extension of ours

    def on_message_complete(self) -> None:
        """Note that headers follow."""
        super().on_message_complete()
        self._is_in_body = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application at once."""
        super().connection_lost(exc)
        if isinstance(self.cycle, Exchange) and self.cycle.disconnected:
            self.cycle.lose()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived on the connection."""
        if not self._is_in_body:
            head, end, rest = data.partition(HEADER_END)
            data = UPGRADE.sub(b"", head) + end + rest
            self._unended_header_bytes = 0 if end else self._unended_header_bytes + len(head)
            if max(self._unended_header_bytes, len(head)) > MAX_HEADER_BYTES:
                self._refuse(HEADERS_TOO_LARGE, f"A request's headers may have {MAX_HEADER_BYTES} bytes.")
                return
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and end the connection."""
        self._refuse(STATUS_PROBLEM_TYPES[400], msg)

    def _refuse(self, kind: ProblemType, detail: str) -> None:
        response = problem_response(kind, detail, headers={"Connection": "close"})
        lines = [f"HTTP/1.1 {kind.status} {kind.title}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join(lines) + HEADER_END + bytes(response.body))
        self.transport.close()


class Exchange(RequestResponseCycle):
    """One request and its answer: an app.web.connection.Connection that sends complete answers in one piece."""

    _start: HTTPResponseStartEvent | None = None
    _leave: Callable[[], None] | None = None

    def call_when_lost(self, callback: Callable[[], None] | None) -> None:
        """See app.web.connection.Connection."""
        self._leave = callback
        self.flow.resume_reading()  # the end of a connection that nobody reads from stays unseen
        if self.disconnected:
            self.lose()

    def lose(self) -> None:
        """Call who wants to know that the client is gone."""
        leave, self._leave = self._leave, None
        if leave:
            leave()

    async def send(self, message: ASGISendEvent) -> None:
        """Send an ASGI message; the start of an answer waits for its body.

        While the service drains, the connection ends with the answer: a further request could come just when idle
        connections are closed, and would be lost.

        Uvicorn's way takes two writes and two regular expressions for each header, a tenth of all that the event loop
        does for a digit. It is still taken by answers that come in parts, or are otherwise unusual.
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
        """Send a complete, usual response and return True, or send nothing."""
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
        """Whether nothing has been sent, the client can take it, and the connection stays open."""
        is_free = not (self.response_started or self.disconnected or self.flow.write_paused)
        return is_free and self.keep_alive and self.scope["method"] != "HEAD"


def _is_complete(headers: Headers, end: HTTPResponseBodyEvent) -> bool:
    """Whether the body comes in one piece, of the length that the headers say."""
    return not end.get("more_body") and (b"content-length", b"%d" % len(end.get("body", b""))) in headers


def _is_clean(head: bytes, headers: Headers) -> bool:
    """Whether the headers leave the connection alone, and none holds control characters.

    A line break inside a value would begin another header, or the body: each line of ``head`` is one header.
    """
    is_split = not head.count(b"\n") == head.count(b"\r") == len(headers)
    has_controls = len(head.translate(None, CONTROLS)) != len(head)
    return not (is_split or has_controls) and HOP_BY_HOP.isdisjoint([name.lower() for name, _ in headers])
