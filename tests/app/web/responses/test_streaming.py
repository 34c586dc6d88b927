"""Responses that are made while they are sent, to clients that take them, stall or leave."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.types import Message, Scope

from app.web.responses.streaming import PIECE_BYTES, StreamedResponse

pytestmark = pytest.mark.anyio


class Chunks:
    """Three chunks, and whether they were closed."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.is_closed = False

    async def generate(self) -> AsyncGenerator[bytes, None]:
        try:
            for chunk in self._chunks:
                yield chunk
        finally:
            self.is_closed = True


def response(chunks: Chunks, *, timeout_s: float = 10) -> StreamedResponse:
    return StreamedResponse(chunks.generate(), media_type="text/plain", headers={"X-A": "b"}, timeout_s=timeout_s)


async def never() -> Message:
    await asyncio.Event().wait()
    raise NotImplementedError


async def test_small_chunks_are_sent_together() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await response(Chunks(b"a", b"b", b"c" * PIECE_BYTES, b"d"))({}, never, send)
    start, *bodies = sent
    assert (b"x-a", b"b") in start["headers"]
    assert b"content-length" not in dict(start["headers"])
    assert [len(body["body"]) for body in bodies] == [2 + PIECE_BYTES, 1]
    assert [body.get("more_body", False) for body in bodies] == [True, False]


async def test_a_client_that_takes_nothing_ends_the_work() -> None:
    chunks = Chunks(b"a" * PIECE_BYTES, b"b")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await never()

    scope: Scope = {}
    await response(chunks, timeout_s=0.01)(scope, never, send)
    assert chunks.is_closed
    assert scope["denoiser.record"] == {"problem": "client-gone"}


async def test_a_client_that_leaves_ends_the_work() -> None:
    chunks = Chunks(b"a" * PIECE_BYTES)
    is_sending = asyncio.Event()

    async def send(message: Message) -> None:
        is_sending.set()
        await never()

    async def receive() -> Message:
        await is_sending.wait()
        return {"type": "http.disconnect"}

    scope: Scope = {}
    await response(chunks)(scope, receive, send)
    assert scope["denoiser.record"] == {"problem": "client-gone"}


async def test_an_error_while_chunks_are_made_is_raised() -> None:
    async def fail() -> AsyncGenerator[bytes, None]:
        yield b"a"
        raise KeyError

    async def send(_message: Message) -> None:
        pass

    with pytest.raises(KeyError):
        await StreamedResponse(fail(), media_type="text/plain", headers={}, timeout_s=10)({}, never, send)
