"""One request and its response, as the application and the connection know it."""

from collections.abc import Callable

from uvicorn._types import ASGISendEvent, HTTPResponseBodyEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Headers = list[tuple[bytes, bytes]]

CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\r\n"))  # allowed in no header; line ends are counted instead
HOP_BY_HOP = {b"connection", b"transfer-encoding"}


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
