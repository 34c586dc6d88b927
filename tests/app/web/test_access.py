"""Which paths need a key, and where a request has it."""

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from app.web.access import find_secret, required_scope

NEEDED = {
    "/v1/denoise": "denoise",
    "/v1/denoise/batch": "denoise",
    "/v1/models": "denoise",
    "/v1/models/{name}": "denoise",
    "/v1/models/{name}/versions/{version}": "denoise",
    "/models/{name}/{version}": "denoise",
    "/v2": "denoise",
    "/v2/health/live": "denoise",
    "/v2/health/ready": "denoise",
    "/v2/models/{name}": "denoise",
    "/v2/models/{name}/ready": "denoise",
    "/v2/models/{name}/infer": "denoise",
    "/v2/models/{name}/versions/{version}": "denoise",
    "/v2/models/{name}/versions/{version}/ready": "denoise",
    "/v2/models/{name}/versions/{version}/infer": "denoise",
    "/models/{name}/{version}/figures/{file:path}": "denoise",
    "/metrics": "metrics",
    "/livez": None,
    "/readyz": None,
    "/": None,
    "/docs": None,
    "/docs/assets": None,
    "/docs/openapi.json": None,
    "/static": None,
    "/openapi.json": None,
    "/problems/{slug}": None,
}


def test_each_route_is_open_or_needs_a_scope_as_listed(client: TestClient) -> None:
    routes = client.app.routes  # type: ignore[attr-defined]  # the client is typed for any application
    found = {
        route.path: required_scope(f"{route.path}/file" if isinstance(route, Mount) else route.path)
        for route in routes
        if isinstance(route, Route | Mount)
    }
    assert found == NEEDED


@pytest.mark.parametrize("path", ["/v2", "/v1", "/nowhere", "//v1/denoise", "/livez/", "/docs.json", "/static", ""])
def test_what_is_not_listed_needs_a_key(path: str) -> None:
    assert required_scope(path) == "denoise"


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ([], None),
        ([(b"x-api-key", b"k")], b"k"),
        ([(b"authorization", b"Bearer k")], b"k"),
        ([(b"authorization", b"bearer  k ")], b"k"),
        ([(b"authorization", b"Basic k")], None),
        ([(b"authorization", b"Bearer a"), (b"x-api-key", b"k")], b"k"),
        ([(b"authorization", b"Basic a"), (b"x-api-key", b"k")], b"k"),
        ([(b"cookie", b"x-api-key=k")], None),
    ],
    ids=str,
)
def test_the_secret_is_in_one_of_two_headers(headers: list[tuple[bytes, bytes]], secret: bytes | None) -> None:
    assert find_secret(headers) == secret
