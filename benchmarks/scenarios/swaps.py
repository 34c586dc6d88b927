"""Install and remove networks again and again under load: failed requests, the p99 of digits, and memory.

``python -m benchmarks.scenarios.swaps`` prints the table for docs/benchmarks.md.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.harness import pictures, targets
from benchmarks.harness.clients import clients, wait_until
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import Server, get, proportional_bytes, tree
from benchmarks.harness.tables import table
from benchmarks.harness.wrk import Load, run_wrk
from benchmarks.scenarios.overload import serve_store

CYCLES = 20
CONNECTIONS = 32
PHOTOGRAPHS = 2  # clients that send one after another
PHOTOGRAPH_PX = 256
WITHOUT_S = 20  # the same load without swaps
CYCLE_S = 8  # at least; a busy machine takes longer to load a network
POLL_S = 0.1
WARM_CYCLES = 6  # after which memory is to stay as it is
MEGABYTE = 1e6


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
        level = np.random.default_rng(0).integers(0, 256, (PHOTOGRAPH_PX, PHOTOGRAPH_PX), dtype=np.uint8)
        photograph, digit = pictures.to_png(level), pictures.to_png(pictures.noisy_digit())
        with (
            serve_store(store, runtime=runtime) as server,
            clients(server.port, photograph, count=PHOTOGRAPHS, path="/v1/denoise?model=photo") as photographs,
        ):
            without = _load(server, digit, WITHOUT_S)
            loads, memory = _swap(server, store, digit, cycles)
    return f"Machine: {describe_machine()}.\n\n" + _table(without, loads, photographs, memory)


def _load(server: Server, digit: bytes, seconds: int) -> Load:
    return run_wrk(server.port, kind=pictures.RAW, png=digit, connections=CONNECTIONS, seconds=seconds)


def _swap(server: Server, store: Path, digit: bytes, cycles: int) -> tuple[list[Load], list[int]]:
    """Return the load of each cycle, and the memory after each."""
    digits = next((store / targets.DIGITS).iterdir())
    loads, memory = [], []
    with ThreadPoolExecutor(1) as pool:
        for version in range(int(digits.name) + 1, int(digits.name) + 1 + cycles):
            load = pool.submit(_load, server, digit, CYCLE_S)
            added = _copy(digits, version, store)
            _wait_for(server, added, "ready")
            broken = _copy(digits, version + cycles, store, is_damaged=True)
            _wait_for(server, broken, "failed")
            shutil.rmtree(broken)
            shutil.rmtree(added)
            _wait_for(server, added, None)
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


def _wait_for(server: Server, folder: Path, state: str | None) -> None:
    """Wait until a version of the digits has a state, or is gone."""
    name = f"{targets.DIGITS}/{folder.name}"

    def has_state() -> bool:
        states = json.loads(get(server.port, "/v1/models")[1])["states"]
        return state == next((each["state"] for each in states if each["folder"] == name), None)

    wait_until(has_state, poll_s=POLL_S)


def _table(without: Load, loads: list[Load], photographs: Mapping[str, int], memory: list[int]) -> str:
    requests = sum(load.requests for load in (without, *loads)) + sum(photographs.values())
    failed = sum(load.failed for load in (without, *loads))
    failed += sum(count for outcome, count in photographs.items() if outcome != "200")
    p99_ms = [load.p99_ms for load in loads]
    warm = min(WARM_CYCLES, len(memory))
    return table(
        ("what", "measured", "target"),
        [
            ("versions installed, refused and removed", str(len(loads)), ""),
            ("failed requests", f"{failed} of {requests:,}", "0"),
            ("digits without swaps: p99", f"{without.p99_ms:.1f} ms", ""),
            (
                "with swaps: p99 of a cycle, median and highest",
                f"{statistics.median(p99_ms):.1f} / {max(p99_ms):.1f} ms",
                f"≤ {2 * without.p99_ms:.1f} ms",
            ),
            (
                f"memory of all processes after {warm} cycles, and at the end",
                f"{memory[warm - 1] / MEGABYTE:.0f} / {memory[-1] / MEGABYTE:.0f} MB",
                "< 60 MB more",
            ),
        ],
    )


if __name__ == "__main__":
    main()
