"""Keys as clients meet them."""

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.access.key_file import digest
from tests.app.fakes import GatedDenoiser
from tests.app.pictures import encode, ring
from tests.app.scraping import sample
from tests.app.serving import MakeClient

PICTURE = encode(ring())
SECRET = "denoiser_the-secret-of-the-shop"  # noqa: S105  # of a test
SHOP = {"X-API-Key": SECRET}
OPERATOR = {"Authorization": "Bearer operator"}


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return write_keys(tmp_path / "keys.json")


def write_keys(path: Path, **shop: Any) -> Path:  # noqa: ANN401  # JSON
    keys = [
        {"name": "shop", "sha256": digest(SECRET), **shop},
        {"name": "operator", "sha256": digest("operator"), "scopes": ["metrics", "denoise"]},
    ]
    path.write_text(json.dumps({"keys": keys}))
    return path


@pytest.fixture
def client(make_client: MakeClient, keys_file: Path) -> TestClient:
    return make_client(keys_file=keys_file)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/denoise"), ("POST", "/v1/denoise/batch"), ("GET", "/v1/models"), ("GET", "/models/tiny/1"),
     ("GET", "/metrics"), ("HEAD", "/v1/models"), ("GET", "/v2"), ("GET", "/nowhere")],
)  # fmt: skip
def test_without_a_key_the_answer_is_a_401_that_says_how_to_send_one(
    client: TestClient, method: str, path: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="denoiser"'
    assert response.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        assert response.json()["type"] == "/problems/key-missing"


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/docs", "/openapi.json", "/static/page.js",
                                  "/docs/assets/swagger-ui.css", "/problems/key-missing"])  # fmt: skip
def test_probes_pages_and_the_description_are_open(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("headers", [SHOP, {"Authorization": f"Bearer {SECRET}"}], ids=["X-API-Key", "Bearer"])
@pytest.mark.parametrize("path", ["/v1/denoise", "/v1/denoise/batch"])
def test_a_key_opens_both_ways_to_denoise(client: TestClient, path: str, headers: dict[str, str]) -> None:
    files = {"file" if path == "/v1/denoise" else "files": ("a.png", PICTURE)}
    assert client.post(path, files=files, headers=headers).status_code == 200


def test_an_unknown_key_is_a_401_that_does_not_repeat_it(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=PICTURE, headers={"X-API-Key": SECRET + "x"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="denoiser", error="invalid_token"'
    assert response.json()["type"] == "/problems/key-unknown"
    assert SECRET not in response.text


def test_a_key_without_the_scope_is_a_403(client: TestClient) -> None:
    response = client.get("/metrics", headers=SHOP)
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert response.json()["type"] == "/problems/scope-missing"
    assert "'metrics'" in response.json()["detail"]
    assert client.get("/metrics", headers=OPERATOR).status_code == 200


def test_over_its_rate_a_key_is_refused_and_told_when_to_come_again(make_client: MakeClient, keys_file: Path) -> None:
    client = make_client(keys_file=write_keys(keys_file, rate=0.01, burst=2))
    statuses = [client.post("/v1/denoise", content=PICTURE, headers=SHOP).status_code for _ in range(2)]
    response = client.post("/v1/denoise", content=PICTURE, headers=SHOP)
    assert [*statuses, response.status_code] == [200, 200, 429]
    assert response.json()["type"] == "/problems/rate-exceeded"
    assert 90 <= int(response.headers["retry-after"]) <= 100
    assert client.get("/v1/models", headers=OPERATOR).status_code == 200


def test_a_key_holds_no_more_than_its_share_of_the_places(make_client: MakeClient, keys_file: Path) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, keys_file=keys_file, queue_size=2)
    network.gate.clear()
    network.entered.clear()
    first: list[int] = []
    request: dict[str, Any] = {"content": PICTURE, "headers": SHOP}
    thread = threading.Thread(target=lambda: first.append(client.post("/v1/denoise", **request).status_code))
    thread.start()
    try:
        assert network.entered.wait(10)
        refused = client.post("/v1/denoise", **request)
        batch = client.post("/v1/denoise/batch", files={"files": ("a.png", PICTURE)}, headers=SHOP)
    finally:
        network.gate.set()
        thread.join()
    assert first == [200]
    assert (refused.status_code, batch.status_code) == (429, 429)
    assert refused.json() | {"type": "/problems/share-exceeded", "limit": 1} == refused.json()
    assert int(refused.headers["retry-after"]) >= 1
    assert client.post("/v1/denoise", content=PICTURE, headers=OPERATOR).status_code == 200
    assert client.post("/v1/denoise", **request).status_code == 200


def test_the_keys_name_is_in_the_log_and_in_a_metric_and_its_secret_in_neither(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post("/v1/denoise", content=PICTURE, headers=SHOP)
    client.post("/v1/denoise", content=PICTURE, headers={"Authorization": f"Bearer {SECRET}", "Accept": "a/b"})
    client.get("/metrics", headers=SHOP)
    client.get("/v1/models", headers={"X-API-Key": SECRET[:-1]})
    fields = [record.__dict__["fields"] for record in caplog.records if record.message == "request"]
    assert [(field["key"], field["status"]) for field in fields] == [
        ("shop", 200), ("shop", 406), ("shop", 403), ("", 401)
    ]  # fmt: skip
    metrics = client.get("/metrics", headers=OPERATOR)
    assert 'denoiser_key_requests_total{key="shop",status="200"} 1.0' in metrics.text
    assert 'denoiser_key_requests_total{key="",status="401"} 1.0' in metrics.text
    logged = "".join(str(record.__dict__) for record in caplog.records if record.name.startswith("app"))
    assert SECRET[:-1] not in logged + metrics.text
    assert digest(SECRET) not in logged + metrics.text


def test_without_a_file_of_keys_nothing_needs_one(make_client: MakeClient) -> None:
    client = make_client()
    assert client.post("/v1/denoise", content=PICTURE, headers=SHOP).status_code == 200
    assert sample(client, "denoiser_requests_total", route="/v1/denoise", model="tiny", status="200") == 1
    assert "denoiser_key_requests_total{" not in client.get("/metrics").text


def test_a_page_of_another_origin_may_send_a_key(make_client: MakeClient, keys_file: Path) -> None:
    client = make_client(keys_file=keys_file, cors_origins=("https://a.org",))
    preflight = {"Origin": "https://a.org", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "x-api-key"}  # fmt: skip
    response = client.options("/v1/denoise", headers=preflight)
    assert response.status_code == 200
    assert response.headers["access-control-allow-headers"] == "x-api-key"
    refused = client.post("/v1/denoise", headers={"Origin": "https://a.org"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://a.org"
