"""GET /metrics."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.telemetry.metrics import SHARED_FILES, SHARED_FOLDER, Metrics, shared_between_processes
from tests.app.fakes import GatedDenoiser
from tests.app.pictures import encode
from tests.app.processes import REPOSITORY
from tests.app.scraping import sample
from tests.app.serving import MakeClient

PICTURE = encode(np.zeros((28, 28), np.uint8))


def test_requests_are_counted_by_route_model_and_status(client: TestClient) -> None:
    for _ in range(2):
        client.post("/v1/denoise", content=PICTURE)
    client.post("/v1/denoise")
    client.get("/v1/models/tiny")
    client.get("/no/such/page")
    counted = {"route": "/v1/denoise", "model": "tiny", "status": "200"}
    assert sample(client, "denoiser_requests_total", **counted) == 2
    assert sample(client, "denoiser_requests_total", route="/v1/denoise", model="", status="400") == 1
    assert sample(client, "denoiser_requests_total", route="/v1/models/{name}", model="", status="200") == 1
    assert sample(client, "denoiser_requests_total", route="none", model="", status="404") == 1


def test_every_stage_and_the_batch_size_are_measured(client: TestClient) -> None:
    client.post("/v1/denoise", content=PICTURE)
    for stage in ("read", "decode", "queue", "infer", "encode", "total"):
        assert sample(client, "denoiser_stage_seconds_count", stage=stage) == 1
    assert sample(client, "denoiser_batch_size_sum", model="tiny") == 1


def test_every_loaded_version_is_listed(client: TestClient) -> None:
    for name, version in (("tiny", "1"), ("tiny", "2"), ("free", "1")):
        assert sample(client, "denoiser_model_info", model=name, version=version) == 1


def test_a_picture_past_its_deadline_is_counted_as_dropped(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, request_timeout_s=0.05)
    network.gate.clear()
    client.post("/v1/denoise", content=PICTURE)
    network.gate.set()
    assert sample(client, "denoiser_dropped_total", cause="deadline-exceeded") == 1
    assert sample(client, "denoiser_in_work") == 0


def test_each_metric_has_a_shared_file_with_its_room_reserved_so_that_a_full_disk_stops_no_process() -> None:
    with shared_between_processes(2):
        folder = Path(os.environ[SHARED_FOLDER])
        assert list(folder.iterdir()) == []
        Metrics()
        files = list(folder.iterdir())
        assert {path.name: path.stat().st_blocks * 512 for path in files} == {
            f"{name}_{os.getpid()}.db": size for name, size in SHARED_FILES.items()
        }


def test_a_process_creates_no_file_beside_the_reserved_ones() -> None:
    script = "from tests.app.telemetry.test_metrics import use_every_metric; use_every_metric()"
    with shared_between_processes(1):
        folder = Path(os.environ[SHARED_FOLDER])
        subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True)
        assert sorted(path.name.rpartition("_")[0] for path in folder.iterdir()) == sorted(SHARED_FILES)
        assert all(path.stat().st_size == SHARED_FILES[path.name.rpartition("_")[0]] for path in folder.iterdir())
        assert all(name in Metrics().render().decode() for name in ("denoiser_model_info", "denoiser_requests_total"))


def test_a_process_without_room_for_its_files_leaves_none_that_others_would_stumble_over() -> None:
    with shared_between_processes(1):
        with limited_file_size(SHARED_FILES["counter"] - 1), pytest.raises(OSError, match="File too large"):
            Metrics()
        assert list(Path(os.environ[SHARED_FOLDER]).iterdir()) == []
        assert Metrics().render() == b""


def test_without_room_for_all_processes_sharing_is_an_error() -> None:
    with limited_file_size(sum(SHARED_FILES.values())):
        with shared_between_processes(1):
            pass
        with pytest.raises(OSError, match="File too large"), shared_between_processes(2):
            pass


def test_without_a_temporary_folder_sharing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/self")  # no file can be created there
    with pytest.raises(OSError, match="/proc/self"), shared_between_processes(1):
        pass


def use_every_metric() -> None:
    """Give each metric a value; runs in a process of its own, which shares them from its start."""
    metrics = Metrics()
    metrics.set_model("tiny", 1)
    metrics.count_store_change("installed")
    metrics.observe_problem("client-gone")
    with metrics.in_work():
        record = {"model": "tiny", "status": 200, "key": "shop", "batch_size": 1, "timing_ms": {"total": 1.0}}
        metrics.observe("/v1/denoise", record)


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let this process write no file of more bytes, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
