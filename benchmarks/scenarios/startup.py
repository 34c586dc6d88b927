"""Measure both runtimes in turn: how long the service takes to be ready, and its memory, idle and after requests.

Run ``python -m benchmarks.scenarios.startup`` on a quiet machine; it prints the table for docs/benchmarks.md.
"""

import argparse
import http.client
import io
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import Server, free_port, proportional_bytes, running_server, tree
from benchmarks.harness.tables import table

RUNTIMES = ("tensorflow", "openvino")
PHOTO_SHARE = 10  # each tenth request is a photograph of a random size
MAX_SIDE = 1200
SETTLE_S = 3.0  # OpenVINO returns memory after a second without a call


@dataclass(frozen=True)
class Start:
    """One start of the service; megabytes are 10^6, of all its processes, what they share divided between them."""

    ready_s: float
    cpu_s: float
    idle_mb: float
    used_mb: float


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1000)
    arguments = parser.parse_args()
    print(startup_table(arguments.rounds, arguments.requests))


def startup_table(rounds: int, requests: int) -> str:
    """Alternate the starts, send requests to each service, and return the table, as Markdown."""
    machine = describe_machine()
    imports: list[float] = []
    starts: dict[str, list[Start]] = {runtime: [] for runtime in RUNTIMES}
    for _ in range(rounds):
        imports.append(time_import())
        for runtime in RUNTIMES:
            starts[runtime].append(measure_start(runtime, requests))
    rows: list[tuple[str, Callable[[Start], float], str]] = [
        ("ready, as `/v1/denoise` answers", lambda start: start.ready_s, "{:.2f} s"),
        ("processor time until then", lambda start: start.cpu_s, "{:.2f} s"),
        ("memory, idle", lambda start: start.idle_mb, "{:.0f} MB"),
        (f"memory after {requests} requests", lambda start: start.used_mb, "{:.0f} MB"),
    ]
    ratio = statistics.median(start.ready_s / bare for start, bare in zip(starts["tensorflow"], imports, strict=True))
    return (
        f"Machine: {machine}; {rounds} rounds. A bare `import tensorflow` takes {statistics.median(imports):.2f} s; "
        f"with TensorFlow, the service takes {ratio:.2f} times as long, pair by pair. Memory is the proportional set "
        f"size of all processes, decoders included. One in {PHOTO_SHARE} requests is a photograph of a random size "
        f"up to {MAX_SIDE}×{MAX_SIDE}, the others are digits.\n\n"
    ) + table(
        ("median", "TensorFlow", "OpenVINO"),
        [
            (name, *(form.format(statistics.median(map(value, starts[runtime]))) for runtime in RUNTIMES))
            for name, value, form in rows
        ],
    )


def time_import() -> float:
    """Return the seconds of a process that only imports TensorFlow."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure_start(runtime: str, requests: int) -> Start:
    """Start the service, with the committed store, and send it requests."""
    port = free_port()
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    digit = to_png(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8))
    environment = {"DENOISER_RUNTIME": runtime, "DENOISER_DEFAULT_MODEL": "digits", "DENOISER_DRAIN_GRACE_S": "0"}
    with running_server(command, port=port, environment=environment, probe=digit) as server:
        cpu_s = server.cpu_s()
        idle = proportional_megabytes(server)
        send_requests(port, digit, requests)
        time.sleep(SETTLE_S)
        return Start(server.ready_s, cpu_s, idle, proportional_megabytes(server))


def proportional_megabytes(server: Server) -> float:
    return sum(map(proportional_bytes, tree(server.process.pid))) / 1e6


def send_requests(port: int, digit: bytes, count: int) -> None:
    """Send digits, and photographs of random sizes between them."""
    random = np.random.default_rng(1)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(count):
        if number % PHOTO_SHARE:
            request(connection, "/v1/denoise", digit)
            continue
        height, width = random.integers(1, MAX_SIDE, 2)
        pixels = random.normal(128, 20, (height, width, 3)).clip(0, 255).astype(np.uint8)
        request(connection, "/v1/denoise?model=photo", to_png(pixels))


def request(connection: http.client.HTTPConnection, path: str, body: bytes) -> None:
    connection.request("POST", path, body)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        msg = f"{path}: {answer.status}"
        raise RuntimeError(msg)


def to_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
