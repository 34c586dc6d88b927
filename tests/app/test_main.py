"""The application that create_app builds: probes, limits, CORS, and a start that fails loudly."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.errors import ModelStoreError
from app.main import create_app
from app.processing.admission import Admission
from app.settings import Settings
from tests.app.fakes import BrokenDenoiser, IdentityDenoiser

MakeClient = Callable[..., TestClient]


def test_probes_answer_when_the_models_are_ready(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "live"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_draining_service_is_live_but_not_ready_and_takes_no_pictures(store: Path) -> None:
    settings = Settings(model_store=store, default_model="tiny")
    admission = Admission(slots=settings.queue_size)
    app = create_app(settings, load=lambda _folder: IdentityDenoiser(), admission=admission)
    with TestClient(app) as client:
        admission.is_draining = True
        assert client.get("/livez").status_code == 200
        for response in (client.get("/readyz"), client.post("/v1/denoise", content=b"x")):
            assert response.status_code == 503
            assert response.json()["type"] == "/problems/not-ready"
            assert int(response.headers["retry-after"]) >= 1


def test_a_body_over_the_limit_is_refused_from_its_content_length(make_client: MakeClient) -> None:
    response = make_client(max_upload_bytes=100).post("/v1/denoise", content=b"x" * 101)
    assert response.status_code == 413
    assert response.json()["limit"] == 100
    assert "101" in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["image/png", "multipart/form-data; boundary=limit"])
def test_a_body_over_the_limit_is_refused_while_it_streams(make_client: MakeClient, content_type: str) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(1000):
            taken += 1
            yield b"x" * 1000

    client = make_client(max_upload_bytes=100_000)
    response = client.post("/v1/denoise", content=endless(), headers={"Content-Type": content_type})
    assert response.status_code == 413
    assert response.json()["limit"] == 100_000


def test_a_body_at_the_limit_is_read(make_client: MakeClient) -> None:
    assert make_client(max_upload_bytes=100).post("/v1/denoise", content=b"x" * 100).status_code == 415


def test_pages_of_other_origins_may_call_the_service_only_if_they_are_listed(make_client: MakeClient) -> None:
    origin = {"Origin": "https://example.org"}
    closed, open_ = make_client(), make_client(cors_origins="https://example.org, https://example.com")
    assert "access-control-allow-origin" not in closed.get("/v1/models", headers=origin).headers
    response = open_.get("/v1/models", headers=origin)
    assert response.headers["access-control-allow-origin"] == "https://example.org"
    assert "Server-Timing" in response.headers["access-control-expose-headers"]


def test_a_broken_store_stops_the_start(store: Path) -> None:
    (store / "tiny/2/variables/variables.index").write_bytes(b"changed")
    app = create_app(Settings(model_store=store), load=lambda _folder: IdentityDenoiser())
    with pytest.raises(ModelStoreError, match=r"tiny/2/variables/variables\.index"), TestClient(app):
        pass


def test_a_network_that_fails_its_first_call_stops_the_start(store: Path) -> None:
    app = create_app(Settings(model_store=store, default_model="tiny"), load=lambda _folder: BrokenDenoiser())
    with pytest.raises(ModelStoreError, match="free/1: a call with 1 x 1 x 1 pixels failed: broken"), TestClient(app):
        pass
