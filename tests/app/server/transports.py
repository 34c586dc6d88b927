"""The server's protocol over a transport that records."""

import asyncio
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.server.connections import ConnectionLimit
from app.server.protocol import HttpProtocol

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
KEEP_ALIVE_S = 75

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class RecordingTransport(asyncio.Transport):
    """Keeps what is written.

    Attributes:
        unread_bytes: what the client has not taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = self.is_aborted = self.has_ended_writing = self.is_paused = False
        self.unread_bytes = 0

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.writes.append(data)

    def write_eof(self) -> None:
        self.has_ended_writing = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def get_write_buffer_size(self) -> int:
        return self.unread_bytes

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def connect(app: App, *, limit: ConnectionLimit | None = None) -> tuple[HttpProtocol, RecordingTransport]:
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, server_header=False, date_header=False, timeout_keep_alive=KEEP_ALIVE_S
    )
    protocol = HttpProtocol(
        limit=limit or ConnectionLimit(1000), config=config, server_state=ServerState(), app_state={}
    )
    transport = RecordingTransport()
    protocol.connection_made(transport)
    return protocol, transport


async def finish(protocol: HttpProtocol) -> None:
    while protocol.tasks:
        await asyncio.wait(protocol.tasks)
        await asyncio.sleep(0)


def answering(*bodies: bytes, headers: list[tuple[bytes, bytes]]) -> App:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, body in enumerate(bodies, start=1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    return app


async def read_body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the request's body."""
    body = await read_body(receive)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
