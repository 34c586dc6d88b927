"""The limit on a request's bytes, kept while they arrive."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import UploadTooLargeError


class BodyLimit:
    """Pure ASGI middleware: whoever reads the body gets an UploadTooLargeError where the limit is passed.

    A body whose Content-Length is over the limit is refused at the first read, before anything of it is held and
    before a client that sent ``Expect: 100-continue`` is told to go on. The server goes on to discard what still
    arrives, so that the client can read the answer.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        received = 0

        async def limited_receive() -> Message:
            nonlocal received
            if int(announced) > self._max_bytes:
                raise self._error(f"The request announces {announced} bytes")
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._error("The request has more bytes than the limit")
            return message

        await self._app(scope, limited_receive, send)

    def _error(self, reason: str) -> UploadTooLargeError:
        return UploadTooLargeError(f"{reason}; at most {self._max_bytes} are accepted.", limit=self._max_bytes)
