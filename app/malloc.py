"""How glibc's malloc keeps memory between tiles, and when it gives it back."""

import ctypes
import os
import threading
import time

MAX_ARENAS = 4  # one is the main thread's; with two, threads wait for each other: 13 % more CPU time for each digit
MAX_IN_ARENAS = 32 * 2**20  # larger blocks are mapped one by one; the highest value that glibc takes
MAX_FREE = 2**30  # at the end of an arena

REST_S = 10.0  # a process that rests for so long gives back what it does not use
REST_SHARE = 0.05  # of a processor: one that takes less does nothing but look at the store and wait
WORK_S = 0.5  # of CPU time since the last time; what takes less leaves little behind

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
OPTIONS = {
    "MALLOC_ARENA_MAX": (M_ARENA_MAX, MAX_ARENAS),
    "MALLOC_MMAP_THRESHOLD_": (M_MMAP_THRESHOLD, MAX_IN_ARENAS),
    "MALLOC_TRIM_THRESHOLD_": (M_TRIM_THRESHOLD, MAX_FREE),
}


def tune_malloc() -> None:
    """Let all threads share a few arenas, which keep what was freed; call it before threads are started.

    By default, glibc gives threads up to eight arenas for each core. Each keeps what tiles of the network took, for
    tiles of the same thread, and inference threads come and go. On the other hand, an arena returns its free end after
    nearly every operation of a network, and the next one has to be given the same pages again, cleared by the kernel.

    Does nothing where the environment variable of an option chooses, or another C library is used.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for variable, (option, value) in OPTIONS.items():
        if mallopt is not None and variable not in os.environ:
            mallopt(option, value)


def trim_when_idle(rest_s: float = REST_S) -> None:
    """Start a thread that gives free memory back to the system when the process rests after work.

    Does nothing where another C library is used.
    """
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is None:
        return

    def run() -> None:
        trimmed = before = time.process_time()
        while True:
            time.sleep(rest_s)
            now = time.process_time()
            if now - before < REST_SHARE * rest_s and now - trimmed > WORK_S:
                malloc_trim(0)
                trimmed = time.process_time()
            before = now

    threading.Thread(target=run, name="malloc", daemon=True).start()
