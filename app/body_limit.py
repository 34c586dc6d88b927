"""The limits on the bytes of requests, kept while they arrive, and answers that can be read by who still sends."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import QueueFullError, UploadTooLargeError

BUDGET = 4  # times max_bytes may be in work at once
DRAIN_TIMEOUT_S = 10.0
DRAIN_BUDGET = 4  # times max_bytes are read and thrown away after an early answer
RETRY_AFTER_S = 1


class BodyLimit:
    """Pure ASGI middleware: whoever reads a body over the limit gets an UploadTooLargeError.

    A body whose Content-Length is over the limit is refused at the first read, before anything of it is held and
    before a client that sent ``Expect: 100-continue`` is told to go on. Bodies that are in work together have a
    limit, too. An answer that comes before its request has arrived is sent, but ends only when the rest of the request
    has been thrown away: closing the connection earlier would reset it, and the client could not read the answer.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(Headers(scope=scope), receive)
        held = 0

        async def limited_receive() -> Message:
            nonlocal held
            if body.announced > self._max_bytes:
                raise self._error(f"The request announces {body.announced} bytes")
            message = await body.receive()
            self._in_work += body.received - held
            held = body.received
            if body.received > self._max_bytes:
                raise self._error("The request has more bytes than the limit")
            if self._in_work > BUDGET * self._max_bytes:
                msg = "The requests in work leave no room for another body of this size."
                raise QueueFullError(msg, limit=BUDGET * self._max_bytes, retry_after_s=RETRY_AFTER_S)
            return message

        async def patient_send(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body") and body.is_arriving:
                await send({**message, "more_body": True})
                await body.drain(DRAIN_BUDGET * self._max_bytes)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            await self._app(scope, limited_receive, patient_send)
        finally:
            self._in_work -= held

    def _error(self, reason: str) -> UploadTooLargeError:
        return UploadTooLargeError(f"{reason}; at most {self._max_bytes} are accepted.", limit=self._max_bytes)


class _Body:
    """One request's body: how much of it has arrived, and whether more is on its way."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self._receive = receive
        self.announced = int(headers.get("content-length", "0"))
        self.received = 0
        waits_for_leave = headers.get("expect", "").lower() == "100-continue"
        self.is_arriving = (self.announced > 0 or "transfer-encoding" in headers) and not waits_for_leave

    async def receive(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        self.is_arriving = message.get("more_body", False)
        return message

    async def drain(self, limit: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                while self.is_arriving and self.received < limit:
                    await self.receive()
