"""How many connections there may be by default; tests/app/server/test_protocol.py has what happens beyond."""

import resource
import subprocess
import sys

import pytest

from app.server.connections import KEPT_FOR_PROBES, MIN_CONNECTIONS, ConnectionLimit
from tests.app.processes import REPOSITORY


@pytest.mark.parametrize(("files", "expected"), [(1000, 750), (100, 68), (64, 32), (16, 32)])
def test_the_limit_on_files_decides(files: int, expected: int) -> None:
    code = "from app.server.connections import default_max_connections; print(default_max_connections())"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
    ).stdout
    assert int(printed) == expected


class FakeConnection:
    def __init__(self) -> None:
        self.is_dropped = False

    def drop(self) -> None:
        self.is_dropped = True


def test_who_operates_the_service_is_told_once_that_only_spare_connections_are_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limit = ConnectionLimit(MIN_CONNECTIONS)
    connections = [FakeConnection() for _ in range(2 * MIN_CONNECTIONS)]
    for connection in connections:
        limit.enter(connection)
    assert caplog.text.count("for probes only") == 1
    assert sum(connection.is_dropped for connection in connections) == MIN_CONNECTIONS
    assert [limit.admits(connection) for connection in connections].count(True) == MIN_CONNECTIONS - KEPT_FOR_PROBES
