"""How long a client has not read, over a real connection whose buffers are full."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from app.server.patience import Unread

SMALL_BYTES = 4096  # the system doubles it


class SocketTransport(asyncio.Transport):
    """What the server asks of a transport that has handed everything to the system."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401  # asyncio's
        return self._connection if name == "socket" else default

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
        client = socket.create_connection(listening.getsockname())
        reader, _ = listening.accept()
        with client, reader:
            client.setblocking(False)
            yield client, reader


def fill(connection: socket.socket) -> int:
    """Send until the buffers are full; return how much that was."""
    sent = 0
    try:
        while True:
            sent += connection.send(b"x" * 10_000)
    except BlockingIOError:
        return sent


def read(connection: socket.socket, size: int) -> None:
    connection.settimeout(10)
    while size > 0:
        size -= len(connection.recv(size))


def test_a_client_that_reads_nothing_is_waited_for_and_one_that_reads_a_little_is_not(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    writer, reader = connection
    unread = Unread(SocketTransport(writer), 100)
    assert unread.waits_for(100) == 0
    sent = fill(writer)
    unread.waits_for(101)
    assert unread.waits_for(111) == 11
    read(reader, sent // 4)
    assert unread.waits_for(112) == 0
    assert unread.waits_for(120) == 8
    read(reader, sent - sent // 4)
    assert unread.waits_for(121) == unread.waits_for(131) == 0
