"""Clients that send one picture over and over beside what is measured, and waiting for what a service should do."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException

from benchmarks.harness.processes import post

TIMEOUT_S = 60.0
POLL_S = 0.02


@contextmanager
def clients(port: int, body: bytes, *, count: int, path: str = "/v1/denoise", after: int = 0) -> Iterator[Counter[str]]:
    """Send a picture from ``count`` clients in a ``with`` block, and ``after`` more after it; count the outcomes."""
    outcomes: Counter[str] = Counter()
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set():
            outcomes[ask(port, body, path=path)] += 1
        for _ in range(after // count):
            outcomes[ask(port, body, path=path)] += 1

    with ThreadPoolExecutor(count) as threads:
        sending = [threads.submit(send) for _ in range(count)]
        try:
            yield outcomes
        finally:
            is_over.set()
            for client in sending:
                client.result()


def ask(port: int, body: bytes, *, path: str = "/v1/denoise") -> str:
    """Return the status of a response, or the kind of error that took its place."""
    try:
        return str(post(port, body, path=path, timeout_s=TIMEOUT_S)[0])
    except (OSError, HTTPException):
        return "no response"


def wait_until(condition: Callable[[], bool], *, poll_s: float = POLL_S) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it did not within TIMEOUT_S.
    """
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the service did not do in time what it should")
        time.sleep(poll_s)
