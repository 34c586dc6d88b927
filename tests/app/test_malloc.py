"""Threads share arenas of malloc, which keep memory until the process rests."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from app.malloc import MAX_ARENAS
from tests.app.processes import REPOSITORY

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")

COUNT_ARENAS = """if True:
    import ctypes, sys, threading
    from app.malloc import keep_freed_memory

    def allocate() -> None:
        bytearray(1000)
        is_ready.wait()

    with keep_freed_memory():
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
# Prints how often the kernel gives pages while a thread takes eight megabytes in blocks, the second time.
COUNT_FAULTS = """if True:
    import resource, threading
    from app.malloc import keep_freed_memory

    def allocate() -> None:
        blocks = [bytearray(2**20) for _ in range(8)]

    def count() -> None:
        allocate()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        allocate()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

    with keep_freed_memory():
        thread = threading.Thread(target=count)
        thread.start()
        thread.join()
"""
# Prints the resident megabytes before 64 are taken, and after they were freed; then waits until they are given back.
WAIT_FOR_REST = """if True:
    import os, time
    from app.malloc import WORK_S, keep_freed_memory

    def measure() -> int:
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

    with keep_freed_memory(0.05):
        print(before := measure())
        blocks = [bytearray(2**20) for _ in range(64)]
        del blocks
        print(measure())
        end = time.process_time() + 2 * WORK_S
        while time.process_time() < end:
            pass
        while measure() > before + 32:
            time.sleep(0.05)
"""
# Prints the resident megabytes with 64 that were freed, and after the block.
LEAVE = """if True:
    import os
    from app.malloc import keep_freed_memory

    def measure() -> int:
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

    with keep_freed_memory():
        blocks = [bytearray(2**20) for _ in range(64)]
        del blocks
        print(measure())
    print(measure())
"""
TIMEOUT_S = 60


def run(code: str, *arguments: str, **environment: str) -> list[int]:
    """Return the numbers that a process prints; of the options of malloc, it has those of ``environment`` alone."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=REPOSITORY,
        env=own | environment,
        check=True,
        stdout=subprocess.PIPE,
        timeout=TIMEOUT_S,
    )
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize(("environment", "expected"), [({}, MAX_ARENAS), ({"MALLOC_ARENA_MAX": "3"}, 3)])
def test_threads_share_arenas_as_chosen(environment: dict[str, str], expected: int, tmp_path: Path) -> None:
    run(COUNT_ARENAS, str(tmp_path / "info"), **environment)
    assert (tmp_path / "info").read_text().count("<heap ") == expected


def test_memory_that_is_taken_again_is_at_hand() -> None:
    kept, given_back = run(COUNT_FAULTS)[0], run(COUNT_FAULTS, MALLOC_TRIM_THRESHOLD_=str(2**20))[0]
    assert 10 * kept < given_back


def test_a_process_that_rests_gives_memory_back() -> None:
    before, freed = run(WAIT_FOR_REST)
    assert freed > before + 48


def test_memory_goes_back_at_the_end() -> None:
    kept, after = run(LEAVE)
    assert after < kept - 48
