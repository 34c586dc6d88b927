"""The limits on one body and on all bodies together; tests/app/server sends bodies over real sockets."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.errors import QueueFullError
from app.web.connection import EXTENSION
from app.web.middleware.body_limit import BUDGET, BodyLimit
from tests.app.serving import MakeClient

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


def test_a_body_over_the_limit_is_refused_from_its_content_length(make_client: MakeClient) -> None:
    response = make_client(max_upload_bytes=100).post("/v1/denoise", content=b"x" * 101)
    assert response.status_code == 413
    assert response.json()["limit"] == 100
    assert "101" in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["image/png", "multipart/form-data; boundary=limit"])
def test_a_body_over_the_limit_is_refused_while_it_streams(make_client: MakeClient, content_type: str) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(1000):
            taken += 1
            yield b"x" * 1000

    client = make_client(max_upload_bytes=100_000)
    response = client.post("/v1/denoise", content=endless(), headers={"Content-Type": content_type})
    assert response.status_code == 413
    assert response.json()["limit"] == 100_000


def test_a_body_at_the_limit_is_read(make_client: MakeClient) -> None:
    assert make_client(max_upload_bytes=100).post("/v1/denoise", content=b"x" * 100).status_code == 415
