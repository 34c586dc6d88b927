"""The OpenAPI description: what FastAPI cannot derive, and that all of it holds together."""

import re

from fastapi.testclient import TestClient

from app.web.responses.problems import PROBLEM_TYPES
from app.web.schemas import DenoiseQuery


def test_the_description_offers_a_file_picker_and_shows_png_first(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    assert list(operation["responses"]["200"]["content"]) == [
        "image/png", "image/jpeg", "image/webp", "image/avif", "application/json"
    ]  # fmt: skip


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


def test_pages_are_not_part_of_the_api(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {path.split("/")[1] for path in paths} == {"v1", "livez", "readyz", "metrics"}
