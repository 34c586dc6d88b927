"""The application that create_app builds."""

from tests.app.serving import MakeClient


def test_pages_of_other_origins_may_call_the_service_only_if_they_are_listed(make_client: MakeClient) -> None:
    origin = {"Origin": "https://example.org"}
    closed, open_ = make_client(), make_client(cors_origins="https://example.org, https://example.com")
    assert "access-control-allow-origin" not in closed.get("/v1/models", headers=origin).headers
    response = open_.get("/v1/models", headers=origin)
    assert response.headers["access-control-allow-origin"] == "https://example.org"
    assert "Server-Timing" in response.headers["access-control-expose-headers"]
