"""The OpenAPI description: what FastAPI cannot derive, and that all of it holds together."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.access.key_file import digest
from app.web.responses.problems import PROBLEM_TYPES
from app.web.schemas import DenoiseQuery
from tests.app.pictures import encode, ring
from tests.app.serving import MakeClient


def test_the_description_offers_a_file_picker_and_shows_png_first(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    assert list(operation["responses"]["200"]["content"]) == [
        "image/png", "image/jpeg", "image/webp", "image/avif", "application/octet-stream", "application/json"
    ]  # fmt: skip


def test_the_description_offers_a_picker_for_each_of_many_files(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise/batch"]["post"]
    files = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["files"]
    assert files["type"] == "array"
    assert files["items"] == {"type": "string", "format": "binary"}
    assert list(operation["responses"]["200"]["content"]) == [
        "application/zip",
        "application/octet-stream",
        "application/json",
    ]


def test_the_description_lists_every_parameter_of_the_query(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]
    assert [parameter["name"] for parameter in operation["parameters"]] == list(DenoiseQuery.model_fields)
    assert {parameter["in"] for parameter in operation["parameters"]} == {"query"}


@pytest.mark.parametrize("path", ["/v1/denoise", "/v1/denoise/batch"])
def test_the_fields_of_the_forms_are_the_parameters(client: TestClient, path: str) -> None:
    operation = client.get("/openapi.json").json()["paths"][path]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    fields = dict(list(form["properties"].items())[1:])
    schemas = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert {name: _allowed(field) for name, field in fields.items()} == {
        name: _allowed(schema) for name, schema in schemas.items()
    }
    assert form["additionalProperties"] is False
    assert "null" not in json.dumps([fields, schemas])


def _allowed(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def test_operations_have_the_names_that_generated_clients_use(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {operation["operationId"] for item in paths.values() for operation in item.values()} == {
        "denoise", "denoise_batch", "list_models", "describe_model", "describe_version", "livez", "readyz", "metrics",
        "describe_inference_server", "is_server_live", "is_server_ready", "describe_tensors",
        "describe_tensors_of_version", "is_model_ready", "is_version_ready", "infer", "infer_with_version",
    }  # fmt: skip


def test_the_headers_of_a_response_are_described(client: TestClient) -> None:
    responses = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]["responses"]
    answer = client.post("/v1/denoise", content=encode(ring()), params={"model": "told"})
    transport = {"content-length", "content-type", "x-content-type-options"}
    described = {name.lower() for name in responses["200"]["headers"]}
    assert set(answer.headers) - transport <= described
    assert "Retry-After" in responses["429"]["headers"]


def test_every_reference_in_the_description_exists(client: TestClient) -> None:
    description = client.get("/openapi.json")
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', description.text))
    assert names <= description.json()["components"]["schemas"].keys()


def test_every_error_is_described_as_a_problem(client: TestClient) -> None:
    responses = client.get("/openapi.json").json()["paths"]["/v1/denoise"]["post"]["responses"]
    expected = {str(kind.status) for kind in PROBLEM_TYPES.values()} - {"401", "403", "499"}  # the first two with keys
    assert expected <= responses.keys()
    assert all("application/problem+json" in responses[status]["content"] for status in expected)


def test_pages_are_not_part_of_the_api(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {path.split("/")[1] for path in paths} == {"v1", "v2", "livez", "readyz", "metrics"}


def test_without_keys_no_operation_needs_one(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    assert description["security"] == []
    assert "securitySchemes" not in description["components"]
    assert "401" not in description["paths"]["/v1/denoise"]["post"]["responses"]


def test_with_keys_the_description_says_what_needs_one_and_how_it_is_sent(
    make_client: MakeClient, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{"name": "shop", "sha256": digest("secret")}]}))
    description = make_client(keys_file=path).get("/openapi.json").json()
    assert description["components"]["securitySchemes"].keys() == {"bearer", "header"}
    assert description["security"] == [{"bearer": []}, {"header": []}]
    operations = {path: operation for path, item in description["paths"].items() for operation in item.values()}
    for path_, operation in operations.items():
        is_open = path_ in ("/livez", "/readyz")
        assert operation.get("security") == ([] if is_open else None)
        assert {"401", "403", "429"} <= operation["responses"].keys() or is_open
