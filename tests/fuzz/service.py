"""Attack a running service with mutated pictures, and with requests that Schemathesis makes of its description."""

import itertools
import random
import re
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx2 as httpx

from tests.app.memory import MAX_BYTES, followed, limit_memory, total_bytes
from tests.app.pictures import encode, ring
from tests.app.processes import RunningService, running_service
from tests.fuzz.mutations import mutate

CLIENTS = 12
TIMEOUT_S = 40.0  # longer than the deadline, so that what does not come by then hangs
PAUSE_S = 0.05  # between two digits
WARM = 0.1  # of an attack, after which memory is to stay as it is
TARGETS = (  # the networks of the store, and every way to a result
    "/v1/denoise?model=digits",
    "/v1/denoise?model=article&fit=mnist&output_size=original",
    "/v1/denoise?model=article&fit=pad&output_size=original",
    "/v1/denoise?model=photo&noise_level=10&color=keep",
    "/v1/denoise?model=photo&bit_depth=same",
    "/v1/denoise?model=auto&polarity=dark-on-light&noise_level=20",
    "/v1/denoise/batch?model=digits",
)
CASES = re.compile(r"(\d+) generated")


@dataclass
class Attack:
    """What happened: statuses, failures, times in seconds, memory of all processes in bytes."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest_digit_s: float = 0.0
    first_bytes: int = 0  # after WARM
    last_bytes: int = 0
    peak_bytes: int = 0

    def report(self) -> str:
        """Return a line of figures."""
        megabytes = [f"{size / 1e6:.0f}" for size in (self.first_bytes, self.last_bytes, self.peak_bytes)]
        statuses = ", ".join(f"{count} with {status}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.statuses.total()} mutated pictures: {statuses}; slowest {self.slowest_s:.1f} s, "
            f"slowest digit meanwhile {self.slowest_digit_s:.2f} s; MB after a tenth, at the end, at most: "
            f"{' / '.join(megabytes)}"
        )


@contextmanager
def limited_service() -> Iterator[RunningService]:
    """Start the service with its own networks, and limit its memory."""
    with running_service(drain_grace_s=0) as running:
        limit_memory(running.process.pid)
        yield running


def send_pictures(service: RunningService, seeds: Sequence[bytes], *, seconds: float, count: int, seed: int) -> Attack:
    """Send mutated pictures over CLIENTS connections, for so long or so many, and digits beside them."""
    attack = Attack()
    numbers = itertools.count()
    start = time.monotonic()
    is_over = threading.Event()

    def send_all(client: httpx.Client) -> None:
        for number in numbers:
            done = max(number / count, (time.monotonic() - start) / seconds)
            if done >= 1:
                return
            if done >= WARM and not attack.first_bytes:
                attack.first_bytes = total_bytes(service.process.pid)
            data = mutate(seeds, random.Random(f"{seed} {number}"))
            _send(client, attack, number, data)

    with (
        followed(service.process.pid) as memory,
        httpx.Client(base_url=service.url, timeout=TIMEOUT_S) as client,
        ThreadPoolExecutor(CLIENTS + 1) as threads,
    ):
        digits = threads.submit(_send_digits, client, attack, is_over)
        for sending in [threads.submit(send_all, client) for _ in range(CLIENTS)]:
            sending.result()
        is_over.set()
        digits.result()
    attack.last_bytes = total_bytes(service.process.pid)
    attack.peak_bytes = memory.peak_bytes
    if attack.peak_bytes > MAX_BYTES:
        attack.failures.append(f"the service took {attack.peak_bytes} bytes")
    return attack


def _send(client: httpx.Client, attack: Attack, number: int, data: bytes) -> None:
    target = TARGETS[number % len(TARGETS)]
    start = time.monotonic()
    try:
        if "batch" in target:
            response = client.post(target, files=[("files", ("a", data)), ("files", ("b", encode(ring())))])
        else:
            response = client.post(target, content=data)
    except httpx.HTTPError as error:
        attack.failures.append(f"picture {number} to {target}: {error!r}")
        return
    attack.slowest_s = max(attack.slowest_s, time.monotonic() - start)
    attack.statuses[response.status_code] += 1
    if _is_failure(response.status_code):
        attack.failures.append(f"picture {number} to {target}: {response.status_code} {response.text}")


def _send_digits(client: httpx.Client, attack: Attack, is_over: threading.Event) -> None:
    digit = encode(ring())
    while not is_over.wait(PAUSE_S):
        start = time.monotonic()
        status = client.post("/v1/denoise?model=digits", content=digit).status_code
        attack.slowest_digit_s = max(attack.slowest_digit_s, time.monotonic() - start)
        if status != HTTPStatus.OK:
            attack.failures.append(f"a digit: {status}")


def _is_failure(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE


def run_schemathesis(service: RunningService, command: Path, *, seconds: int, count: int) -> tuple[str, str]:
    """Let Schemathesis check every operation of the API; return how many requests it made, and what failed if any."""
    options = ["--phases", "coverage,fuzzing", "--no-shrink", "--continue-on-failure", "--warnings", "off"]
    options += ["--suppress-health-check", "all"]  # a busy machine is no finding
    options += ["--checks", "all", "--exclude-checks", "positive_data_acceptance"]  # a schema cannot describe pictures
    options += ["--max-time", str(seconds), "--max-examples", str(count), "--request-timeout", str(TIMEOUT_S)]
    with tempfile.TemporaryDirectory() as folder:  # for its notes
        ended = subprocess.run(
            [str(command), "run", f"{service.url}/openapi.json", *options],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    cases = CASES.findall(ended.stdout)
    return cases[-1] if cases else "no", ended.stdout + ended.stderr if ended.returncode else ""
