"""The page, /docs, the OpenAPI description behind it, and the pages that explain problems."""

import re

import pytest
from fastapi.testclient import TestClient

from app import errors
from app.web.pages.html import STATIC
from app.web.responses.problems import PROBLEM_TYPES
from app.web.schemas import DenoiseQuery


def test_swagger_ui_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url: '([^']+)'", page)
    assert len(addresses) == 4
    for address in addresses:
        assert "//" not in address
        assert client.get(f"/{address.removeprefix('../')}".replace("//", "/")).status_code == 200, address


def test_the_page_loads_everything_by_relative_addresses(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    addresses = set(re.findall(r'(?:src|href)="([^"#]+)"', page.text))
    assert {"static/page.js", "static/style.css", "static/icon.svg", "docs"} <= addresses
    for address in addresses:
        assert not re.match("/|[a-z]+:", address)
        assert client.get(f"/{address}").status_code == 200, address


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/static/samples/seven.svg", "/problems/queue-full"])
def test_a_page_runs_only_what_the_service_sends(client: TestClient, path: str) -> None:
    response = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/problems/queue-full"])
def test_a_page_is_sent_again_only_when_it_has_changed(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


@pytest.mark.parametrize("path", ["/static/../html_pages.py", "/static/%2e%2e/html_pages.py", "/static//etc/passwd"])
def test_nothing_outside_the_static_folder_is_sent(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_the_first_view_is_small() -> None:
    sizes = [file.stat().st_size for file in STATIC.iterdir() if file.is_file()]
    assert sum(sizes) < 150_000


def test_redoc_is_off(client: TestClient) -> None:
    assert client.get("/redoc").status_code == 404


def test_the_description_offers_a_file_picker_and_shows_png_first(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    assert list(operation["responses"]["200"]["content"]) == ["image/png", "application/json"]


def test_the_description_offers_a_picker_for_each_of_many_files(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise/batch"]["post"]
    files = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["files"]
    assert files["type"] == "array"
    assert files["items"] == {"type": "string", "format": "binary"}
    assert list(operation["responses"]["200"]["content"]) == ["application/zip", "application/json"]


def test_the_description_lists_every_parameter_of_the_query(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]
    assert [parameter["name"] for parameter in operation["parameters"]] == list(DenoiseQuery.model_fields)
    assert {parameter["in"] for parameter in operation["parameters"]} == {"query"}


def test_every_reference_in_the_description_exists(client: TestClient) -> None:
    description = client.get("/openapi.json")
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', description.text))
    assert names <= description.json()["components"]["schemas"].keys()


def test_every_error_is_described_as_a_problem(client: TestClient) -> None:
    responses = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]["responses"]
    expected = {str(kind.status) for kind in PROBLEM_TYPES.values()} - {"499"}
    assert expected <= responses.keys()
    assert all("application/problem+json" in responses[status]["content"] for status in expected)


def leaves(kind: type[errors.DenoiserError]) -> set[type[errors.DenoiserError]]:
    below = kind.__subclasses__()
    return set().union(*map(leaves, below)) if below else {kind}


def test_every_error_that_a_request_can_meet_has_a_status() -> None:
    assert leaves(errors.DenoiserError) - {errors.ModelStoreError} == PROBLEM_TYPES.keys()


def test_the_type_of_every_problem_is_a_page(client: TestClient) -> None:
    for kind in PROBLEM_TYPES.values():
        page = client.get(f"/problems/{kind.slug}")
        assert page.status_code == 200
        assert kind.title in page.text
        assert 'href="../static/style.css"' in page.text


def test_an_unknown_problem_lists_the_known_ones(client: TestClient) -> None:
    response = client.get("/problems/nonsense")
    assert response.status_code == 404
    assert "queue-full" in response.json()["names"]


def test_a_page_that_does_not_exist_is_a_problem(client: TestClient) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "/nowhere" in response.json()["detail"]


def test_a_wrong_method_is_a_problem_that_lists_the_right_ones(client: TestClient) -> None:
    response = client.get("/v1/denoise")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["type"] == "/problems/method-not-allowed"
