"""A response that is made while it is sent, at the client's pace; the work ends if the client leaves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.errors import ClientGoneError
from app.telemetry.request_log import add_to_record
from app.web.responses.problems import PROBLEM_TYPES

CLIENT_GONE = PROBLEM_TYPES[ClientGoneError].slug
PIECE_BYTES = 32 * 1024  # smaller chunks are sent together, because each send is a system call


class StreamedResponse(Response):
    """Sends what ``chunks`` yields; the whole body of the request must have been read.

    If the client closes the connection, or takes nothing for ``timeout_s`` seconds, ``chunks`` is closed, the log
    record says so, and the response remains truncated.
    """

    def __init__(
        self, chunks: AsyncGenerator[bytes, None], *, media_type: str, headers: dict[str, str], timeout_s: float
    ) -> None:
        super().__init__(media_type=media_type, headers=headers)
        del self.headers["content-length"]
        self._chunks = chunks
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await sending
            else:
                add_to_record(scope, problem=CLIENT_GONE)
        except TimeoutError:
            add_to_record(scope, problem=CLIENT_GONE)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        await self._send(send, {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._chunks) as chunks:
            piece = bytearray()
            async for chunk in chunks:
                piece += chunk
                if len(piece) >= PIECE_BYTES:
                    await self._send(send, {"type": "http.response.body", "body": bytes(piece), "more_body": True})
                    piece.clear()
        await self._send(send, {"type": "http.response.body", "body": bytes(piece)})

    async def _send(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self._timeout_s):
            await send(message)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
