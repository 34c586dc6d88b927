"""What a server knows of a request's connection, and an ASGI application could only wait for."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from starlette.types import Receive, Scope

EXTENSION = "denoiser.connection"  # in the scope, where the server has one


class Connection(Protocol):
    """The connection that a request came on.

    Attributes:
        more_body: the request has not arrived completely.
    """

    more_body: bool

    def call_when_lost(self, callback: Callable[[], None] | None) -> None:
        """Call back once, now or later, if the client leaves before its answer is complete; None: no more."""


def connection_of(scope: Scope) -> Connection | None:
    """Give the connection, if the server tells about it."""
    connection: Connection | None = scope.get(EXTENSION)
    return connection


@contextmanager
def watch_connection(scope: Scope, receive: Receive, leave: Callable[[], None]) -> Iterator[None]:
    """Call ``leave`` as soon as the client is gone, for as long as the block runs; the body must have been read.

    Without the server's help a task has to wait for ``http.disconnect``; that costs 20 µs, the callback 1 µs.
    """
    if connection := connection_of(scope):
        connection.call_when_lost(leave)
        try:
            yield
        finally:
            connection.call_when_lost(None)
        return

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        leave()

    watcher = asyncio.create_task(wait())
    try:
        yield
    finally:
        watcher.cancel()
