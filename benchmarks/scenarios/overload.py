"""Measure 256 connections against 64 places: goodput, time to refuse the rest, and the probes meanwhile.

``python -m benchmarks.scenarios.overload`` prints the table for docs/benchmarks.md. The best
throughput, with which goodput is compared, comes from the same client at 32 connections, before and after.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import uvloop

from benchmarks.harness import pictures, targets
from benchmarks.harness.client import Connection, percentile, request_bytes
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import Server, free_port, running_server
from benchmarks.harness.tables import table
from benchmarks.scenarios.load import store_with

QUEUE_SIZE = 64
CONNECTIONS, FEW_CONNECTIONS = 256, 32
PAUSE_S = 0.1  # of a client after a refusal
PROBE_S = 0.05
SERVER_ERROR = 500


@dataclass
class Tally:
    """What clients saw; times are in seconds."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    answered_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)

    @property
    def goodput(self) -> float:
        """Answered requests per second."""
        return self.statuses[HTTPStatus.OK] / self.seconds


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each of the three loads")
    print(overload_table(measure_overload(parser.parse_args().seconds)))


def measure_overload(seconds: float) -> Sequence[Tally]:
    """Measure with few connections, with many, and with few again."""
    with our_server(DENOISER_QUEUE_SIZE=str(QUEUE_SIZE)) as server:
        return uvloop.run(_measure(server.port, seconds))


@contextmanager
def our_server(name: str = targets.DIGITS, **environment: str) -> Iterator[Server]:
    """Start this service with one model and the settings in ``environment``."""
    with store_with(targets.find_model(name)) as store, serve_store(store, **environment) as server:
        yield server


@contextmanager
def serve_store(store: Path, *, runtime: str = "tensorflow", **environment: str) -> Iterator[Server]:
    """Start this service with a store of its own and the settings in ``environment``."""
    target, port = targets.ours(store, runtime), free_port()
    command = [part.format(port=port) for part in target.command]
    png = pictures.to_png(pictures.noisy_digit())
    with running_server(command, port=port, environment=target.environment | environment, probe=png) as server:
        yield server


def overload_table(tallies: Sequence[Tally]) -> str:
    """Return the table, as Markdown."""
    before, overload, after = tallies
    best = max(before.goodput, after.goodput)
    refused, answered = overload.statuses[HTTPStatus.TOO_MANY_REQUESTS], overload.statuses[HTTPStatus.OK]
    errors = sum(count for tally in tallies for status, count in tally.statuses.items() if status >= SERVER_ERROR)
    times = " / ".join(f"{percentile(overload.answered_s, share) * 1000:.1f} ms" for share in (0.5, 0.99))
    rows = [
        (f"goodput / best throughput at {FEW_CONNECTIONS} connections", f"{overload.goodput / best:.0%}", "≥ 90 %"),
        ("refusals, p99", f"{percentile(overload.refused_s, 0.99) * 1000:.1f} ms", "≤ 100 ms"),
        ("`/readyz` meanwhile, p99", f"{percentile(overload.ready_s, 0.99) * 1000:.1f} ms", "≤ 100 ms"),
        ("responses with 5xx", str(errors), "0"),
        ("best throughput", f"{best:,.0f}/s", ""),
        ("goodput under overload", f"{overload.goodput:,.0f}/s ({answered:,} answered, {refused:,} refused)", ""),
        ("answered, p50 / p99", times, ""),
        ("`/readyz` called", f"{len(overload.ready_s)} times", ""),
    ]
    return f"Machine: {describe_machine()}.\n\n" + table(("what", "measured", "target"), rows)


async def _measure(port: int, seconds: float) -> Sequence[Tally]:
    await _load(port, FEW_CONNECTIONS, 1.0)
    return [await _load(port, count, seconds) for count in (FEW_CONNECTIONS, CONNECTIONS, FEW_CONNECTIONS)]


async def _load(port: int, connections: int, seconds: float) -> Tally:
    request = request_bytes("POST", "/v1/denoise", pictures.to_png(pictures.noisy_digit()))
    tally = Tally()
    opened = [await Connection.open(port) for _ in range(connections)]
    start = time.perf_counter()
    clients = [_client(connection, request, start + seconds, tally) for connection in opened]
    await asyncio.gather(*clients, _prober(port, start + seconds, tally))
    tally.seconds = time.perf_counter() - start
    for connection in opened:
        connection.close()
    return tally


async def _client(connection: Connection, request: bytes, until: float, tally: Tally) -> None:
    while time.perf_counter() < until:
        answer = await connection.exchange(request)
        tally.statuses[answer.status] += 1
        if answer.status == HTTPStatus.OK:
            tally.answered_s.append(answer.seconds)
        else:
            tally.refused_s.append(answer.seconds)
            await asyncio.sleep(PAUSE_S)


async def _prober(port: int, until: float, tally: Tally) -> None:
    connection = await Connection.open(port)
    while time.perf_counter() < until:
        answer = await connection.exchange(request_bytes("GET", "/readyz"))
        tally.statuses[answer.status] += answer.status != HTTPStatus.OK
        tally.ready_s.append(answer.seconds)
        await asyncio.sleep(PROBE_S)
    connection.close()


if __name__ == "__main__":
    main()
