"""Threads share arenas of malloc, which keep memory until the process rests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.malloc import MAX_ARENAS
from tests.app.processes import REPOSITORY

pytestmark = pytest.mark.skipif(
    not hasattr(os, "confstr_names") or "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="glibc"
)

COUNT_ARENAS = """if True:
    import ctypes, sys, threading
    from app.malloc import tune_malloc

    def allocate() -> None:
        bytearray(1000)
        is_ready.wait()

    tune_malloc()
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
# Prints how many pages the kernel gives for eight megabytes in blocks, the second time that a thread takes them.
COUNT_PAGES = """if True:
    import resource, threading
    from app.malloc import tune_malloc

    def allocate() -> None:
        blocks = [bytearray(2**20) for _ in range(8)]

    def count() -> None:
        allocate()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        allocate()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

    tune_malloc()
    thread = threading.Thread(target=count)
    thread.start()
    thread.join()
"""
# Prints the resident megabytes: with 64 in use, after they were freed, and after a rest.
COUNT_MEGABYTES = """if True:
    import os, time
    from app.malloc import WORK_S, trim_when_idle, tune_malloc

    def count() -> None:
        print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20)

    tune_malloc()
    trim_when_idle(0.2)
    blocks = [bytearray(2**20) for _ in range(64)]
    count()
    end = time.process_time() + WORK_S
    while time.process_time() < end:
        pass
    del blocks
    count()
    time.sleep(1)
    count()
"""


def run(code: str, *arguments: str, **environment: str) -> list[int]:
    """Return the numbers that a process prints."""
    return [
        int(word)
        for word in subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=REPOSITORY,
            env=os.environ | environment,
            check=True,
            stdout=subprocess.PIPE,
        ).stdout.split()
    ]


@pytest.mark.parametrize(("environment", "expected"), [({}, MAX_ARENAS), ({"MALLOC_ARENA_MAX": "3"}, 3)])
def test_threads_share_arenas_as_chosen(environment: dict[str, str], expected: int, tmp_path: Path) -> None:
    run(COUNT_ARENAS, str(tmp_path / "info"), **environment)
    assert (tmp_path / "info").read_text().count("<heap ") == expected


def test_memory_that_is_taken_again_is_at_hand() -> None:
    assert run(COUNT_PAGES)[0] < 100
    assert run(COUNT_PAGES, MALLOC_TRIM_THRESHOLD_=str(2**20))[0] > 1000


def test_a_process_that_rests_gives_memory_back() -> None:
    used, freed, rested = run(COUNT_MEGABYTES)
    assert freed > used - 16
    assert rested < used - 48
