"""The metrics that Prometheus scrapes, for all processes: requests, stage times, shared calls, dropped work."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, exposition
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name
MEDIA_TYPE = exposition.CONTENT_TYPE_LATEST

STAGE_BUCKETS_S = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
# Of a process, as prometheus_client names them; all routes, models, stages and hundreds of keys need fewer bytes
SHARED_FILES = {"counter": 2**20, "histogram": 2**17, "gauge_livesum": 2**17, "gauge_max": 2**17}
DROPPED = ("client-gone", "deadline-exceeded")  # problems of requests that were accepted but got no result
STORE_CHANGES = ("installed", "removed", "refused")


class Metrics:
    """The metrics of one application, in a registry of their own."""

    def __init__(self) -> None:
        if SHARED_FOLDER in os.environ:
            for name, size in SHARED_FILES.items():
                _reserve(Path(os.environ[SHARED_FOLDER], f"{name}_{os.getpid()}.db"), size)
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "denoiser_requests",
            "Requests by route, model (empty if none was reached) and HTTP status.",
            ["route", "model", "status"],
            registry=self._registry,
        )
        self._key_requests = Counter(
            "denoiser_key_requests",
            "Requests that need a key, by its name (empty if it was missing or unknown) and HTTP status.",
            ["key", "status"],
            registry=self._registry,
        )
        self._stages = Histogram(
            "denoiser_stage_seconds",
            "Seconds that a picture spent in each stage; `queue` is the wait for the network.",
            ["stage"],
            buckets=STAGE_BUCKETS_S,
            registry=self._registry,
        )
        self._batches = Histogram(
            "denoiser_batch_size",
            "How many pictures shared the network's call, counted once a picture.",
            ["model"],
            buckets=BATCH_BUCKETS,
            registry=self._registry,
        )
        self._dropped = Counter(
            "denoiser_dropped",
            "Requests, and pictures of a batch, that were accepted but got no result, by cause.",
            ["cause"],
            registry=self._registry,
        )
        self._in_work = Gauge(
            "denoiser_in_work",
            "Requests that hold a slot, from before their body is read until their response.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._models = Gauge(
            "denoiser_model_info",
            "1 for each version of each model that is loaded, 0 for one that was.",
            ["model", "version"],
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._store_changes = Counter(
            "denoiser_store_changes",
            "Versions that were installed, removed, or refused because they are broken, while the service ran.",
            ["change"],
            registry=self._registry,
        )
        for change in STORE_CHANGES:
            self._store_changes.labels(change)
        # prometheus_client checks and converts labels on every call, which takes as long as counting
        self._request_counter = cache(self._requests.labels)
        self._key_request_counter = cache(self._key_requests.labels)
        self._stage_histogram = cache(self._stages.labels)
        self._batch_histogram = cache(self._batches.labels)

    def set_model(self, name: str, version: int, *, is_loaded: bool = True) -> None:
        """Record that a version is loaded, or is no longer."""
        self._models.labels(name, str(version)).set(int(is_loaded))

    def count_store_change(self, change: str) -> None:
        """Count a change of the store while the service runs: one of STORE_CHANGES."""
        self._store_changes.labels(change).inc()

    def in_work(self) -> AbstractContextManager[None]:
        """Count a request as in work during a ``with`` block."""
        tracker: AbstractContextManager[None] = self._in_work.track_inprogress()
        return tracker

    def observe(self, route: str, record: Mapping[str, Any]) -> None:
        """Count a finished request; ``record`` has the fields of its log record."""
        model = record.get("model", "")
        self._request_counter(route, model, record["status"]).inc()
        if "key" in record:
            self._key_request_counter(record["key"], record["status"]).inc()
        self.observe_problem(record.get("problem", ""))
        if "timing_ms" in record:
            self.observe_picture(model, batch_size=record["batch_size"], timing_ms=record["timing_ms"])

    def observe_picture(self, model: str, *, batch_size: int, timing_ms: Mapping[str, float]) -> None:
        """Count a picture that was denoised."""
        self._batch_histogram(model).observe(batch_size)
        for stage, milliseconds in timing_ms.items():
            self.observe_stage(stage, milliseconds)

    def observe_stage(self, stage: str, milliseconds: float) -> None:
        """Count the time of one stage."""
        self._stage_histogram(stage).observe(milliseconds / 1000)

    def observe_problem(self, problem: str) -> None:
        """Count a request or picture without a result, if its problem is one of DROPPED."""
        if problem in DROPPED:
            self._dropped.labels(problem).inc()

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format, summed over all processes if they share a folder."""
        if SHARED_FOLDER not in os.environ:
            return exposition.generate_latest(self._registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
        return exposition.generate_latest(merged)


@contextmanager
def shared_between_processes() -> Iterator[None]:
    """Let the processes that are started in a ``with`` block share metrics through files in a temporary folder.

    Raises:
        OSError: there is no room for the files of a process.
    """
    with tempfile.TemporaryDirectory(prefix="denoiser-metrics-") as folder:
        for name, size in SHARED_FILES.items():
            _reserve(Path(folder, name), size)
        for name in SHARED_FILES:
            Path(folder, name).unlink()
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]


def _reserve(path: Path, size: int) -> None:
    """Create a file whose blocks are all on the disk: a process that writes to a mapped page without one is killed."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def forget_process(pid: int) -> None:
    """Remove a process that has ended from the gauges."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]
