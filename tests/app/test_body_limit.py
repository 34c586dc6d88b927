"""The limit on all bodies together; that on one body is tested through the application and the server."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.body_limit import BUDGET, BodyLimit
from app.errors import QueueFullError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_bodies_in_work_have_a_limit_together_and_make_room_when_they_are_done() -> None:
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


async def test_a_lifespan_passes_untouched() -> None:
    seen = []

    async def record(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    await BodyLimit(record, max_bytes=1)({"type": "lifespan"}, lambda: None, lambda _: None)  # type: ignore[arg-type,return-value]
    assert seen == ["lifespan"]
