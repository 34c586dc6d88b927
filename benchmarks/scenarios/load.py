"""Measure this service, its peers and the echo under the same load from wrk, one after another, in rounds.

``python -m benchmarks load`` runs it. The service runs in the environment of this interpreter, the peers in
.venv-benchmark.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from benchmarks.harness import pictures, targets
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import (
    REPOSITORY,
    Server,
    busy_seconds,
    free_port,
    own_cpu_seconds,
    post,
    running_server,
)
from benchmarks.harness.targets import Target
from benchmarks.harness.wrk import Load, require_wrk, run_wrk

MAIN_POINTS = ((pictures.RAW, 1), (pictures.RAW, 32))
OTHER_POINTS = tuple(
    (kind, connections)
    for kind in (pictures.RAW, pictures.MULTIPART)
    for connections in (1, 8, 32, 128)
    if (kind, connections) not in MAIN_POINTS
)
REFERENCE_POINT = (pictures.RAW, 32)
WARM_UP_S = 2
MAX_DIFFERENCE = 2.0  # 8-bit levels, on average; batches and threads change the last bit

Point = tuple[str, int]


@dataclass(frozen=True)
class Measurement:
    """One load on one server.

    Attributes:
        cpu_ms: user and system CPU time of the server for each answered request.
        other_cores: how many cores processes other than the server and wrk kept busy; stolen time counts.
    """

    name: str
    round: int
    kind: str
    connections: int
    load: Load
    cpu_ms: float
    other_cores: float = 0.0


@dataclass(frozen=True)
class Run:
    """One start of one server."""

    name: str
    round: int
    ready_s: float
    peak_mb: float


@dataclass
class Results:
    """All measurements; ``steps`` has the microseconds of benchmarks.scenarios.steps for each round."""

    machine: str
    model: str
    seconds: int
    forms: dict[str, str] = field(default_factory=dict)
    trials: dict[str, dict[str, float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    steps: list[dict[str, float]] = field(default_factory=list)


def measure_load(*, rounds: int, seconds: int) -> Results:
    """Find the best form of each server, then measure them all in rounds; minor points only in the first round."""
    require_wrk()
    model = targets.find_model()
    results = Results(describe_machine(), "/".join(model.parts[-2:]), seconds)
    png = pictures.to_png(pictures.noisy_digit())
    with store_with(model) as store:
        with _served(targets.ours(store), model, png) as server:
            expected = pictures.read_answer(post(server.port, png)[1])
        check: Callable[[bytes], str] = lambda answer: check_answer(answer, png, expected)  # noqa: E731
        ours = [
            [targets.ours(store, runtime, workers=workers) for workers in (1, 2)]
            for runtime in ("tensorflow", "openvino")
        ]
        tried = [*ours, *targets.peers().values()]
        best_forms = [_best_form(forms, model, png, seconds, check, results) for forms in tried]
        if None in best_forms[: len(ours)]:
            raise SystemExit("\n".join(results.problems))
        chosen = [*(best for best in best_forms if best), targets.echo()]
        for number in range(rounds):
            for target in chosen[number % len(chosen) :] + chosen[: number % len(chosen)]:
                points = MAIN_POINTS + (OTHER_POINTS if number == 0 else ())
                verify = _no_check if target.name == targets.ECHO else check
                _measure(target, model, png, points, number, verify, results)
            results.steps.append(_steps(model))
    return results


@contextmanager
def store_with(model: Path) -> Iterator[Path]:
    """Create a model store with this model only, like the peers."""
    with tempfile.TemporaryDirectory(prefix="benchmark-store-") as folder:
        link = Path(folder) / model.parent.name / model.name
        link.parent.mkdir()
        link.symlink_to(model)
        yield Path(folder)


def check_answer(answer: bytes, png: bytes, expected: pictures.Levels) -> str:
    """Return what is wrong with a response, or an empty text if it is the denoised picture."""
    try:
        levels = pictures.read_answer(answer)
    except (ValueError, OSError) as error:
        return f"no picture: {error}"
    difference = pictures.mean_difference(levels, expected)
    if difference > MAX_DIFFERENCE:
        return f"differs from the service's response by {difference:.1f} levels"
    return "the picture as it was sent" if answer == png else ""


def _no_check(_answer: bytes) -> str:
    return ""


@contextmanager
def _served(target: Target, model: Path, png: bytes) -> Iterator[Server]:
    port = free_port()
    command = [part.format(port=port) for part in target.command]
    environment = {**target.environment, "BENCHMARK_MODEL": str(model)}
    with running_server(command, port=port, environment=environment, probe=png) as server:
        yield server


def _best_form(
    forms: Sequence[Target], model: Path, png: bytes, seconds: int, check: Callable[[bytes], str], results: Results
) -> Target | None:
    """Try each form of a server at the reference point and return the fastest; None if none works."""
    kind, connections = REFERENCE_POINT
    speeds: dict[str, float] = {}
    for target in forms:
        try:
            with _served(target, model, png) as server:
                run_wrk(server.port, kind=kind, png=png, connections=connections, seconds=WARM_UP_S)
                load = run_wrk(server.port, kind=kind, png=png, connections=connections, seconds=min(seconds, 3))
                wrong = check(post(server.port, png)[1])
        except (RuntimeError, OSError) as error:
            results.problems.append(f"{target.name} ({target.form}): {error}")
            continue
        if load.failed or wrong:
            results.problems.append(f"{target.name} ({target.form}): {load.failed} failed requests {wrong}")
            continue
        speeds[target.form] = load.per_s
        _tell(f"{target.name}, {target.form}: {load.per_s:.0f}/s, {load.failed} failed")
    results.trials[forms[0].name] = speeds
    if not speeds:
        return None
    best = max(forms, key=lambda target: speeds.get(target.form, 0.0))
    results.forms[best.name] = best.form
    return best


def _measure(
    target: Target,
    model: Path,
    png: bytes,
    points: Sequence[Point],
    number: int,
    check: Callable[[bytes], str],
    results: Results,
) -> None:
    with _served(target, model, png) as server:
        run_wrk(server.port, kind=pictures.RAW, png=png, connections=32, seconds=WARM_UP_S)
        for kind, connections in points:
            cpu, own, busy = server.cpu_s(), own_cpu_seconds(), busy_seconds()
            load = run_wrk(server.port, kind=kind, png=png, connections=connections, seconds=results.seconds)
            cpu = server.cpu_s() - cpu
            others = (busy_seconds() - busy - cpu - (own_cpu_seconds() - own)) / results.seconds
            cpu_ms = cpu / max(load.requests, 1) * 1000
            results.measurements.append(Measurement(target.name, number, kind, connections, load, cpu_ms, others))
            content_type, body = pictures.body_as(kind, png)
            wrong = _check_one(server, body, content_type, check)
            if load.failed or wrong:
                results.problems.append(
                    f"{target.name}, {kind}, {connections} connections: {load.failed} of {load.requests} failed {wrong}"
                )
            _tell(
                f"round {number + 1}: {target.name}, {kind}, {connections}: {load.per_s:.0f}/s, p50 {load.p50_ms:.2f}, "
                f"p99 {load.p99_ms:.2f} ms, CPU {cpu_ms:.3f} ms"
            )
        results.runs.append(Run(target.name, number, server.ready_s, server.peak_bytes() / 1e6))


def _check_one(server: Server, body: bytes, content_type: str, check: Callable[[bytes], str]) -> str:
    try:
        status, answer = post(server.port, body, content_type)
    except OSError as error:
        return f"no response after the load: {error}"
    return check(answer) if status == HTTPStatus.OK else f"status {status}"


def _steps(model: Path) -> dict[str, float]:
    """Return the cost of each step, in microseconds."""
    command = [sys.executable, "-m", "benchmarks.scenarios.steps", str(model)]
    output = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=120).stdout
    steps: dict[str, float] = json.loads(output)
    _tell(f"steps: {', '.join(f'{name} {cost:.0f}' for name, cost in steps.items())} us")
    return steps


def median_of(results: Results, name: str, point: Point, value: Callable[[Measurement], float]) -> float:
    """Return the median over the rounds."""
    return statistics.median(value(found) for found in select(results, name, point))


def median_ratio(
    results: Results, names: tuple[str, str], point: Point, value: Callable[[Measurement], float]
) -> float:
    """Return the median over the rounds of the ratio first / second within each round."""
    first, second = ({found.round: value(found) for found in select(results, name, point)} for name in names)
    return statistics.median(first[number] / max(second[number], 1e-9) for number in first.keys() & second.keys())


def select(results: Results, name: str, point: Point) -> list[Measurement]:
    return [found for found in results.measurements if (found.name, found.kind, found.connections) == (name, *point)]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
