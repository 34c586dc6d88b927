"""Threads share arenas of malloc."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.server.arenas import MAX_ARENAS
from tests.app.processes import REPOSITORY

COUNT_ARENAS = """if True:
    import ctypes, sys, threading
    from app.server.arenas import limit_arenas

    def allocate() -> None:
        bytearray(1000)
        is_ready.wait()

    limit_arenas()
    is_ready = threading.Barrier(9)
    threads = [threading.Thread(target=allocate) for _ in range(8)]
    for thread in threads:
        thread.start()
    is_ready.wait()
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
"""


@pytest.mark.skipif(not hasattr(os, "confstr_names") or "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="glibc")
@pytest.mark.parametrize(("environment", "expected"), [({}, MAX_ARENAS), ({"MALLOC_ARENA_MAX": "3"}, 3)])
def test_threads_share_arenas_as_chosen(environment: dict[str, str], expected: int, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", COUNT_ARENAS, str(tmp_path / "info")],
        cwd=REPOSITORY,
        env=os.environ | environment,
        check=True,
    )
    assert (tmp_path / "info").read_text().count("<heap ") == expected
