"""What the application overrides of FastAPI."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.testclient import TestClient
from starlette.types import ASGIApp

from app.main import create_app
from app.settings import Settings
from app.telemetry.request_log import RequestTelemetry
from tests.app.fakes import IdentityDenoiser


def made(store: Path, **settings: object) -> FastAPI:
    chosen = Settings(**{"model_store": store, "default_model": "tiny"} | settings)  # type: ignore[arg-type]
    return create_app(chosen, load=lambda _folder: IdentityDenoiser())


def layers(outermost: ASGIApp) -> list[str]:
    """Name the layers of an application, the outermost first."""
    names = []
    layer: Any = outermost
    while layer is not None:
        names.append(type(layer).__name__)
        layer = getattr(layer, "app", None) or getattr(layer, "_app", None)
    return names


def test_the_outermost_layer_is_ours(store: Path) -> None:
    assert type(made(store).build_middleware_stack()) is RequestTelemetry
    assert type(made(store, cors_origins="*").build_middleware_stack()) is CORSMiddleware


def test_only_layers_outside_ours_are_left_out(store: Path) -> None:
    app = made(store)
    ours = layers(app.build_middleware_stack())
    complete = layers(FastAPI.build_middleware_stack(app))
    assert len(ours) < len(complete)
    assert ours == complete[-len(ours) :]


def test_an_exception_that_nothing_catches_is_a_problem_without_its_text(
    store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = made(store)

    @app.get("/fail")
    async def fail() -> None:
        msg = "a secret"
        raise RuntimeError(msg)

    with TestClient(app) as client:  # which would raise what leaves the application
        response = client.get("/fail")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/internal-error"
    assert "secret" not in response.text
    assert "a secret" in caplog.text


def test_the_api_is_described_once(store: Path) -> None:
    app = made(store)
    assert app.openapi() is app.openapi()
    with TestClient(app) as client:
        first, second = client.get("/openapi.json"), client.get("/openapi.json")
    assert first.json() == second.json() == app.openapi()
