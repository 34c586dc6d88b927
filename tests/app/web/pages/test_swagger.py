"""Swagger UI without a browser; tests/browser has it in one."""

import base64
import hashlib
import re

from fastapi.testclient import TestClient


def test_its_page_cannot_be_framed_and_runs_nothing_that_it_does_not_bring(client: TestClient) -> None:
    page = client.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    (script,) = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["frame-ancestors"] == policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"


def test_everything_that_its_page_names_is_there(client: TestClient) -> None:
    page = client.get("/docs").text
    addresses = re.findall(r"""(?:src|href|url)(?:=|: )["']([^"']+)["']""", page)
    assert len(addresses) == 4
    for address in addresses:
        assert client.get(f"/{address}").status_code == 200, address


def test_its_forms_ask_for_pictures_alone_since_the_parameters_are_in_the_query(client: TestClient) -> None:
    described = client.get("/docs/openapi.json").json()["paths"]
    whole = client.get("/openapi.json").json()["paths"]
    for path, part in (("/v1/denoise", "file"), ("/v1/denoise/batch", "files")):
        bodies = [paths[path]["post"]["requestBody"]["content"]["multipart/form-data"] for paths in (described, whole)]
        assert [list(body["schema"]["properties"]) == [part] for body in bodies] == [True, False]
        assert described[path]["post"]["parameters"] == whole[path]["post"]["parameters"]
