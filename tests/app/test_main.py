"""The application that create_app builds: CORS, and a start that fails loudly."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.errors import ModelStoreError
from app.main import create_app
from app.settings import Settings
from tests.app.fakes import BrokenDenoiser, IdentityDenoiser
from tests.app.serving import MakeClient


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
