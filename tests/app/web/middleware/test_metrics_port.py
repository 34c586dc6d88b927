"""Metrics on a port of their own."""

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.web.middleware.metrics_port import MetricsPort


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    ("port", "path", "status"),
    [(9000, "/metrics", 200), (8000, "/metrics", 404), (8000, "/v1/denoise", 200), (9000, "/v1/denoise", 404),
     (9000, "/livez", 404), (9000, "/", 404)],
)  # fmt: skip
def test_they_are_on_their_port_alone_and_nothing_else_is_there(port: int, path: str, status: int) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scope["server"] = ("127.0.0.1", port)  # as a server says it, whatever Host says
        await MetricsPort(answer, port=9000)(scope, receive, send)

    response = TestClient(application).get(path, headers={"Host": "127.0.0.1:9000"})
    assert response.status_code == status
    if status == 404:
        assert response.json()["type"] == "/problems/not-found"
