"""Whether a client has left; the connections of the real server are in tests/app/server/test_protocol.py."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Message

from app.web.connection import EXTENSION, connection_of, watch_connection

pytestmark = pytest.mark.anyio


class FakeConnection:
    """Records its callbacks."""

    more_body = False

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None] | None] = []

    def call_when_lost(self, callback: Callable[[], None] | None) -> None:
        self.callbacks.append(callback)


class Client:
    """Sends a part of a body that nothing reads, and leaves when told."""

    def __init__(self) -> None:
        self._messages: list[Message] = [{"type": "http.request", "body": b"late"}]
        self.leaves = asyncio.Event()

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop()
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def never() -> Message:
    raise NotImplementedError


def leave() -> None:
    raise NotImplementedError


async def test_the_server_may_provide_the_connection() -> None:
    connection = FakeConnection()
    assert connection_of({EXTENSION: connection}) is connection
    assert connection_of({"type": "http"}) is None


async def test_the_connection_calls_back_only_during_the_block() -> None:
    connection = FakeConnection()
    with watch_connection({EXTENSION: connection}, never, leave):
        assert connection.callbacks == [leave]
    assert connection.callbacks == [leave, None]


async def test_the_callback_is_cancelled_if_the_block_fails() -> None:
    connection = FakeConnection()
    with pytest.raises(KeyError), watch_connection({EXTENSION: connection}, never, leave):
        raise KeyError
    assert connection.callbacks == [leave, None]


async def test_without_the_servers_help_a_task_waits_for_the_client_to_leave() -> None:
    client, left = Client(), asyncio.Event()
    with watch_connection({"type": "http"}, client.receive, left.set):
        client.leaves.set()
        await left.wait()


async def test_the_task_ends_with_the_block() -> None:
    client = Client()
    before = asyncio.all_tasks()
    with watch_connection({"type": "http"}, client.receive, leave):
        (watcher,) = asyncio.all_tasks() - before
    await asyncio.wait([watcher])
    assert watcher.cancelled()
