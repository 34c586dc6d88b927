"""Stage times of one request, as W3C Server-Timing and as numbers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

STAGES = ("read", "decode", "queue", "infer", "encode")


class StageTimer:
    """Wall-clock milliseconds of each stage of one request, counted from its own creation."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._ms = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to the stage ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, seconds=time.perf_counter() - start)

    def add(self, name: str, *, seconds: float) -> None:
        """Add a time that was measured elsewhere to the stage ``name``."""
        self._ms[name] += seconds * 1000

    def milliseconds(self) -> dict[str, float]:
        """Every stage and ``total``, the time since the request arrived, in milliseconds with 3 decimals."""
        total = (time.perf_counter() - self._start) * 1000
        return {name: round(value, 3) for name, value in (*self._ms.items(), ("total", total))}


def server_timing(milliseconds: dict[str, float]) -> str:
    """Format stage times as the value of a Server-Timing header (https://www.w3.org/TR/server-timing/)."""
    return ", ".join(f"{name};dur={value}" for name, value in milliseconds.items())
