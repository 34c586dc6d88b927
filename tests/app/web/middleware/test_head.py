"""HEAD wherever there is GET; the server omits the body, see tests/app/server."""

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.web.middleware.head import HeadAsGet
from tests.app.scraping import sample


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/readyz", 200), ("/v1/models", 200), ("/static/page.js", 200), ("/no", 404), ("/v1/denoise", 405)],
)
def test_head_has_the_status_and_headers_of_get(client: TestClient, path: str, status: int) -> None:
    client.headers["X-Request-ID"] = "mine"
    head, get = client.head(path), client.get(path)
    assert (head.status_code, get.status_code) == (status, status)
    assert head.headers == get.headers


def test_head_is_counted_under_its_route(client: TestClient) -> None:
    client.head("/v1/models/tiny")
    assert sample(client, "denoiser_requests_total", route="/v1/models/{name}", model="", status="200") == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "scope", [{"type": "http", "method": "POST"}, {"type": "lifespan"}], ids=lambda scope: scope["type"]
)
async def test_everything_else_passes_unchanged(scope: Scope) -> None:
    passed = []

    async def record(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope)

    async def receive() -> Message:
        raise NotImplementedError

    async def send(_message: Message) -> None:
        raise NotImplementedError

    before = dict(scope)
    await HeadAsGet(record)(scope, receive, send)
    assert len(passed) == 1
    assert passed[0] is scope
    assert scope == before
