"""The Open Inference Protocol as its clients use it."""

import json
import threading

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app import __version__
from app.processing.admission import Admission
from tests.app.fakes import FailingDenoiser, GatedDenoiser, InvertingDenoiser
from tests.app.scraping import sample
from tests.app.serving import MakeClient

DIGITS = np.random.default_rng(0).random((3, 28, 28, 1), dtype=np.float32)
REQUEST = {"inputs": [{"name": "image", "shape": [3, 28, 28, 1], "datatype": "FP32", "data": DIGITS.ravel().tolist()}]}


def test_the_server_describes_itself(client: TestClient) -> None:
    assert client.get("/v2").json() == {
        "name": "denoiser", "version": __version__, "extensions": ["binary_tensor_data"]
    }  # fmt: skip


def test_the_health_routes_say_in_json_whether_the_server_is_up_and_ready(make_client: MakeClient) -> None:
    admission = Admission(slots=1)
    client = make_client(admission=admission)
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/tiny/versions/1/ready").json() == {"name": "tiny", "ready": True}
    admission.is_draining = True
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 503
    assert client.get("/v2/models/tiny/ready").status_code == 503


@pytest.mark.parametrize("path", ["/v2/models/told", "/v2/models/told/versions/1"])
def test_a_model_describes_its_tensors(client: TestClient, path: str) -> None:
    assert client.get(path).json() == {
        "name": "told", "versions": ["1"], "platform": "tensorflow_savedmodel",
        "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, -1, -1, 1]},
                   {"name": "noise_level", "datatype": "FP32", "shape": [-1]}],
        "outputs": [{"name": "denoised", "datatype": "FP32", "shape": [-1, -1, -1, 1]}],
    }  # fmt: skip


def test_a_model_of_one_size_says_so(client: TestClient) -> None:
    description = client.get("/v2/models/tiny").json()
    assert description["versions"] == ["1", "2"]
    assert description["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 28, 28, 1]}]


@pytest.mark.parametrize(("path", "version"), [("", "2"), ("/versions/1", "1")])
def test_a_tensor_in_json_is_denoised(make_client: MakeClient, path: str, version: str) -> None:
    client = make_client(InvertingDenoiser())
    response = client.post(f"/v2/models/tiny{path}/infer", json=REQUEST | {"id": "mine"})
    assert response.status_code == 200
    answer = response.json()
    (output,) = answer.pop("outputs")
    assert answer == {"id": "mine", "model_name": "tiny", "model_version": version}
    np.testing.assert_array_equal(np.array(output["data"], np.float32).reshape(output["shape"]), 1 - DIGITS)
    assert "infer;dur=" in response.headers["server-timing"]


def test_a_binary_tensor_is_denoised(make_client: MakeClient) -> None:
    client = make_client(InvertingDenoiser())
    image = np.random.default_rng(0).random((1, 200, 300, 1), dtype=np.float32)
    head = json.dumps({
        "inputs": [
            {"name": "image", "shape": [1, 200, 300, 1], "datatype": "FP32",
             "parameters": {"binary_data_size": image.nbytes}},
            {"name": "noise_level", "shape": [1], "datatype": "FP32", "data": [0.1]},
        ],
        "parameters": {"binary_data_output": True},
    }).encode()  # fmt: skip
    headers = {"Inference-Header-Content-Length": str(len(head))}
    response = client.post("/v2/models/told/infer", content=head + image.tobytes(), headers=headers)
    assert response.status_code == 200
    length = int(response.headers["inference-header-content-length"])
    denoised = np.frombuffer(response.content[length:], "<f4").reshape(image.shape)
    np.testing.assert_array_equal(denoised, 1 - image)


def test_tensors_are_counted_and_logged_like_pictures(client: TestClient) -> None:
    client.post("/v2/models/tiny/infer", json=REQUEST)
    labels = {"route": "/v2/models/{name}/infer", "model": "tiny", "status": "200"}
    assert sample(client, "denoiser_requests_total", **labels) == 1
    assert sample(client, "denoiser_batch_size_sum", model="tiny") == 3
    assert sample(client, "denoiser_stage_seconds_count", stage="infer") == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("POST", "/v2/models/huge/infer", 404, "'huge'"),
        ("POST", "/v2/models/tiny/versions/7/infer", 404, "version 7"),
        ("GET", "/v2/models/huge/ready", 404, "'huge'"),
        ("GET", "/v2/models/huge", 404, "'huge'"),
        ("GET", "/v2/models/tiny/versions/x", 422, "version"),
        ("POST", "/v2/models/tiny/infer", 400, "Invalid JSON"),
        ("GET", "/v2/nowhere", 404, "/v2/nowhere"),
        ("GET", "/v2/models/tiny/infer", 405, "GET"),
    ],
)
def test_a_problem_has_its_text_as_error_too(
    client: TestClient, method: str, path: str, status: int, text: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert text in problem["error"]
    assert problem["error"] == problem["detail"]


def test_elsewhere_a_problem_has_no_error(client: TestClient) -> None:
    assert "error" not in client.get("/v1/models/huge").json()


def test_a_network_that_fails_is_a_500_without_the_cause(make_client: MakeClient) -> None:
    client = make_client(FailingDenoiser())
    white = REQUEST | {"inputs": [REQUEST["inputs"][0] | {"data": [1] * DIGITS.size}]}
    response = client.post("/v2/models/tiny/infer", json=white)
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["error"]


def test_tensors_take_places_like_pictures(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, admission=Admission(slots=1, patience_s=0))
    network.gate.clear()
    network.entered.clear()
    first: list[int] = []
    thread = threading.Thread(
        target=lambda: first.append(client.post("/v2/models/tiny/infer", json=REQUEST).status_code)
    )
    thread.start()
    try:
        assert network.entered.wait(10)
        assert client.post("/v2/models/tiny/infer", json=REQUEST).status_code == 429
        assert client.post("/v1/denoise", content=b"x").status_code == 429
    finally:
        network.gate.set()
        thread.join()
    assert first == [200]


def test_tensors_hold_pixels_and_bytes_like_pictures(make_client: MakeClient) -> None:
    few_bytes = make_client(max_upload_bytes=1000)
    assert few_bytes.post("/v2/models/tiny/infer", json=REQUEST).status_code == 413
    few_pixels = make_client(max_pixels=1000)
    assert few_pixels.post("/v2/models/tiny/infer", json=REQUEST).json()["type"] == "/problems/image-too-large"


def test_a_tensor_past_its_deadline_is_a_503(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, request_timeout_s=0.05)
    network.gate.clear()
    response = client.post("/v2/models/tiny/infer", json=REQUEST)
    network.gate.set()
    assert response.json()["type"] == "/problems/deadline-exceeded"
