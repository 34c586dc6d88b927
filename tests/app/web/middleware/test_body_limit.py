"""The limit on all bodies together; the limit on one body is tested through the application and the server."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.errors import QueueFullError
from app.web.connection import EXTENSION
from app.web.middleware.body_limit import BUDGET, BodyLimit

pytestmark = pytest.mark.anyio


async def test_all_bodies_share_a_limit_and_make_room_when_they_are_done() -> None:
    release = asyncio.Event()

    async def hold_body(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        await release.wait()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 100, "more_body": False}

    async def send(_message: Message) -> None:
        raise NotImplementedError

    limit = BodyLimit(hold_body, max_bytes=100)
    scope = {"type": "http", "headers": [(b"content-length", b"100")]}
    held = [asyncio.create_task(limit(scope, receive, send)) for _ in range(BUDGET)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError):
        await limit(scope, receive, send)
    release.set()
    await asyncio.gather(*held)
    await limit(scope, receive, send)


async def test_a_lifespan_passes_unchanged() -> None:
    seen = []

    async def record(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    await BodyLimit(record, max_bytes=1)({"type": "lifespan"}, lambda: None, lambda _: None)  # type: ignore[arg-type,return-value]
    assert seen == ["lifespan"]


@pytest.mark.parametrize(("more_body", "taken"), [(True, 1), (False, 0)], ids=["arriving", "arrived"])
async def test_an_early_response_waits_only_for_a_request_that_is_still_arriving(more_body: bool, taken: int) -> None:
    connection = FakeConnection(more_body=more_body)
    sent: list[Message] = []

    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"no"})

    async def receive() -> Message:
        connection.taken += 1
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"content-length", b"1")], EXTENSION: connection}
    await BodyLimit(refuse, max_bytes=100)(scope, receive, send)
    assert connection.taken == taken
    assert b"".join(message["body"] for message in sent) == b"no"
    assert not sent[-1].get("more_body")


class FakeConnection:
    """Has the given ``more_body``, and counts what is read."""

    def __init__(self, *, more_body: bool) -> None:
        self.more_body = more_body
        self.taken = 0

    def call_when_lost(self, callback: Callable[[], None] | None) -> None:
        raise NotImplementedError
