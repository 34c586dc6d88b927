"""How glibc's malloc keeps memory that was freed, and when it gives it back."""

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MAX_ARENAS = 4  # one is the main thread's; with two, threads wait for each other: 13 % more CPU time for each digit
MAX_ARENA_BLOCK_BYTES = 32 * 2**20  # larger blocks are mapped one by one; the highest value that glibc takes
MAX_FREE_END_BYTES = 2**30  # of an arena: more than any usually has

REST_S = 10.0  # a process that does nothing for so long rests
REST_SHARE = 0.05  # of a processor: one that takes less only looks at the store and waits
WORK_S = 0.5  # of CPU time since memory was last given back: what takes less leaves little behind

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
OPTIONS = {
    "MALLOC_ARENA_MAX": (M_ARENA_MAX, MAX_ARENAS),
    "MALLOC_MMAP_THRESHOLD_": (M_MMAP_THRESHOLD, MAX_ARENA_BLOCK_BYTES),
    "MALLOC_TRIM_THRESHOLD_": (M_TRIM_THRESHOLD, MAX_FREE_END_BYTES),
}


@contextmanager
def keep_freed_memory(rest_s: float = REST_S) -> Iterator[None]:
    """Tune malloc, and give back what it keeps free at the end, and whenever the process rests after work.

    With another C library than glibc, nothing happens.
    """
    tune_malloc()
    if _find("malloc_trim") is None:
        yield
        return
    ended = threading.Event()
    watch = threading.Thread(target=_give_back_at_rest, args=(ended, rest_s), name="malloc", daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()
        give_back_freed_memory()


def tune_malloc() -> None:
    """Keep what is freed for the next tile, in a few arenas for all threads; call it before threads are started.

    By default, an arena gives its free end back after nearly every operation of a network, and the kernel has to clear
    the same pages again for the next one. And there are up to eight arenas for each core, each of which keeps what
    tiles took, while inference threads come and go.

    The environment variables ``MALLOC_ARENA_MAX``, ``MALLOC_MMAP_THRESHOLD_`` and ``MALLOC_TRIM_THRESHOLD_`` take
    precedence.
    """
    mallopt = _find("mallopt")
    for variable, (option, value) in OPTIONS.items():
        if mallopt is not None and variable not in os.environ:
            mallopt(option, value)


def give_back_freed_memory() -> None:
    """Return free pages to the system; of each arena but the main thread's, up to 64 MB at its end stay."""
    malloc_trim = _find("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def _find(name: str) -> Callable[..., int] | None:
    """Return a function of the C library, which only glibc has."""
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return function


def _give_back_at_rest(ended: threading.Event, rest_s: float) -> None:
    given_back = before = time.process_time()
    while not ended.wait(rest_s):
        now = time.process_time()
        if now - before < REST_SHARE * rest_s and now - given_back > WORK_S:
            give_back_freed_memory()
            given_back = time.process_time()
        before = now
