"""How many arenas malloc divides its memory into."""

import ctypes
import os

MAX_ARENAS = 4  # one is the main thread's; with two, threads wait for each other: 13 % more CPU time for each digit
M_ARENA_MAX = -8  # of glibc's malloc.h


def limit_arenas() -> None:
    """Let all threads share a few arenas of glibc's malloc; call it before threads are started.

    By default, glibc gives threads up to eight arenas for each core. Each keeps what tiles of the network took, for
    tiles of the same thread, and inference threads come and go. Does nothing where ``MALLOC_ARENA_MAX`` chooses, or
    another C library is used.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(M_ARENA_MAX, MAX_ARENAS)
