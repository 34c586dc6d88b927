"""Measure how long the service takes to be ready, beside a bare ``import tensorflow``, and its memory afterwards.

Run ``python -m benchmarks.scenarios.startup`` on a quiet machine; it prints the table for docs/benchmarks.md.
"""

import argparse
import http.client
import io
import re
import statistics
import subprocess
import sys
import time

import numpy as np
from PIL import Image

from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import REPOSITORY, memory_bytes
from benchmarks.harness.tables import table

READY = re.compile(r"ready: http://127\.0\.0\.1:(\d+),")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1000)
    arguments = parser.parse_args()
    print(startup_table(arguments.rounds, arguments.requests))


def startup_table(rounds: int, requests: int) -> str:
    """Alternate both kinds of start, send requests to each service, and return the table, as Markdown."""
    imports, starts, memory = [], [], []
    for _ in range(rounds):
        imports.append(time_import())
        seconds, megabytes = time_service(requests)
        starts.append(seconds)
        memory.append(megabytes)
    ratio = statistics.median(start / bare for start, bare in zip(starts, imports, strict=True))
    rows = [
        ("bare `import tensorflow`", f"{statistics.median(imports):.2f} s"),
        ("`python -m app serve` until it answers `/readyz`", f"{statistics.median(starts):.2f} s"),
        ("ratio, pair by pair", f"{ratio:.2f}"),
        (f"resident after {requests} requests", f"{statistics.median(memory):.0f} MB"),
    ]
    return f"Machine: {describe_machine()}; {rounds} rounds.\n\n" + table(("what", "median"), rows)


def time_import() -> float:
    """Return the seconds of a process that only imports TensorFlow."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def time_service(requests: int) -> tuple[float, float]:
    """Return the seconds until ``/readyz`` responds, and the resident megabytes (10^6) after ``requests`` digits."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    try:
        log = iter(process.stderr or ())
        port = next(int(match[1]) for line in log if (match := READY.search(line)))
        connection = http.client.HTTPConnection("127.0.0.1", port)
        request(connection, "GET", "/readyz", b"")
        seconds = time.perf_counter() - start
        body = noisy_png()
        for _ in range(requests):
            request(connection, "POST", "/v1/denoise", body)
            next(log)  # keeps the pipe with log records empty
        return seconds, memory_bytes(process.pid, "VmRSS") / 1e6
    finally:
        process.kill()
        process.wait()


def request(connection: http.client.HTTPConnection, method: str, path: str, body: bytes) -> None:
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        msg = f"{method} {path}: {answer.status}"
        raise RuntimeError(msg)


def noisy_png() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
