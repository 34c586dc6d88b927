"""No file stops the service, or keeps a digit waiting."""

import resource
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.app.bombs import BOMBS
from tests.app.pictures import encode, ring
from tests.app.processes import RunningService, running_service

DEADLINE_S = 5
DIGIT_S = 2.0
SERVER_SPARE_BYTES = 2**30  # beyond what the server has reserved when it is ready
MAX_BYTES = 2_500_000_000  # of all processes
POLL_S = 0.02


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with running_service(default_model="article", request_timeout_s=DEADLINE_S, drain_grace_s=0) as running:
        pages = int(Path(f"/proc/{running.process.pid}/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + SERVER_SPARE_BYTES
        resource.prlimit(running.process.pid, resource.RLIMIT_AS, (limit, limit))
        yield running


class Memory(threading.Thread):
    """Follows the memory of a process and all that descend from it, until it is told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid = pid
        self.peak_bytes = 0
        self.has_to_stop = threading.Event()

    def run(self) -> None:
        while not self.has_to_stop.wait(POLL_S):
            self.peak_bytes = max(self.peak_bytes, sum(map(_proportional_bytes, _tree(self.pid))))


@contextmanager
def followed(pid: int) -> Iterator[Memory]:
    memory = Memory(pid)
    memory.start()
    try:
        yield memory
    finally:
        memory.has_to_stop.set()
        memory.join()


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, tasks.read_text().split())
            except OSError:  # the thread has just ended
                continue
    return found


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def answer_of(service: RunningService, data: bytes) -> httpx.Response:
    return httpx.post(f"{service.url}/v1/denoise", content=data, timeout=60)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_while_digits_are_denoised(service: RunningService, name: str) -> None:
    bomb = BOMBS[name]()
    digit = encode(ring())
    with followed(service.process.pid) as memory, ThreadPoolExecutor(3) as clients:
        attacks = [clients.submit(answer_of, service, bomb) for _ in range(3)]
        while not all(attack.done() for attack in attacks):
            started = time.monotonic()
            assert answer_of(service, digit).status_code == 200
            assert time.monotonic() - started < DIGIT_S
    assert {attack.result().status_code for attack in attacks} <= {422, 503}
    assert memory.peak_bytes < MAX_BYTES
    assert answer_of(service, encode(ring(), "BMP")).status_code == 200


def test_sigterm_ends_the_service_during_an_attack(service: RunningService) -> None:
    bomb = BOMBS["pnm-maxval"]()
    with ThreadPoolExecutor(2) as clients:
        attacks = [clients.submit(answer_of, service, bomb) for _ in range(2)]
        assert answer_of(service, encode(ring())).status_code == 200
        started = time.monotonic()
        assert service.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < DEADLINE_S + 10
        for attack in attacks:
            attack.exception()
