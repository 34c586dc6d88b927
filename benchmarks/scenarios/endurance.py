"""Measure memory over many requests and sizes, clients that hang up halfway, and SIGTERM under load.

``python -m benchmarks.scenarios.endurance`` prints the table for docs/benchmarks.md.
"""

import argparse
import asyncio
import re
import signal
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.harness import pictures, targets
from benchmarks.harness.client import Connection, CutError, request_bytes
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import Server, get
from benchmarks.harness.tables import table
from benchmarks.scenarios.overload import our_server

CONNECTIONS = 32
SIZES = 500
SAMPLES = 200  # of resident memory, over the whole run
HANG_UPS = 200  # half of them after the whole body, half after a part of it
WAVE = 50  # that hang up together: fewer than the service has slots, so that none is refused
SETTLE_S = 0.2
PAUSE_S = 0.1  # of a client after a 503
RANDOM_SIDES = (1, 1500)  # pixels
WARM_PICTURES = 100  # of random sizes, after which memory is to stay as it is
MAX_GROWTH_BYTES = 60_000_000
SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # TensorFlow leaves it off where the processor has little use for it
    "DENOISER_REQUEST_TIMEOUT_S": "600",  # a busy machine takes long over the largest
}
STOP_AFTER_S = 1.0
GRACE_S = 1
EXIT_TIMEOUT_S = 60
COMPLETE = ("200", "503")  # 503: the service read the request while it was draining
CLIENT_GONE = re.compile(r'^denoiser_dropped_total\{cause="client-gone"\} ([0-9.e+]+)', re.MULTILINE)
INFERRED = re.compile(r"^denoiser_batch_size_count\{.*\} ([0-9.e+]+)", re.MULTILINE)


@dataclass
class Endurance:
    """Statuses and duration of a run, and the resident bytes after so many requests."""

    requests: int
    statuses: Counter[int] = field(default_factory=Counter)
    memory: list[tuple[int, int]] = field(default_factory=list)
    seconds: float = 0.0

    def growth(self) -> float:
        """Return by what share resident memory grew over the last half; each end is the median of a twentieth."""
        window = max(1, len(self.memory) // 20)
        middle = len(self.memory) // 2
        first, last = (
            statistics.median(size for _, size in samples)
            for samples in (self.memory[middle : middle + window], self.memory[-window:])
        )
        return last / first - 1


@dataclass(frozen=True)
class RandomSizes:
    """The resident bytes after each of many pictures of random sizes."""

    memory: list[int]

    def growth_bytes(self) -> int:
        """Return how much more there is in the last tenth of the pictures than after WARM_PICTURES, by medians."""
        window = max(1, len(self.memory) // 10)
        warm = self.memory[WARM_PICTURES : WARM_PICTURES + window]
        return round(statistics.median(self.memory[-window:]) - statistics.median(warm))


@dataclass(frozen=True)
class HangUps:
    """The effects of hang-ups; ``answered`` is how many pictures were denoised before the service noticed.

    ``next_ms`` has the time of one request after each wave.
    """

    counted: int
    answered: int
    next_ms: list[float]


@dataclass
class Stop:
    """What clients saw of a SIGTERM: the outcomes of requests sent before and after it."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    exit_code: int | None = None
    seconds: float = 0.0


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--sizes", type=int, help="measure only this: so many pictures of random sizes")
    arguments = parser.parse_args()
    if arguments.sizes:
        print(table(("what", "measured", "target"), random_size_rows(measure_random_sizes(arguments.sizes))))
        return
    measured = measure_endurance(arguments.requests), measure_random_sizes(), measure_hang_ups(), measure_stop()
    print(endurance_table(*measured))


def measure_endurance(requests: int) -> Endurance:
    """Send pictures of SIZES sizes over CONNECTIONS connections, and record the memory."""
    with our_server() as server:
        return uvloop.run(_endure(server, requests))


def measure_random_sizes(count: int = 1000) -> RandomSizes:
    """Send noise of random sizes, every second one in colour, to the network of any size, on two connections."""
    with our_server(targets.PHOTO, **SETTINGS) as server:
        return uvloop.run(_send_random_sizes(server, count))


def measure_hang_ups() -> HangUps:
    """Hang up HANG_UPS times, in waves, and send one request after each."""
    with our_server() as server:
        return uvloop.run(_hang_up(server))


def measure_stop() -> Stop:
    """Send SIGTERM while CONNECTIONS clients send requests."""
    with our_server(DENOISER_DRAIN_GRACE_S=str(GRACE_S)) as server:
        return uvloop.run(_stop(server))


def endurance_table(endurance: Endurance, sizes: RandomSizes, hang_ups: HangUps, stop: Stop) -> str:
    """Return the table, as Markdown."""
    megabytes = [size / 1e6 for _, size in endurance.memory]
    other = {status: count for status, count in endurance.statuses.items() if status != HTTPStatus.OK}
    last_half = f"resident memory over the last half of {endurance.requests:,} requests of {SIZES} sizes"
    stations = " / ".join(f"{megabytes[index]:.0f}" for index in (0, len(megabytes) // 2, -1))
    outcomes = stop.before + stop.after
    lost = {what: count for what, count in outcomes.items() if what not in COMPLETE}
    complete = ", ".join(f"{outcomes[what]:,} with {what}" for what in COMPLETE)
    under_way = sum(stop.before.values())
    rows = [
        (last_half, f"{endurance.growth():+.1%}", "< +3 %"),
        ("resident at the start, in the middle, at the end", f"{stations} MB", ""),
        ("responses other than 200", str(other or 0), "0"),
        ("requests/s, all sizes", f"{endurance.requests / endurance.seconds:,.0f}", ""),
        *random_size_rows(sizes),
        (f"of {HANG_UPS} clients that hung up halfway, counted as dropped", str(hang_ups.counted), str(HANG_UPS)),
        ("denoised before the service noticed", str(hang_ups.answered), "few"),
        ("the next request after each wave, slowest", f"{max(hang_ups.next_ms):.1f} ms", "at once"),
        ("SIGTERM under load: responses cut off, or none", str(lost or 0), "0"),
        (f"… complete ({under_way:,} of them for requests sent before it)", complete, ""),
        ("… exit code", f"{stop.exit_code} after {stop.seconds:.1f} s", "0"),
    ]
    return f"Machine: {describe_machine()}.\n\n" + table(("what", "measured", "target"), rows)


def random_size_rows(sizes: RandomSizes) -> list[tuple[str, str, str]]:
    """Return the rows of the table about pictures of random sizes."""
    smallest, largest = RANDOM_SIDES
    what = (
        f"growth from picture {WARM_PICTURES} to {len(sizes.memory)}, of {smallest} to {largest:,} px a side, oneDNN on"
    )
    stations = [size for size in (1, WARM_PICTURES, len(sizes.memory) // 2, len(sizes.memory)) if size]
    resident = " / ".join(f"{sizes.memory[station - 1] / 1e6:.0f}" for station in stations)
    return [
        (what, f"{sizes.growth_bytes() / 1e6:+.0f} MB", f"< {MAX_GROWTH_BYTES / 1e6:.0f} MB"),
        (f"resident after picture {' / '.join(map(str, stations))}", f"{resident} MB", ""),
    ]


def sized_requests() -> list[bytes]:
    """Return requests with pictures of noise in SIZES sizes, from 8x8 to 152x122 pixels."""
    rng = np.random.default_rng(0)
    sizes = [(8 + 6 * (index % 25), 8 + 6 * (index // 25)) for index in range(SIZES)]
    return [
        request_bytes("POST", "/v1/denoise", pictures.to_png(rng.integers(0, 256, size, np.uint8))) for size in sizes
    ]


async def _endure(server: Server, requests: int) -> Endurance:
    bodies = sized_requests()
    order = iter(np.random.default_rng(1).permutation(requests) % SIZES)
    result = Endurance(requests)

    async def client() -> None:
        connection = await Connection.open(server.port)
        for index in order:
            answer = await connection.exchange(bodies[index])
            result.statuses[answer.status] += 1
            done = result.statuses.total()
            if done % max(1, requests // SAMPLES) == 0:
                result.memory.append((done, server.resident_bytes()))
        connection.close()

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    result.seconds = time.perf_counter() - start
    return result


async def _send_random_sizes(server: Server, count: int) -> RandomSizes:
    memory: list[int] = []
    numbers = iter(range(count))

    async def client() -> None:
        connection = await Connection.open(server.port)
        for number in numbers:
            rng = np.random.default_rng(number)
            height, width = rng.integers(RANDOM_SIDES[0], RANDOM_SIDES[1] + 1, 2)
            shape = (height, width, 3) if number % 2 else (height, width)
            png = await asyncio.to_thread(pictures.to_png, rng.integers(0, 256, shape, np.uint8))
            answer = await connection.exchange(request_bytes("POST", "/v1/denoise?color=keep&noise_level=25", png))
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"a picture of {height} x {width} pixels got status {answer.status}")
            memory.append(server.resident_bytes())
        connection.close()

    await asyncio.gather(client(), client())
    return RandomSizes(memory)


async def _hang_up(server: Server) -> HangUps:
    request = request_bytes("POST", "/v1/denoise", pictures.to_png(pictures.noisy_digit()))
    gone, inferred = await asyncio.to_thread(_counters, server.port)
    next_ms = []
    for wave in range(HANG_UPS // WAVE):
        await _hang_up_together(server.port, request if wave % 2 else request[:-100])
        following = await Connection.open(server.port)
        answer = await following.exchange(request)
        following.close()
        if answer.status != HTTPStatus.OK:
            msg = f"the request after the hang-ups got status {answer.status}"
            raise RuntimeError(msg)
        next_ms.append(answer.seconds * 1000)
        await asyncio.sleep(SETTLE_S)
    gone_after, inferred_after = await asyncio.to_thread(_counters, server.port)
    return HangUps(gone_after - gone, inferred_after - inferred - len(next_ms), next_ms)


async def _hang_up_together(port: int, part: bytes) -> None:
    opened = [await Connection.open(port) for _ in range(WAVE)]
    for connection in opened:
        connection.send(part)
    await asyncio.sleep(0)  # one turn of the event loop writes them
    for connection in opened:
        connection.close()


def _counters(port: int) -> tuple[int, int]:
    text = get(port, "/metrics")[1].decode()
    found = (CLIENT_GONE.search(text), INFERRED.search(text))
    gone, inferred = (int(float(match[1])) if match else 0 for match in found)
    return gone, inferred


async def _stop(server: Server) -> Stop:
    request = request_bytes("POST", "/v1/denoise", pictures.to_png(pictures.noisy_digit()))
    result = Stop()
    signalled: list[float] = []

    async def client() -> None:
        connection = await Connection.open(server.port)
        while True:
            outcomes = result.after if signalled else result.before
            try:
                answer = await connection.exchange(request)
                outcomes[str(answer.status)] += 1
                if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    await asyncio.sleep(PAUSE_S)
                if not connection.is_open:  # a draining server closes each connection after its response
                    connection = await Connection.open(server.port)
            except CutError as error:
                outcomes["cut" if error.received else "no response"] += 1
                return
            except ConnectionError:  # the server no longer listens
                return

    clients = [asyncio.create_task(client()) for _ in range(CONNECTIONS)]
    await asyncio.sleep(STOP_AFTER_S)
    server.process.send_signal(signal.SIGTERM)
    signalled.append(time.perf_counter())
    await asyncio.wait(clients, timeout=EXIT_TIMEOUT_S)
    result.exit_code = await asyncio.to_thread(server.process.wait, EXIT_TIMEOUT_S)
    result.seconds = time.perf_counter() - signalled[0]
    return result


def draw_memory(endurance: Endurance, path: Path) -> None:
    """Plot resident memory over requests."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot([count for count, _ in endurance.memory], [size / 1e6 for _, size in endurance.memory])
    axes.set(xlabel="requests", ylabel="resident MB", title=f"{SIZES} image sizes, {CONNECTIONS} connections")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
