"""Follow and limit the memory of a service while files attack it."""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.processes import proportional_bytes, tree

MAX_BYTES = 2_500_000_000  # of all processes of a service
SERVER_SPARE_BYTES = 2**30  # beyond what the server has reserved when it is ready
POLL_S = 0.02


class Memory(threading.Thread):
    """Follows the memory of a process and all that descend from it, until it is told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid = pid
        self.peak_bytes = 0
        self.has_to_stop = threading.Event()

    def run(self) -> None:
        while not self.has_to_stop.wait(POLL_S):
            self.peak_bytes = max(self.peak_bytes, total_bytes(self.pid))


@contextmanager
def followed(pid: int) -> Iterator[Memory]:
    memory = Memory(pid)
    memory.start()
    try:
        yield memory
    finally:
        memory.has_to_stop.set()
        memory.join()


def total_bytes(pid: int) -> int:
    """Return the memory of a process and all that descend from it."""
    return sum(map(proportional_bytes, tree(pid)))


def limit_memory(pid: int) -> None:
    """Let a ready server reserve only SERVER_SPARE_BYTES more; processes that it starts have the same limit."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + SERVER_SPARE_BYTES
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
