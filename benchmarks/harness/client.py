"""A small asyncio HTTP/1.1 client that takes little processor time from the server, and can hang up halfway."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """A complete response, and how long it took."""

    status: int
    body: bytes
    seconds: float


class CutError(ConnectionError):
    """The connection ended before or within a response, of which ``received`` bytes had come."""

    def __init__(self, received: int) -> None:
        super().__init__(f"the connection ended after {received} bytes of the response")
        self.received = received


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes) -> Answer:
        """Send a request and wait for the whole response; close the connection if the response says so.

        Raises:
            CutError: the connection ended before the response was complete.
        """
        if self._transport is None or self._transport.is_closing():
            raise CutError(0)
        start = time.perf_counter()
        self._received.clear()
        self._answer = self._loop.create_future()
        self._transport.write(request)
        status, body = await self._answer
        if CLOSES.search(self._received, 0, self._received.find(END_OF_HEAD) + 2):
            self.close()
        return Answer(status, body, time.perf_counter() - start)

    def send(self, part: bytes) -> None:
        """Send bytes without waiting for a response."""
        if self._transport is not None:
            self._transport.write(part)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio calls this."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Collect the response; asyncio calls this."""
        self._received += data
        if self._answer is not None and not self._answer.done() and (answer := parse_answer(bytes(self._received))):
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the exchange that waits; asyncio calls this."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            error = CutError(len(self._received))
            error.__cause__ = exc
            self._answer.set_exception(error)


def request_bytes(method: str, path: str, body: bytes = b"", content_type: str = "image/png") -> bytes:
    """Return a request with its body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


def parse_answer(received: bytes) -> tuple[int, bytes] | None:
    """Return the status and body of a response with a Content-Length, or None while it is incomplete."""
    head, end, body = received.partition(END_OF_HEAD)
    if not end:
        return None
    length = LENGTH.search(head)
    expected = int(length[1]) if length else 0
    return (int(head[9:12]), body[:expected]) if len(body) >= expected else None


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of the values do not exceed; 0 if there are none."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else 0.0
