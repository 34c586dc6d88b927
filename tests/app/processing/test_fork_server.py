"""Orders for decoders; what those do is tested in test_decoders.py."""

import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.processing.fork_server import ForkServer

PATIENCE_S = 30


@pytest.fixture
def fork_server() -> Iterator[ForkServer]:
    forks = ForkServer(1000)
    yield forks
    forks.stop()


def fork(fork_server: ForkServer) -> tuple[socket.socket, int]:
    """Order a decoder; return its connection and the descriptor of its process, which is the first that it sends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        fork_server.fork(theirs)
    _, fds, *_ = socket.recv_fds(ours, 100, 1)
    return ours, fds[0]


def parent_of(process: int) -> str:
    pid = re.findall(r"Pid:\s+(\d+)", Path(f"/proc/self/fdinfo/{process}").read_text())[0]
    parent: str = re.findall(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]
    return parent


def has_ended(process: int) -> bool:
    """Wait for a process to end; its descriptor is readable then."""
    return bool(select.select([process], [], [], PATIENCE_S)[0])


def test_all_decoders_come_from_one_process_and_end_with_it(fork_server: ForkServer) -> None:
    (one, first), (other, second) = fork(fork_server), fork(fork_server)
    assert parent_of(first) == parent_of(second)
    fork_server.stop()
    assert has_ended(first)
    assert has_ended(second)
    one.close()
    other.close()


def test_a_decoder_ends_when_its_connection_does(fork_server: ForkServer) -> None:
    connection, process = fork(fork_server)
    connection.close()
    assert has_ended(process)


def test_after_its_end_it_starts_again(fork_server: ForkServer) -> None:
    connection, first = fork(fork_server)
    before = parent_of(first)
    fork_server.stop()
    connection.close()
    connection, second = fork(fork_server)
    assert parent_of(second) != before
    connection.close()
