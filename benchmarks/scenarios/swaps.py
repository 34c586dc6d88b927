"""Install and remove networks again and again under load: failed requests, the p99 of digits, and memory.

``python -m benchmarks.scenarios.swaps`` prints the table for docs/benchmarks.md.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import numpy as np

from benchmarks.harness import pictures, targets
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import Server, free_port, get, post, proportional_bytes, running_server, tree
from benchmarks.harness.tables import table
from benchmarks.harness.wrk import Load, run_wrk

CYCLES = 20
CONNECTIONS = 32
PHOTOGRAPHS = 2  # clients that send one after another
PHOTOGRAPH_PX = 256
WITHOUT_S = 20  # the same load without swaps
CYCLE_S = 8  # at least; a busy machine takes longer to load a network
STEP_TIMEOUT_S = 120.0
POLL_S = 0.1
WARM_CYCLES = 5  # after which memory is to stay as it is
MEGABYTE = 1e6


class Photographs:
    """Clients that denoise photographs until the end of a ``with`` block."""

    def __init__(self, port: int) -> None:
        level = np.random.default_rng(0).integers(0, 256, (PHOTOGRAPH_PX, PHOTOGRAPH_PX), dtype=np.uint8)
        self._body = pictures.to_png(level)
        self._port = port
        self._stop = threading.Event()
        self.sent = self.failed = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the clients."""
        threads = [threading.Thread(target=self._send) for _ in range(PHOTOGRAPHS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _send(self) -> None:
        while not self._stop.is_set():
            try:
                status, _ = post(self._port, self._body, path="/v1/denoise?model=photo")
            except OSError:
                status = 0
            self.sent += 1
            self.failed += status != HTTPStatus.OK


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--runtime", default="tensorflow")
    arguments = parser.parse_args()
    print(measure_swaps(arguments.cycles, arguments.runtime))


def measure_swaps(cycles: int = CYCLES, runtime: str = "tensorflow") -> str:
    """Return the table, as Markdown."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        store = Path(folder, "store")
        for name in (targets.DIGITS, targets.PHOTO):
            model = targets.find_model(name)
            shutil.copytree(model, store / model.parent.name / model.name)
        target, port = targets.ours(store, runtime), free_port()
        command = [part.format(port=port) for part in target.command]
        png = pictures.to_png(pictures.noisy_digit())
        with running_server(command, port=port, environment=target.environment, probe=png) as server:
            photographs = Photographs(port)
            with photographs.running():
                without = run_wrk(port, kind="raw", png=png, connections=CONNECTIONS, seconds=WITHOUT_S)
                swapped, memory = _swap(server, store, png, cycles)
    return f"Machine: {describe_machine()}.\n\n" + _table(without, swapped, photographs, memory, cycles)


def _swap(server: Server, store: Path, png: bytes, cycles: int) -> tuple[list[Load], list[int]]:
    """Return the load of each cycle, and the memory after each."""
    digits = next((store / targets.DIGITS).iterdir())
    pool = ThreadPoolExecutor(1)
    loads, memory = [], []
    for cycle in range(cycles):
        version = int(digits.name) + 1 + cycle
        load = pool.submit(run_wrk, server.port, kind="raw", png=png, connections=CONNECTIONS, seconds=CYCLE_S)
        added = _copy(digits, version, store)
        _wait_for(server.port, version, "ready")
        broken = _copy(digits, version + cycles, store, is_damaged=True)
        _wait_for(server.port, version + cycles, "failed")
        shutil.rmtree(broken)
        shutil.rmtree(added)
        _wait_for(server.port, version, None)
        loads.append(load.result())
        memory.append(sum(proportional_bytes(pid) for pid in tree(server.process.pid)))
    return loads, memory


def _copy(source: Path, version: int, store: Path, *, is_damaged: bool = False) -> Path:
    """Put a copy of a version into the store, whole at once."""
    with tempfile.TemporaryDirectory(dir=store.parent) as folder:
        copy = Path(folder, str(version))
        shutil.copytree(source, copy)
        metadata = json.loads((copy / "metadata.json").read_text())
        (copy / "metadata.json").write_text(json.dumps(metadata | {"version": version}))
        if is_damaged:
            with (copy / "saved_model.pb").open("r+b") as file:
                file.truncate(1000)
        return copy.rename(source.parent / str(version))


def _wait_for(port: int, version: int, state: str | None) -> None:
    """Wait until a version of the digits has a state, or is gone."""
    end = time.monotonic() + STEP_TIMEOUT_S
    while time.monotonic() < end:
        states = {each["folder"]: each["state"] for each in json.loads(get(port, "/v1/models")[1])["states"]}
        if states.get(f"{targets.DIGITS}/{version}") == state:
            return
        time.sleep(POLL_S)
    msg = f"{targets.DIGITS}/{version} is not {state or 'gone'}"
    raise TimeoutError(msg)


def _table(without: Load, loads: list[Load], photographs: Photographs, memory: list[int], cycles: int) -> str:
    failed = without.failed + sum(load.failed for load in loads) + photographs.failed
    requests = without.requests + sum(load.requests for load in loads) + photographs.sent
    p99_ms = sorted(load.p99_ms for load in loads)
    warm = memory[min(WARM_CYCLES, cycles - 1)]
    return table(
        ("what", "measured", "target"),
        [
            ("versions installed, refused and removed", str(cycles), ""),
            ("failed requests", f"{failed} of {requests:,}", "0"),
            ("digits without swaps: p99", f"{without.p99_ms:.1f} ms", ""),
            (
                "with swaps: p99 of a cycle, median and highest",
                f"{p99_ms[len(p99_ms) // 2]:.1f} / {p99_ms[-1]:.1f} ms",
                f"≤ {2 * without.p99_ms:.1f} ms",
            ),
            (
                f"memory of all processes after {min(WARM_CYCLES, cycles - 1) + 1} cycles, and at the end",
                f"{warm / MEGABYTE:.0f} / {memory[-1] / MEGABYTE:.0f} MB",
                "< 60 MB more",
            ),
        ],
    )


if __name__ == "__main__":
    main()
