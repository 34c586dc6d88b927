"""The direct way to an endpoint, compared with FastAPI's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.types import Message, Receive, Scope, Send

from app.main import create_app
from app.settings import Settings
from app.web.middleware.direct_route import DirectRoute, DirectRoutes
from tests.app.fakes import InProcessDecoder, load_fake, write_store
from tests.app.pictures import encode, ring

PICTURE = encode(ring())
OWN = ("x-request-id", "server-timing")  # what differs between any two responses


def make_app(store: Path) -> FastAPI:
    settings = Settings(model_store=store, default_model="tiny")
    return create_app(settings, load=load_fake, decoders=InProcessDecoder(settings.max_pixels))


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, TestClient]]:
    """Clients of two applications: as it is, and with FastAPI's own way."""
    store = write_store(tmp_path_factory.mktemp("store"))
    other = make_app(store)
    take_fastapis_way(other)
    with (
        TestClient(make_app(store), raise_server_exceptions=False) as direct,
        TestClient(other, raise_server_exceptions=False) as own,
    ):
        yield direct, own


def take_fastapis_way(app: FastAPI) -> None:
    """Let FastAPI run the endpoints that otherwise are called directly."""
    direct: object = DirectRoutes
    app.user_middleware[:] = [layer for layer in app.user_middleware if layer.cls != direct]
    app.router.routes[:] = [
        APIRoute(route.path, route.endpoint, methods=route.methods, response_class=route.response_class)
        if isinstance(route, DirectRoute)
        else route
        for route in app.router.routes
    ]
    app.middleware_stack = None  # the next request builds it anew


def comparable(response: Response) -> tuple[int, list[tuple[str, str]], object]:
    """Return status, headers and body, without times and ids."""
    headers = sorted((name, value) for name, value in response.headers.items() if name not in OWN)
    if response.headers["content-type"] != "application/json":
        return response.status_code, headers, response.content
    body = response.json()
    body["timing_ms"] = list(body["timing_ms"])
    return response.status_code, [header for header in headers if header[0] != "content-length"], body


@pytest.mark.parametrize(
    ("method", "address", "request_", "status"),
    [
        pytest.param("POST", "", {"content": PICTURE}, 200, id="picture"),
        pytest.param("POST", "", {"files": {"file": ("é.jpg", PICTURE)}}, 200, id="form"),
        pytest.param("POST", "", {"content": PICTURE, "headers": {"Accept": "application/json"}}, 200, id="json"),
        pytest.param("POST", "?model=told&noise_level=12.5&bit_depth=16", {"content": PICTURE}, 200, id="any size"),
        pytest.param("POST", "?fit=pad&output_size=original", {"content": PICTURE}, 200, id="fixed size"),
        pytest.param("POST", "?fit=crop", {"content": PICTURE}, 422, id="unknown value"),
        pytest.param("POST", "?fit=", {"content": PICTURE}, 422, id="empty value"),
        pytest.param("POST", "?fit=pad&fit=pad", {"content": PICTURE}, 422, id="repeated parameter"),
        pytest.param("POST", "?modle=tiny", {"content": PICTURE}, 422, id="unknown parameter"),
        pytest.param("POST", "?noise_level=loud", {"content": PICTURE}, 422, id="no number"),
        pytest.param("POST", "?version=0", {"content": PICTURE}, 422, id="number too small"),
        pytest.param("POST", "?strength=nan", {"content": PICTURE}, 422, id="not a number"),
        pytest.param("POST", "?model=free&fit=pad", {"content": PICTURE}, 422, id="unusable parameter"),
        pytest.param("POST", "", {"content": PICTURE, "headers": {"Accept": "text/html"}}, 406, id="bad Accept"),
        pytest.param("POST", "?fit=a", {"headers": {"Accept": "text/html"}}, 422, id="bad Accept, bad query"),
        pytest.param(
            "POST", "?fit=pad&fit=pad", {"headers": {"Accept": "a/b"}}, 422, id="bad Accept, repeated parameter"
        ),
        pytest.param("POST", "?model=huge", {"content": PICTURE}, 404, id="unknown model"),
        pytest.param("POST", "?version=9", {"content": PICTURE}, 404, id="unknown version"),
        pytest.param("POST", "", {}, 400, id="no picture"),
        pytest.param("POST", "", {"content": b"text"}, 415, id="unsupported format"),
        pytest.param("HEAD", "", {}, 405, id="HEAD"),
        pytest.param("GET", "", {}, 405, id="GET"),
        pytest.param("OPTIONS", "", {}, 405, id="OPTIONS"),
        pytest.param("PUT", "", {"content": PICTURE}, 405, id="PUT"),
        pytest.param("POST", "/", {"content": PICTURE}, 404, id="another path"),
    ],
)
def test_the_response_is_that_of_fastapis_own_route(
    clients: tuple[TestClient, TestClient], method: str, address: str, request_: dict[str, Any], status: int
) -> None:
    direct, own = (client.request(method, f"/v1/denoise{address}", **request_) for client in clients)
    assert direct.status_code == status
    assert comparable(direct) == comparable(own)


@pytest.mark.anyio
class TestDirectRoutes:
    """The middleware alone, around an application that records what reaches it."""

    @pytest.fixture
    def reached(self) -> list[Scope]:
        return []

    @pytest.fixture
    def middleware(self, store: Path, reached: list[Scope]) -> DirectRoutes:
        async def record(scope: Scope, _receive: Receive, _send: Send) -> None:
            reached.append(scope)

        return DirectRoutes(record, routes=make_app(store).routes)

    async def test_a_request_to_a_direct_route_does_not_reach_the_router(
        self, middleware: DirectRoutes, reached: list[Scope]
    ) -> None:
        scope = {"type": "http", "method": "POST", "path": "/v1/denoise", "query_string": b"x=", "headers": []}
        statuses = []

        async def send(message: Message) -> None:
            statuses.append(message.get("status"))

        await middleware(scope, no_message, send)
        assert statuses == [422, None]
        assert getattr(scope["route"], "path", None) == "/v1/denoise"  # for the metrics
        assert reached == []

    @pytest.mark.parametrize(
        "scope",
        [
            {"type": "http", "method": "GET", "path": "/v1/denoise"},
            {"type": "http", "method": "POST", "path": "/v1/denoise/batch"},
            {"type": "websocket", "path": "/v1/denoise"},
            {"type": "lifespan"},
        ],
        ids=lambda scope: " ".join(scope.values()),
    )
    async def test_everything_else_does(self, middleware: DirectRoutes, reached: list[Scope], scope: Scope) -> None:
        await middleware(scope, no_message, no_response)
        assert reached == [scope]


async def no_message() -> Message:
    raise NotImplementedError


async def no_response(_message: Message) -> None:
    raise NotImplementedError
