"""Limits on request bodies, enforced while they arrive; early responses readable by a client that is still sending."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import QueueFullError, UploadTooLargeError
from app.web.connection import connection_of

BUDGET = 4  # times max_bytes may be in memory at once
DRAIN_TIMEOUT_S = 10.0
DRAIN_BUDGET = 4  # times max_bytes are read and discarded after an early response


class BodyLimit:
    """Pure ASGI middleware: reading a body over the limit raises UploadTooLargeError.

    A body whose Content-Length is over the limit is refused at the first read, before any of it is held and before
    ``Expect: 100-continue`` is answered. All bodies in memory together have a limit, too. A response that comes before
    its request has arrived is sent, but ends only when the rest of the request has been discarded: closing the
    connection earlier would reset it, and the client could not read the response.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self.max_bytes = max_bytes
        self.in_work = 0  # bytes of all bodies that are held now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, scope, receive, send)
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            self.in_work -= body.held

    def check(self, body: "_Body") -> None:
        """Check a body against the limits.

        Raises:
            UploadTooLargeError: the body has more bytes than the limit.
            QueueFullError: all bodies together have more bytes than the budget.
        """
        if body.received > self.max_bytes:
            raise self.error("The request has more bytes than the limit")
        if self.in_work > BUDGET * self.max_bytes:
            raise QueueFullError(
                "The requests in work leave no room for another body of this size.", limit=BUDGET * self.max_bytes
            )

    def error(self, reason: str) -> UploadTooLargeError:
        """Return the error that refuses a body."""
        return UploadTooLargeError(f"{reason}; at most {self.max_bytes} are accepted.", limit=self.max_bytes)


class _Body:
    """The body of one request: how much of it has arrived, and whether more is on its way."""

    def __init__(self, limit: BodyLimit, scope: Scope, receive: Receive, send: Send) -> None:
        self._limit = limit
        self._receive = receive
        self._send = send
        self._connection = connection_of(scope)
        headers = dict(scope["headers"])
        self.announced = int(headers.get(b"content-length", b"0"))
        self.received = self.held = 0  # what is not held was discarded
        waits_for_leave = headers.get(b"expect", b"").lower() == b"100-continue"
        self._is_coming = (self.announced > 0 or b"transfer-encoding" in headers) and not waits_for_leave

    @property
    def is_arriving(self) -> bool:
        """Whether the client is still sending; if the server does not say, whether part of the body is unread."""
        return self._is_coming and (self._connection is None or self._connection.more_body)

    async def receive(self) -> Message:
        """Receive a message for the application, within the limits."""
        if self.announced > self._limit.max_bytes:
            raise self._limit.error(f"The request announces {self.announced} bytes")
        message = await self._take()
        self._limit.in_work += self.received - self.held
        self.held = self.received
        self._limit.check(self)
        return message

    async def send(self, message: Message) -> None:
        """Send a message for the application; the end of a response waits for the end of the request."""
        if message["type"] == "http.response.body" and not message.get("more_body") and self.is_arriving:
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _take(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        self._is_coming = message.get("more_body", False)
        return message

    async def _drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                while self.is_arriving and self.received < DRAIN_BUDGET * self._limit.max_bytes:
                    await self._take()
