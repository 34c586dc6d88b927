"""The service as a process: real signals and sockets; fake networks where it is about signals, sockets and workers."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image

from app.access.key_file import Key, create_secret, digest, editing
from app.settings import MODEL_STORE
from tests.app.processes import FAKE, RunningService, command, running_service, starting_service

LIMIT = 1_000_000
EXIT_TIMEOUT_S = 30


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with running_service(default_model="article", max_upload_bytes=LIMIT) as running:
        yield running


@pytest.fixture
def fakes(store: Path) -> dict[str, Any]:
    """Options of a service that starts in a moment, because its networks are fakes."""
    return {"module": FAKE, "model_store": store, "default_model": "tiny"}


def ring_png(sigma: float) -> bytes:
    """Return a light ring on black, 28 x 28, with clipped Gaussian noise."""
    y, x = np.mgrid[0:28, 0:28] / 28 - 0.5
    ring = np.clip(2 - np.abs(np.hypot(x, y * 0.8) - 0.22) * 28, 0, 1)
    noisy = np.clip(ring + np.random.default_rng(0).normal(0, sigma, ring.shape), 0, 1)
    buffer = BytesIO()
    Image.fromarray(np.rint(noisy * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def distance(first: bytes, second: bytes) -> float:
    pixels = [np.asarray(Image.open(BytesIO(content)), np.float64) / 255 for content in (first, second)]
    return float(np.square(pixels[0] - pixels[1]).mean())


def test_a_denoised_digit_is_much_closer_to_the_clean_one(service: RunningService) -> None:
    clean, noisy = ring_png(0), ring_png(0.4)
    response = httpx.post(f"{service.url}/v1/denoise", content=noisy)
    assert response.status_code == 200
    assert distance(response.content, clean) < distance(noisy, clean) / 2


def test_health_reports_whether_the_service_is_ready(service: RunningService) -> None:
    assert command("health", port=service.port).returncode == 0


def test_head_is_answered_as_get_without_the_body(service: RunningService) -> None:
    with httpx.Client(base_url=service.url) as client:
        for path, status in [
            ("/", 200),
            ("/readyz", 200),
            ("/v1/models", 200),
            ("/static/page.js", 200),
            ("/no", 404),
            ("/v1/denoise", 405),
        ]:
            head, get = client.head(path), client.get(path)
            assert (head.status_code, get.status_code) == (status, status)
            assert (head.headers["content-length"], head.content) == (get.headers["content-length"], b"")


def test_head_is_counted_under_its_route(service: RunningService) -> None:
    before = count_requests(service, route="/problems/{slug}", status=200)
    assert httpx.head(f"{service.url}/problems/queue-full").status_code == 200
    assert count_requests(service, route="/problems/{slug}", status=200) == before + 1


def count_requests(service: RunningService, *, route: str, status: int) -> float:
    labels = re.escape(f'{{model="",route="{route}",status="{status}"}} ')
    counted = re.search(f"{labels}(.+)", httpx.get(f"{service.url}/metrics").text)
    return float(counted[1]) if counted else 0


def exchange(service: RunningService, *parts: bytes) -> bytes:
    """Send all parts, then read until the response is complete or the connection ends."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        response = b""
        while not response.endswith(b"}") and (chunk := connection.recv(65536)):
            response += chunk
        return response


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.1 close", "HTTP/1.0"])
@pytest.mark.parametrize("framing", [f"Content-Length: {3 * LIMIT}", "Transfer-Encoding: chunked"])
def test_a_client_that_sends_too_much_can_read_why(service: RunningService, framing: str, version: str) -> None:
    chunk = b"x" * 100_000
    if "chunked" in framing:
        chunk = f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
    number, _, close = version.partition(" ")
    head = f"POST /v1/denoise {number}\r\nHost: localhost\r\nConnection: {close or 'keep-alive'}\r\n{framing}\r\n\r\n"
    response = exchange(service, head.encode(), *[chunk] * 30, b"0\r\n\r\n" if "chunked" in framing else b"")
    assert response.startswith(b"HTTP/1.1 413 ")
    assert str(LIMIT).encode() in response


@pytest.mark.parametrize("target", ["/nowhere", "/v1/denoise?model=unknown"])
def test_a_client_that_still_sends_its_body_can_read_an_early_response(service: RunningService, target: str) -> None:
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 900000\r\n\r\n"
    response = exchange(service, head.encode(), *[b"x" * 90_000] * 10)
    assert response.startswith(b"HTTP/1.1 404 ")
    assert response.endswith(b"}")


def test_a_client_that_asks_first_is_refused_before_it_sends(service: RunningService) -> None:
    head = (
        f"POST /v1/denoise HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {LIMIT + 1}\r\n\r\n"
    )
    assert exchange(service, head.encode()).startswith(b"HTTP/1.1 413 ")


def test_an_offer_of_http_2_is_ignored(service: RunningService) -> None:
    body = ring_png(0.4)
    head = "POST /v1/denoise HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Length: {}\r\n"
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n"
    response = exchange(service, (head.format(len(body)) + offer).encode() + body)
    assert response.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /v1/denoise HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n", b"431"),
    ],
    ids=["no HTTP", "bad length", "long header"],
)
def test_a_malformed_request_is_answered_with_a_problem(
    service: RunningService, request_bytes: bytes, status: bytes
) -> None:
    response = exchange(service, request_bytes)
    assert response.startswith(b"HTTP/1.1 " + status)
    assert b"application/problem+json" in response


def test_what_the_server_refuses_is_counted_and_logged(service: RunningService) -> None:
    before = count_requests(service, route="none", status=400)
    exchange(service, b"GET /livez?secret HTTP/1.1\r\n\r\n")
    assert count_requests(service, route="none", status=400) == before + 1
    refused = next(line for line in list(service.log) if "refused" in line and "/livez" in line)
    assert "bad-request" in refused
    assert "secret" not in refused


def test_a_client_that_leaves_during_its_upload_causes_no_server_error(service: RunningService) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(b"POST /v1/denoise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
    counted = 'denoiser_dropped_total{cause="client-gone"} 1.0'
    metrics = ""
    for _ in range(200):
        if counted in (metrics := httpx.get(f"{service.url}/metrics").text):
            break
    assert counted in metrics
    assert 'status="500"' not in metrics


def test_sigterm_turns_readyz_503_and_ends_with_0_after_the_grace_period(fakes: dict[str, Any]) -> None:
    with running_service(**fakes, drain_grace_s=2) as service, httpx.Client() as client:
        assert client.get(f"{service.url}/readyz").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        while (response := client.get(f"{service.url}/readyz")).status_code == 200:
            assert "connection" not in response.headers
        assert (response.status_code, response.headers["connection"]) == (503, "close")
        refusal = client.post(f"{service.url}/v1/denoise", content=b"any")
        assert (refusal.status_code, refusal.headers["connection"]) == (503, "close")
        assert service.process.wait(30) == 0


def test_a_second_signal_does_not_wait_for_the_grace_period(fakes: dict[str, Any]) -> None:
    with running_service(**fakes, drain_grace_s=600) as service:
        service.process.send_signal(signal.SIGTERM)
        with httpx.Client() as client:
            while client.get(f"{service.url}/readyz").status_code == 200:
                pass
        assert service.stop(signal.SIGTERM) == 0


def test_workers_share_port_and_counters_and_stop_together_without_grace_on_ctrl_c(fakes: dict[str, Any]) -> None:
    with running_service(**fakes, workers=2, drain_grace_s=600) as service:
        for _ in range(20):  # new connections: both workers get some
            assert httpx.post(f"{service.url}/v1/denoise", content=ring_png(0.4)).status_code == 200
        metrics = httpx.get(f"{service.url}/metrics").text
        assert 'denoiser_requests_total{model="tiny",route="/v1/denoise",status="200"} 20.0' in metrics
        assert service.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_one_changed_byte_in_a_network_stops_the_start_and_names_the_file(tmp_path: Path, workers: str) -> None:
    shutil.copytree(MODEL_STORE / "article", tmp_path / "article")
    damaged = tmp_path / "article/1/variables/variables.data-00000-of-00001"
    content = bytearray(damaged.read_bytes())
    content[100] ^= 1
    damaged.write_bytes(content)
    ended = command("serve", "--workers", workers, model_store=tmp_path)
    assert ended.returncode == 1
    assert str(damaged) in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_a_short_error_before_anything_is_loaded(service: RunningService, workers: str) -> None:
    ended = command("serve", "--workers", workers, model_store="/nowhere", port=service.port)
    assert ended.returncode == 1
    assert "address already in use" in ended.stderr
    assert "--port" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def end_during_start(process: subprocess.Popen[str]) -> str:
    """Send SIGTERM once a model is loaded, and return what is logged from then on."""
    assert process.stderr is not None
    while "model ready" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    rest = process.stderr.read()
    assert process.wait(EXIT_TIMEOUT_S) == 0
    return rest


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_ends_a_start_that_takes_for_ever(store: Path, fakes: dict[str, Any], workers: int) -> None:
    (store / "tiny/1/endless").touch()  # the last but one
    with starting_service(**fakes, workers=workers) as process:
        rest = end_during_start(process)
    assert "Traceback" not in rest
    assert "ready: " not in rest


def test_sigterm_ends_a_start_quietly_while_tensorflow_loads_networks() -> None:
    with starting_service(workers=2) as process:
        assert "Traceback" not in end_during_start(process)


def test_ctrl_c_ends_the_start_quietly_while_workers_import(fakes: dict[str, Any]) -> None:
    with starting_service(**fakes, workers=2) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while sum(b"spawn_main" in command_line(pid) for pid in children.read_text().split()) < 2:
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(EXIT_TIMEOUT_S) == 0


def command_line(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_workers_end_with_a_parent_that_is_killed_and_leave_the_port_to_the_next_start(fakes: dict[str, Any]) -> None:
    with running_service(**fakes, workers=2) as service:
        assert len(service.child_processes()) >= 2
        service.process.kill()
        assert service.has_ended.wait(EXIT_TIMEOUT_S)  # nothing is left that could write to the log
        with running_service(**fakes, port=service.port) as next_service:
            assert httpx.get(f"{next_service.url}/readyz").status_code == 200


def test_a_worker_that_is_killed_is_replaced_and_the_other_answers_meanwhile(fakes: dict[str, Any]) -> None:
    with running_service(**fakes, workers=2) as service:
        worker = next(
            pid for pid in service.child_processes() if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(worker, signal.SIGKILL)
        while sum("ready: " in line for line in list(service.log)) < 3:
            assert httpx.get(f"{service.url}/livez").status_code == 200
        assert any(f"worker {worker} ended with exit code -9, starting another" in line for line in service.log)
        assert service.stop(signal.SIGTERM) == 0


def ask_for_ever(service: RunningService) -> None:
    while True:
        with socket.create_connection(("127.0.0.1", service.port), timeout=2) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            connection.recv(1000)


def test_after_the_grace_period_no_connection_waits_while_a_request_is_still_in_work(fakes: dict[str, Any]) -> None:
    picture = ring_png(0.4)
    head = f"POST /v1/denoise HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(picture)}\r\n\r\n".encode()
    with (
        running_service(**fakes, workers=2, drain_grace_s=0.5) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=EXIT_TIMEOUT_S) as in_work,
    ):
        in_work.sendall(head + picture[:100])
        while "denoiser_in_work 1.0" not in httpx.get(f"{service.url}/metrics").text:
            pass
        service.process.send_signal(signal.SIGTERM)
        with pytest.raises((ConnectionRefusedError, ConnectionResetError)):  # the latter by the last process to close
            ask_for_ever(service)
        in_work.sendall(picture[100:])
        assert in_work.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert service.process.wait(EXIT_TIMEOUT_S) == 0


@pytest.mark.parametrize("path", ["/livez", "/v1/models", "/docs", "/static/page.js", "/no", "/v1/denoise"])
def test_no_answer_is_taken_for_another_type_than_it_says(service: RunningService, path: str) -> None:
    assert httpx.get(f"{service.url}{path}").headers.get_list("x-content-type-options") == ["nosniff"]


def test_a_refusal_is_not_taken_for_another_type_either(service: RunningService) -> None:
    assert b"\r\nX-Content-Type-Options: nosniff\r\n".lower() in exchange(service, b"nonsense\r\n\r\n").lower()


def test_trailers_without_end_end_the_connection(service: RunningService) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(b"X-Trailer: a\r\n" * 1_000_000)


def test_an_idle_connection_is_closed(fakes: dict[str, Any]) -> None:
    with (
        running_service(**fakes, keep_alive_s=1) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection,
    ):
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        while connection.recv(1000):
            pass


def test_probes_are_answered_while_silent_clients_hold_every_connection_of_few(fakes: dict[str, Any]) -> None:
    with ExitStack() as stack:
        service = stack.enter_context(running_service(**fakes, max_files=64))
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", service.port))) for _ in range(200)]
        for path in ("/livez", "/readyz"):
            assert httpx.get(f"{service.url}{path}").status_code == 200
        refusal = httpx.get(f"{service.url}/v1/models")
        assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "1")
        assert refusal.json()["type"] == "/problems/too-many-connections"
        for connection in silent:
            connection.close()
        while httpx.get(f"{service.url}/v1/models").status_code == 503:
            pass
        assert httpx.post(f"{service.url}/v1/denoise", content=ring_png(0.4)).status_code == 200


def test_keys_rotate_under_load_in_every_worker_and_are_in_no_log(fakes: dict[str, Any], tmp_path: Path) -> None:
    path, picture = tmp_path / "keys.json", ring_png(0)
    old, new = create_secret(), create_secret()
    first, second = (Key(name="shop", sha256=digest(secret)) for secret in (old, new))
    with editing(path) as keys:
        keys.append(first)
    with running_service(workers=2, keys_file=path, drain_grace_s=0, **fakes) as running:

        def call(secret: str) -> int:  # on a connection of its own, so that either worker may answer
            with closing(HTTPConnection("127.0.0.1", running.port, timeout=20)) as connection:
                connection.request("POST", "/v1/denoise", picture, {"X-API-Key": secret})
                return connection.getresponse().status

        def call_until_both_read(valid: str, *, reads: int) -> None:
            end = time.monotonic() + 30
            while sum("keys read" in line for line in running.log) < reads:
                assert call(valid) == 200
                assert time.monotonic() < end

        assert call("another") == 401
        with editing(path) as keys:
            keys.append(second)
        call_until_both_read(old, reads=2)
        assert {call(new) for _ in range(20)} == {200}
        with editing(path) as keys:
            keys.remove(first)
        call_until_both_read(new, reads=4)
        assert {call(old) for _ in range(20)} == {401}
        assert running.stop(signal.SIGTERM) == 0
        assert running.has_ended.wait(EXIT_TIMEOUT_S)
    log = "".join(running.log)
    assert "key=shop" in log
    assert not any(secret in log for secret in (old, new))


def test_metrics_can_have_a_port_of_their_own_that_all_workers_share(fakes: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics_port = free.getsockname()[1]
    with running_service(workers=2, metrics_port=metrics_port, drain_grace_s=0, **fakes) as running:
        for _ in range(3):
            assert httpx.post(f"{running.url}/v1/denoise", content=ring_png(0)).status_code == 200
        assert httpx.get(f"{running.url}/metrics").status_code == 404
        assert httpx.get(f"http://127.0.0.1:{metrics_port}/v1/models").status_code == 404
        metrics = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text
        assert 'denoiser_requests_total{model="tiny",route="/v1/denoise",status="200"} 3.0' in metrics
        refused = command("serve", port=0, metrics_port=metrics_port)
        assert refused.returncode == 1
        assert f"port {metrics_port}: address already in use. Choose another port with DENOISER_M" in refused.stderr
