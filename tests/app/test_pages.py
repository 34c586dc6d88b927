"""/docs, the OpenAPI description behind it, and the pages that explain problems."""

import re

from fastapi.testclient import TestClient

from app import errors
from app.error_handlers import PROBLEM_TYPES
from app.schemas import DenoiseQuery


def test_swagger_ui_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url: '([^']+)'", page)
    assert len(addresses) == 4
    for address in addresses:
        assert "//" not in address
        assert client.get(f"/{address.removeprefix('../')}".replace("//", "/")).status_code == 200, address


def test_the_root_leads_to_swagger_ui(client: TestClient) -> None:
    assert "swagger-ui" in client.get("/").text


def test_redoc_is_off(client: TestClient) -> None:
    assert client.get("/redoc").status_code == 404


def test_the_description_offers_a_file_picker_and_shows_png_first(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    assert list(operation["responses"]["200"]["content"]) == ["image/png", "application/json"]


def test_the_description_lists_every_parameter_of_the_query(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]
    assert [parameter["name"] for parameter in operation["parameters"]] == list(DenoiseQuery.model_fields)
    assert {parameter["in"] for parameter in operation["parameters"]} == {"query"}


def test_every_reference_in_the_description_leads_somewhere(client: TestClient) -> None:
    description = client.get("/openapi.json")
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', description.text))
    assert names <= description.json()["components"]["schemas"].keys()


def test_every_error_describes_itself_as_a_problem(client: TestClient) -> None:
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


def test_an_unknown_problem_lists_the_known_ones(client: TestClient) -> None:
    answer = client.get("/problems/nonsense")
    assert answer.status_code == 404
    assert "queue-full" in answer.json()["names"]


def test_a_page_that_does_not_exist_is_a_problem(client: TestClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/nowhere" in answer.json()["detail"]


def test_a_wrong_method_is_a_problem_that_lists_the_right_ones(client: TestClient) -> None:
    answer = client.get("/v1/denoise")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["type"] == "/problems/method-not-allowed"
