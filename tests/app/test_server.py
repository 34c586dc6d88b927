"""The service as a process: real signals, real sockets, the networks of this repository."""

import shutil
import signal
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image

from app.settings import MODEL_STORE
from tests.app.processes import RunningService, command, running_service

LIMIT = 1_000_000


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with running_service(default_model="article", max_upload_bytes=LIMIT) as running:
        yield running


def ring_png(sigma: float) -> bytes:
    """A light ring on black, 28 x 28, with clipped Gaussian noise."""
    y, x = np.mgrid[0:28, 0:28] / 28 - 0.5
    ring = np.clip(2 - np.abs(np.hypot(x, y * 0.8) - 0.22) * 28, 0, 1)
    noisy = np.clip(ring + np.random.default_rng(0).normal(0, sigma, ring.shape), 0, 1)
    buffer = BytesIO()
    Image.fromarray(np.rint(noisy * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def distance(first: bytes, second: bytes) -> float:
    pixels = [np.asarray(Image.open(BytesIO(content)), np.float64) / 255 for content in (first, second)]
    return float(np.square(pixels[0] - pixels[1]).mean())


def test_a_noisy_digit_comes_back_much_closer_to_the_clean_one(service: RunningService) -> None:
    clean, noisy = ring_png(0), ring_png(0.4)
    answer = httpx.post(f"{service.url}/v1/denoise", content=noisy)
    assert answer.status_code == 200
    assert distance(answer.content, clean) < distance(noisy, clean) / 2


def test_health_tells_whether_the_service_is_ready(service: RunningService) -> None:
    assert command("health", port=service.port).returncode == 0


@pytest.mark.parametrize("framing", [f"Content-Length: {3 * LIMIT}", "Transfer-Encoding: chunked"])
def test_a_client_that_sends_too_much_can_read_why(service: RunningService, framing: str) -> None:
    chunk = b"x" * 100_000
    if "chunked" in framing:
        chunk = f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(f"POST /v1/denoise HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())
        for _ in range(30):
            connection.sendall(chunk)
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert str(LIMIT).encode() in answer


def test_a_client_that_asks_first_is_refused_before_it_sends(service: RunningService) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/denoise HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            + f"Content-Length: {LIMIT + 1}\r\n\r\n".encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_sigterm_turns_readyz_503_and_ends_with_0_after_the_grace_period() -> None:
    with running_service(default_model="article", drain_grace_s=2) as service, httpx.Client() as client:
        assert client.get(f"{service.url}/readyz").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        while (status := client.get(f"{service.url}/readyz").status_code) == 200:
            pass
        assert status == 503
        assert service.process.wait(30) == 0


def test_a_second_signal_does_not_wait_for_the_grace_period() -> None:
    with running_service(default_model="article", drain_grace_s=600) as service:
        service.process.send_signal(signal.SIGTERM)
        with httpx.Client() as client:
            while client.get(f"{service.url}/readyz").status_code == 200:
                pass
        assert service.stop(signal.SIGTERM) == 0


def test_workers_share_port_and_counters_and_stop_together_without_grace_on_ctrl_c() -> None:
    with running_service(workers=2, default_model="article", drain_grace_s=600) as service:
        for _ in range(20):  # new connections: both workers get some
            assert httpx.post(f"{service.url}/v1/denoise", content=ring_png(0.4)).status_code == 200
        metrics = httpx.get(f"{service.url}/metrics").text
        assert 'denoiser_requests_total{model="article",route="/v1/denoise",status="200"} 20.0' in metrics
        assert service.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_one_changed_byte_in_a_network_stops_the_start_with_the_files_name(tmp_path: Path, workers: str) -> None:
    shutil.copytree(MODEL_STORE / "article", tmp_path / "article")
    damaged = tmp_path / "article/1/variables/variables.data-00000-of-00001"
    content = bytearray(damaged.read_bytes())
    content[100] ^= 1
    damaged.write_bytes(content)
    ended = command("serve", "--workers", workers, model_store=tmp_path)
    assert ended.returncode == 1
    assert str(damaged) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_a_short_error(service: RunningService) -> None:
    ended = command("serve", default_model="article", port=service.port)
    assert ended.returncode != 0
    assert "address already in use" in ended.stderr
