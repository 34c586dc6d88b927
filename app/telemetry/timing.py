"""Measure the stages of one request, for W3C Server-Timing and JSON."""

import time
from collections.abc import Sequence

STAGES = ("read", "decode", "queue", "infer", "encode")


class StageTimer:
    """Measures the wall-clock time of each of the ``stages`` of one request, which starts when the timer is created."""

    def __init__(self, stages: Sequence[str] = STAGES) -> None:
        self._start = time.perf_counter()
        self._ms = dict.fromkeys(stages, 0.0)

    def stage(self, name: str) -> "_Stage":
        """Add the time of a ``with`` block to the stage ``name``."""
        return _Stage(self, name)

    def add(self, name: str, *, seconds: float) -> None:
        """Add a time that was measured elsewhere to the stage ``name``."""
        self._ms[name] += seconds * 1000

    def timing_ms(self) -> dict[str, float]:
        """Return the milliseconds of every stage, and of ``total`` since the timer was created, with 3 decimals."""
        total = (time.perf_counter() - self._start) * 1000
        return {name: round(value, 3) for name, value in (*self._ms.items(), ("total", total))}


class _Stage:
    def __init__(self, timer: StageTimer, name: str) -> None:
        self._timer = timer
        self._name = name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._timer.add(self._name, seconds=time.perf_counter() - self._start)


def server_timing(timing_ms: dict[str, float]) -> str:
    """Format stage times as the value of a Server-Timing header (https://www.w3.org/TR/server-timing/)."""
    return ", ".join(f"{name};dur={value}" for name, value in timing_ms.items())
