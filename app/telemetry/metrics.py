"""The metrics that Prometheus scrapes, for all processes: requests, stage times, shared calls, dropped work."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, exposition
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name
MEDIA_TYPE = exposition.CONTENT_TYPE_LATEST

STAGE_BUCKETS_S = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
# Of a process, as prometheus_client names them; all routes, models, stages and hundreds of keys need fewer bytes
SHARED_FILES = {"counter": 2**20, "histogram": 2**17, "gauge_livesum": 2**17, "gauge_livemax": 2**17}
DROPPED = ("client-gone", "deadline-exceeded")  # problems of requests that were accepted but got no result
GaugeMode = Literal["livesum", "livemax"]
STORE_CHANGES = ("installed", "removed", "refused")


class Metrics:
    """The metrics of one application, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter(
            "denoiser_requests",
            "Requests by route, model (empty if none was reached) and HTTP status.",
            ["route", "model", "status"],
        )
        self._key_requests = self._counter(
            "denoiser_key_requests",
            "Requests that need a key, by its name (empty if it was missing or unknown) and HTTP status.",
            ["key", "status"],
        )
        self._stages = self._histogram(
            "denoiser_stage_seconds",
            "Seconds that a picture spent in each stage; `queue` is the wait for the network.",
            ["stage"],
            buckets=STAGE_BUCKETS_S,
        )
        self._batches = self._histogram(
            "denoiser_batch_size",
            "How many pictures shared the network's call, counted once a picture.",
            ["model"],
            buckets=BATCH_BUCKETS,
        )
        self._dropped = self._counter(
            "denoiser_dropped",
            "Requests, and pictures of a batch, that were accepted but got no result, by cause.",
            ["cause"],
        )
        self._in_work = self._gauge(
            "denoiser_in_work",
            "Requests that hold a slot, from before their body is read until their response.",
            mode="livesum",
        )
        self._models = self._gauge(
            "denoiser_model_info",
            "1 for each version of each model that is loaded, 0 for one that was.",
            ["model", "version"],
            mode="livemax",
        )
        self._store_changes = self._counter(
            "denoiser_store_changes",
            "Versions that were installed, removed, or refused because they are broken, while the service ran.",
            ["change"],
        )
        for change in STORE_CHANGES:
            self._store_changes.labels(change)
        # prometheus_client checks and converts labels on every call, which takes as long as counting
        self._request_counter = cache(self._requests.labels)
        self._key_request_counter = cache(self._key_requests.labels)
        self._stage_histogram = cache(self._stages.labels)
        self._batch_histogram = cache(self._batches.labels)

    def _counter(self, name: str, meaning: str, labels: Sequence[str]) -> Counter:
        _reserve_shared_file("counter")
        return Counter(name, meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, labels: Sequence[str] = (), *, mode: GaugeMode) -> Gauge:
        """Create a gauge; ``mode`` says how the values of several processes become one."""
        _reserve_shared_file(f"gauge_{mode}")
        return Gauge(name, meaning, labels, registry=self._registry, multiprocess_mode=mode)

    def _histogram(self, name: str, meaning: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
        _reserve_shared_file("histogram")
        return Histogram(name, meaning, labels, buckets=buckets, registry=self._registry)

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
def shared_between_processes(count: int) -> Iterator[None]:
    """Let ``count`` processes, started in a ``with`` block, share metrics through files in a temporary folder.

    Raises:
        OSError: there is no room for the files of so many.
    """
    with tempfile.TemporaryDirectory(prefix="denoiser-metrics-") as folder:
        room = Path(folder, "room")
        _reserve(room, count * sum(SHARED_FILES.values()))
        room.unlink()
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]


def _reserve_shared_file(name: str) -> None:
    """Create this process's file of SHARED_FILES, if processes share metrics and it has none yet.

    prometheus_client would create it without blocks. It takes every ``.db`` for complete, so one is renamed to that.
    """
    size = SHARED_FILES[name]
    path = Path(os.environ.get(SHARED_FOLDER, ""), f"{name}_{os.getpid()}.db")
    if SHARED_FOLDER in os.environ and not path.exists():
        _reserve(path.with_suffix(".new"), size)
        path.with_suffix(".new").rename(path)


def _reserve(path: Path, size: int) -> None:
    """Create a file whose blocks are all on the disk: a process that writes to a mapped page without one is killed."""
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            path.unlink()
            raise


def forget_process(pid: int) -> None:
    """Remove a process that has ended from the gauges."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]
